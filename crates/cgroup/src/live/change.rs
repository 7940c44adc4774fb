//! Changes of the limits of a group, which are made wholly or not at all.

use super::update::shape_of;
use super::{Cgroup, Error, Version, write_at};
use crate::settings::{Placed, Setting};
use crate::{check, refusal, unit};
use plan::unit::Property;
use rustix::io::Errno;
use spec::Resources;
use std::path::Path;

/// What a group is to be brought to, and the way back.
#[derive(Debug)]
pub struct Change {
    settings: Vec<Setting>,
    /// The same files with what they hold now.
    before: Vec<Setting>,
    /// What systemd is told, where the group is that of a unit.
    pub properties: Vec<Property>,
}

impl Cgroup {
    /// Brings the group to new limits; what they do not mention stays. Device rules are not limits and are not
    /// touched.
    ///
    /// # Errors
    /// Wrong limits, or one that the kernel refuses. Nothing has changed then.
    pub fn update(&self, resources: &Resources) -> Result<(), Error> {
        self.make(&self.change(resources)?)
    }

    /// What brings the group to new limits.
    ///
    /// # Errors
    /// Wrong limits, or ones that this group cannot have.
    pub fn change(&self, resources: &Resources) -> Result<Change, Error> {
        check::check(resources)?;
        self.check_devices(&resources.devices)?;
        self.check_usage(resources)?;
        self.change_to(self.placed(resources)?, Vec::new())
    }

    /// The same for the group of a unit, with what systemd, whose version this is, has to be told of it and of device rules.
    ///
    /// # Errors
    /// As for [`Cgroup::change`].
    pub fn change_of_unit(&self, resources: &Resources, version: u32) -> Result<Change, Error> {
        let resources = &unit::rounded(&self.with_period(resources)?);
        check::check(resources)?;
        self.check_devices(&resources.devices)?;
        self.check_usage(resources)?;
        let mut placed = self.placed(resources)?;
        placed.iter_mut().for_each(unit::agree);
        let mut properties = unit::merged(&placed, version);
        if !resources.devices.is_empty() {
            let on_v1 = self.find(Version::V1, "devices.list")?.is_some();
            properties.extend(unit::of_devices(&resources.devices, on_v1)?);
        }
        self.change_to(placed, properties)
    }

    fn change_to(&self, placed: Vec<Placed>, properties: Vec<Property>) -> Result<Change, Error> {
        let settings: Vec<_> = placed.into_iter().map(|placed| placed.setting).collect();
        let mut before = Vec::new();
        for setting in &settings {
            before.extend(self.held(setting)?);
        }
        Ok(Change { settings, before, properties })
    }

    /// Makes a change, wholly or not at all.
    ///
    /// # Errors
    /// The kernel refuses a setting. What was written before that is taken back; if that fails, too, the error says so.
    pub fn make(&self, change: &Change) -> Result<(), Error> {
        self.bring_to(&change.settings).map_err(|error| match self.take_back(change) {
            Ok(()) => error,
            Err(back) => Error::Halfway { error: Box::new(error), back: Box::new(back) },
        })
    }

    /// Brings the group back to where it was before a change.
    ///
    /// # Errors
    /// The kernel refuses what it had.
    pub fn take_back(&self, change: &Change) -> Result<(), Error> {
        self.bring_to(&change.before)
    }

    /// Writes settings.
    ///
    /// The kernel checks some of them against others: the sum of memory and swap is at least the limit, a burst at most the
    /// quota. Which has to be written first depends on where the group stands, so those that are refused (EINVAL) are
    /// written again after the others, for as long as that helps.
    fn bring_to(&self, settings: &[Setting]) -> Result<(), Error> {
        let mut left: Vec<&Setting> = settings.iter().collect();
        loop {
            let mut refused = Vec::new();
            for setting in &left {
                match self.write(setting) {
                    Ok(()) => {}
                    Err(error @ Error::Write { source: Errno::INVAL, .. }) => refused.push((*setting, error)),
                    Err(error) => return Err(about(setting, error)),
                }
            }
            if refused.len() == left.len() {
                let first = refused.into_iter().next();
                return first.map_or(Ok(()), |(setting, error)| Err(about(setting, error)));
            }
            left = refused.into_iter().map(|(setting, _)| setting).collect();
        }
    }

    /// What brings the file of a setting back to what it holds.
    fn held(&self, setting: &Setting) -> Result<Vec<Setting>, Error> {
        let mut held = Vec::new();
        let second = setting.fallback.as_ref().map(|second| (&second.file, &second.value));
        for (file, written) in [Some((&setting.file, &setting.value)), second].into_iter().flatten() {
            let Some(text) = self.read(file)? else { continue };
            held.push(as_it_is(setting, file, shape_of(file).back(file, written, &text)));
            if is_named(file, "cpu.idle") && text.trim() == "0" {
                // Who becomes idle and then is not has the usual weight (`sched_group_set_idle`), not its own.
                held.extend(self.weight(setting, file)?);
            }
            break;
        }
        Ok(held)
    }

    /// The weight of the group that has this `cpu.idle`.
    fn weight(&self, setting: &Setting, idle: &Path) -> Result<Option<Setting>, Error> {
        for name in ["cpu.shares", "cpu.weight"] {
            let file = idle.with_file_name(name);
            if let Some(text) = self.read(&file)? {
                return Ok(Some(as_it_is(setting, &file, text.trim().to_owned())));
            }
        }
        Ok(None)
    }

    fn write(&self, setting: &Setting) -> Result<(), Error> {
        let fallback = setting.fallback.as_ref();
        match (self.write_file(&setting.file, &setting.value), fallback) {
            (Err(Error::Write { source: Errno::NOENT, .. }), Some(second)) => {
                self.write_file(&second.file, &second.value)
            }
            (Err(Error::Write { source, .. }), _)
                if setting.ignore.iter().any(|errno| errno.raw() == source.raw_os_error()) =>
            {
                Ok(())
            }
            (result, _) => result,
        }
    }

    fn write_file(&self, file: &Path, value: &str) -> Result<(), Error> {
        let failed = |source| Error::Write { file: file.to_owned(), value: value.to_owned(), source };
        let (directory, name) = self.locate(file).ok_or_else(|| failed(Errno::NOENT))?;
        write_at(&directory.fd, name, value).map_err(failed)
    }
}

fn as_it_is(setting: &Setting, file: &Path, value: String) -> Setting {
    Setting { file: file.to_owned(), value, fallback: None, ..setting.clone() }
}

fn is_named(file: &Path, name: &str) -> bool {
    file.file_name().is_some_and(|found| found == name)
}

/// What was refused, in the words of who asked for it.
fn about(setting: &Setting, error: Error) -> Error {
    match error {
        Error::Write { file, value, source } => {
            let advice = refusal::advice(&file, source);
            Error::Refused { pointer: setting.pointer.clone(), file, value, source, advice }
        }
        error => error,
    }
}
