//! Settings of a group that exists: what is asked for there, comparing, printing.

use super::{Cgroup, Directory, Error, Version, read_at};
use crate::settings::{Controllers, Placed, Setting, settings};
use crate::table::{Shape, rows, shape_of_file};
use rustix::fs::Dir;
use rustix::io::Errno;
use spec::{Cpu, Resources};
use std::path::{Path, PathBuf};

/// A setting as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Name in the specification: `memory.limit`.
    pub name: &'static str,
    /// The file.
    pub file: PathBuf,
    /// What it holds, without the last newline.
    pub text: String,
}

/// A setting that the kernel does not have as the config asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is asked for.
    pub setting: Setting,
    /// What the file holds; empty where it does not exist.
    pub found: String,
}

impl Cgroup {
    /// Where the group is not as `resources` asks.
    ///
    /// # Errors
    /// Wrong limits, or a file that cannot be read.
    pub fn differences(&self, resources: &Resources) -> Result<Vec<Difference>, Error> {
        let mut differences = Vec::new();
        for setting in self.settings(resources)? {
            let main = (setting.file.clone(), setting.value.clone());
            let second = setting.fallback.as_ref().map(|f| (f.file.clone(), f.value.clone()));
            let found = self.read(&main.0)?.map(|text| (text, main.1));
            let found = found.map(|(text, value)| (text, value, shape_of(&main.0)));
            let found = match (found, second) {
                (None, Some((file, value))) => self.read(&file)?.map(|text| (text, value, shape_of(&file))),
                (found, _) => found,
            };
            match found {
                Some((text, value, shape)) if shape.holds(&value, &text) => {}
                None if !setting.ignore.is_empty() => {}
                found => differences.push(Difference {
                    setting,
                    found: found.map_or(String::new(), |(text, ..)| text.trim_end().to_owned()),
                }),
            }
        }
        Ok(differences)
    }

    /// Every setting that the group has, in the order of the table. Those that come once for each device, page size
    /// or interface are not split up.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn readings(&self) -> Result<Vec<Reading>, Error> {
        let mut readings = Vec::new();
        for row in rows() {
            for (version, place) in [(Version::V1, &row.v1), (Version::V2, &row.v2)] {
                let Some(place) = place else { continue };
                let files = [Some(place.file), place.fallback.map(|second| second.file)];
                for file in files.into_iter().flatten() {
                    let Some((directory, text)) = self.find(version, file)? else { continue };
                    let (file, text) = (directory.path.join(file), text.trim_end().to_owned());
                    readings.push(Reading { name: row.name, file, text });
                }
            }
        }
        Ok(readings)
    }

    fn settings(&self, resources: &Resources) -> Result<Vec<Setting>, Error> {
        Ok(self.placed(resources)?.into_iter().map(|placed| placed.setting).collect())
    }

    pub(super) fn placed(&self, resources: &Resources) -> Result<Vec<Placed>, Error> {
        let complete = self.complete(resources)?;
        Ok(settings(&complete, &Present::new(self)?)?)
    }

    /// Adds what a text of v2 needs and the group already has: its limit where only a new sum of memory and swap is
    /// given, its quota where only a new period is.
    fn complete(&self, resources: &Resources) -> Result<Resources, Error> {
        let mut complete = resources.clone();
        if let Some(memory) = &mut complete.memory
            && memory.limit.is_none_or(|limit| limit == 0)
            && memory.swap.is_some_and(|swap| swap > 0)
            && let Some((_, text)) = self.find(Version::V2, "memory.max")?
        {
            memory.limit = text.trim().parse().ok();
        }
        if let Some(cpu) = &mut complete.cpu
            && cpu.quota.is_none_or(|quota| quota == 0)
            && cpu.period.is_some_and(|period| period != 0)
            && let Some((_, text)) = self.find(Version::V2, "cpu.max")?
        {
            cpu.quota = text.split_whitespace().next().and_then(|quota| quota.parse().ok());
        }
        Ok(complete)
    }

    /// Adds the period that the group has to a quota that is given without: what share of a processor it is depends on that.
    pub(super) fn with_period(&self, resources: &Resources) -> Result<Resources, Error> {
        let mut resources = resources.clone();
        let quota_alone = |cpu: &&mut Cpu| {
            cpu.quota.is_some_and(|quota| quota > 0) && cpu.period.is_none_or(|period| period == 0)
        };
        if let Some(cpu) = resources.cpu.as_mut().filter(quota_alone) {
            let v1 = self.find(Version::V1, "cpu.cfs_period_us")?.map(|(_, text)| text);
            let v2 = self.find(Version::V2, "cpu.max")?.map(|(_, text)| text);
            let period = v1.or(v2).and_then(|text| text.split_whitespace().last()?.parse().ok());
            cpu.period = period.or(cpu.period);
        }
        Ok(resources)
    }

    /// `memory.checkBeforeUpdate`: v2 would kill for a limit below what is in use, v1 would first try to reclaim.
    pub(super) fn check_usage(&self, resources: &Resources) -> Result<(), Error> {
        let Some(memory) = resources.memory.as_ref().filter(|m| m.check_before_update == Some(true)) else {
            return Ok(());
        };
        let (Some(used), Some(file)) = (self.statistics()?.memory, self.memory_file()?) else {
            return Ok(());
        };
        let sum = used.current.saturating_add(used.swap.unwrap_or_default());
        for (pointer, limit, usage) in [
            ("/linux/resources/memory/limit", memory.limit, used.current),
            ("/linux/resources/memory/swap", memory.swap, sum),
        ] {
            if let Some(limit) = limit.filter(|limit| *limit > 0 && limit.cast_unsigned() < usage) {
                return Err(Error::BelowUsage { pointer, limit, usage, file });
            }
        }
        Ok(())
    }

    /// The file that counts the group's memory.
    fn memory_file(&self) -> Result<Option<PathBuf>, Error> {
        for (version, file) in [(Version::V1, "memory.usage_in_bytes"), (Version::V2, "memory.current")] {
            if let Some((directory, _)) = self.find(version, file)? {
                return Ok(Some(directory.path.join(file)));
            }
        }
        Ok(None)
    }

    pub(super) fn read(&self, file: &Path) -> Result<Option<String>, Error> {
        let Some((directory, name)) = self.locate(file) else { return Ok(None) };
        match read_at(&directory.fd, name) {
            Ok(text) => Ok(Some(text)),
            Err(Errno::NOENT) => Ok(None),
            Err(source) => Err(directory.unreadable(name, source)),
        }
    }

    pub(super) fn locate<'a>(&self, file: &'a Path) -> Option<(&Directory, &'a str)> {
        let (above, name) = (file.parent()?, file.file_name()?.to_str()?);
        self.directories.iter().find(|directory| directory.path == above).map(|directory| (directory, name))
    }
}

/// How the file of a setting reads back.
pub(super) fn shape_of(file: &Path) -> Shape {
    shape_of_file(file.file_name().and_then(|name| name.to_str()).unwrap_or_default())
}

/// The controllers of a group, as the files in its directories tell.
struct Present<'a> {
    group: &'a Cgroup,
    v1: Vec<(PathBuf, Vec<String>)>,
    v2: Vec<String>,
}

impl<'a> Present<'a> {
    fn new(group: &'a Cgroup) -> Result<Self, Error> {
        let v1 = group.of(Version::V1).map(|directory| Ok((directory.path.clone(), prefixes(directory)?)));
        let v1 = v1.collect::<Result<_, Error>>()?;
        let v2 = group.find(Version::V2, "cgroup.controllers")?.map(|(_, text)| text).unwrap_or_default();
        let v2 = v2.split_whitespace().map(str::to_owned).collect();
        Ok(Self { group, v1, v2 })
    }
}

/// What the files of a directory begin with: `memory` for `memory.limit_in_bytes`.
fn prefixes(directory: &Directory) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Open { path: directory.path.clone(), source };
    let mut prefixes = Vec::new();
    for entry in Dir::read_from(&directory.fd).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if let Some((prefix, _)) = name.split_once('.')
            && !prefixes.iter().any(|known| known == prefix)
        {
            prefixes.push(prefix.to_owned());
        }
    }
    Ok(prefixes)
}

impl Controllers for Present<'_> {
    fn v1(&self, controller: &str) -> Option<PathBuf> {
        let has = |(_, prefixes): &&(PathBuf, Vec<String>)| prefixes.iter().any(|p| p == controller);
        self.v1.iter().find(has).map(|(path, _)| path.clone())
    }

    fn v2(&self, controller: &str) -> Option<PathBuf> {
        self.v2.iter().any(|c| c == controller).then(|| self.unified())?
    }

    fn unified(&self) -> Option<PathBuf> {
        self.group.of(Version::V2).next().map(|directory| directory.path.clone())
    }

    fn withheld(&self, controller: &str) -> Option<(PathBuf, Vec<String>)> {
        let group = self.unified()?;
        // The highest group that has the file is below the root, or the root of a part that is mounted.
        let offered = |group: &Path| std::fs::read_to_string(group.join("cgroup.controllers")).ok();
        let root = group.ancestors().map_while(offered).last()?;
        let offers = root.split_whitespace().any(|offered| offered == controller);
        (offers && !self.v2.iter().any(|given| given == controller)).then(|| (group, self.v2.clone()))
    }

    fn looked(&self) -> String {
        let paths: Vec<_> = self.group.directories.iter().map(|d| d.path.display().to_string()).collect();
        format!("in {}", paths.join(", "))
    }
}
