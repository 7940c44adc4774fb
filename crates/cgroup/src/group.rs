//! The group of a container, as data.

use crate::device::{self, v2::DeviceProgram};
use crate::path::GroupPath;
use crate::settings::{Controllers, Placed, Setting, settings};
use crate::unit::UnitGroup;
use crate::{Error, RESOURCES, check};
use plan::Errno;
use plan::facts::CgroupLayout;
use spec::{ContainerId, Resources};
use std::path::{Path, PathBuf};

const POINTER_OF_PATH: &str = "/linux/cgroupsPath";

/// Controllers of v2 that are enabled for every container where they can be, for what they count
/// ([`crate::live::Cgroup::statistics`]).
const COUNTING: [&str; 4] = ["cpu", "io", "memory", "pids"];

/// Everything that is done before a container is put in its group: make the directories, inherit, write the
/// settings, load the device program; in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The group in each hierarchy, as absolute paths on the host. Those above may have to be made, too.
    pub directories: Vec<PathBuf>,
    /// Groups that take processors and memory nodes from above before they can have a process.
    pub inherit: Vec<Inherit>,
    /// Files to write, in order, before the container joins.
    pub settings: Vec<Setting>,
    /// On a machine where v2 controls devices: the program to attach to `directory`.
    pub devices: Option<AttachedProgram>,
    /// Where systemd makes the group: the unit that it is, which has to be started before anything is written.
    pub unit: Option<UnitGroup>,
}

/// A v1 `cpuset` group. `cpuset.cpus` and `cpuset.mems` of a new one are empty, and until both are set nothing can
/// join it (ENOSPC; cpuset(7)). What to write is known only when it is made: the value of the group above, which
/// may itself be empty. [`crate::live::inherit_cpuset`] does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inherit {
    /// The container's directory in the hierarchy.
    pub directory: PathBuf,
    /// The mount point: the group there has values.
    pub mount: PathBuf,
    /// What asked for the group.
    pub pointer: &'static str,
    /// Why this is done.
    pub why: &'static str,
}

/// A device program and the group it decides for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedProgram {
    /// The group's directory in the v2 hierarchy.
    pub directory: PathBuf,
    /// The program.
    pub program: DeviceProgram,
    /// What asked for it.
    pub pointer: String,
    /// Why it is there.
    pub why: &'static str,
}

/// Says what the group of a container is, on a machine with the given layout.
///
/// `cgroups_path` is that of the config: absolute, it begins at the root of each hierarchy; relative, at the
/// runtime's own group, as in runc; left out, it is `/cuddy-ID`. Nothing is asked of the kernel.
///
/// # Errors
/// A value that is not allowed, a path that is not one, or a limit whose controller this machine lacks.
pub fn group(
    resources: &Resources,
    layout: &CgroupLayout,
    cgroups_path: Option<&str>,
    id: &ContainerId,
) -> Result<Group, Error> {
    let path = GroupPath::new(cgroups_path, id)?;
    check::check(resources)?;
    if layout.v1.is_empty() && layout.v2.is_none() {
        return Err(Error::NoHierarchy { usual: "/sys/fs/cgroup".into() });
    }
    let places = Places { layout, path: &path };
    let placed = settings(resources, &places)?;
    let enable = places.enable(&placed);
    places.group(resources, enable, &placed)
}

/// The group of a unit but for the unit itself, and the settings with their properties. What systemd hears of it enables
/// controllers for.
pub(crate) fn places_of_unit(
    resources: &Resources,
    layout: &CgroupLayout,
    group: &Path,
) -> Result<(Group, Vec<Placed>), Error> {
    let path = GroupPath::of_unit(group);
    let places = Places { layout, path: &path };
    let mut placed = settings(resources, &places)?;
    placed.iter_mut().for_each(crate::unit::agree);
    let files = placed.iter().filter(|placed| placed.properties.is_empty());
    let mut enable = places.enable(files);
    enable.retain(|setting| setting.ignore.is_empty());
    Ok((places.group(resources, enable, &placed)?, placed))
}

/// One path in every hierarchy of a layout.
struct Places<'a> {
    layout: &'a CgroupLayout,
    path: &'a GroupPath,
}

impl Places<'_> {
    /// The group with these settings, after those that enable controllers for them.
    fn group(&self, resources: &Resources, enable: Vec<Setting>, placed: &[Placed]) -> Result<Group, Error> {
        let (device_lines, devices) = self.devices(resources)?;
        let settings = placed.iter().map(|placed| placed.setting.clone());
        Ok(Group {
            directories: self.directories(),
            inherit: self.inherit(),
            settings: enable.into_iter().chain(settings).chain(device_lines).collect(),
            devices,
            unit: None,
        })
    }

    fn directories(&self) -> Vec<PathBuf> {
        let v1 = self.layout.v1.iter().map(|v1| v1.mount.join(self.path.below(&v1.own, false)));
        v1.chain(self.unified()).collect()
    }

    fn inherit(&self) -> Vec<Inherit> {
        let hierarchy = self.layout.v1_with("cpuset");
        let inherit = hierarchy.map(|v1| Inherit {
            directory: v1.mount.join(self.path.below(&v1.own, false)),
            mount: v1.mount.clone(),
            pointer: POINTER_OF_PATH,
            why: "nothing can join a cpuset without processors and memory nodes",
        });
        inherit.into_iter().collect()
    }

    /// What enables v2 controllers for the group: each group above must pass them on (cgroups(7),
    /// `cgroup.subtree_control`). Those that a limit needs must be had; those that only count, may.
    fn enable<'p>(&self, placed: impl IntoIterator<Item = &'p Placed>) -> Vec<Setting> {
        let (Some(v2), Some(group)) = (&self.layout.v2, self.unified()) else { return Vec::new() };
        let mut needed: Vec<(&str, &str)> = Vec::new();
        for placed in placed {
            let Some(controller) = &placed.v2_controller else { continue };
            if !needed.iter().any(|(known, _)| known == controller) {
                needed.push((controller, &placed.setting.pointer));
            }
        }
        let counting = COUNTING.into_iter().filter(|name| {
            self.layout.is_unified()
                && v2.given().iter().any(|c| c == name)
                && !needed.iter().any(|(known, _)| known == name)
        });
        let wanted = needed
            .iter()
            .map(|&(name, pointer)| (name, pointer, &[][..], "a limit needs this controller"))
            .chain(counting.map(|name| {
                (
                    name,
                    POINTER_OF_PATH,
                    &COUNTING_MAY_FAIL[..],
                    "this controller counts what the container uses",
                )
            }));
        let wanted: Vec<_> = wanted.collect();
        let top = v2.delegated.as_ref().map_or(&v2.mount, |delegated| &delegated.group);
        groups_above(top, &group)
            .into_iter()
            .flat_map(|parent| {
                let file = parent.join("cgroup.subtree_control");
                wanted.iter().map(move |&(name, pointer, ignore, why)| Setting {
                    file: file.clone(),
                    value: format!("+{name}"),
                    pointer: pointer.to_owned(),
                    why,
                    ignore,
                    fallback: None,
                })
            })
            .collect()
    }

    fn devices(&self, resources: &Resources) -> Result<(Vec<Setting>, Option<AttachedProgram>), Error> {
        let rules = device::rules(&resources.devices)?;
        if let Some(directory) = self.v1("devices") {
            let lines = device::v1::lines(&rules)?;
            return Ok((lines.into_iter().map(|line| device_setting(&directory, line)).collect(), None));
        }
        let pointer = format!("{RESOURCES}/devices");
        let Some(directory) = self.unified() else {
            return Err(Error::NoController { pointer, controller: "devices", looked: self.looked() });
        };
        if self.layout.v2.as_ref().is_some_and(|v2| v2.delegated.is_some()) {
            // The program would take capabilities over the machine. No user namespace makes a node, and what is bound into
            // one is what the user may open anyway.
            return Ok((Vec::new(), None));
        }
        let program = device::v2::program(&rules);
        let why = "the container may use the devices that this program allows, and no other";
        Ok((Vec::new(), Some(AttachedProgram { directory, program, pointer, why })))
    }
}

/// In a container without privileges over the groups above, or where one of them has processes (EBUSY), counting
/// is done without.
const COUNTING_MAY_FAIL: [Errno; 6] =
    [Errno::EBUSY, Errno::ENOENT, Errno::EACCES, Errno::EPERM, Errno::EROFS, Errno::EOPNOTSUPP];

fn device_setting(directory: &Path, line: device::v1::Line) -> Setting {
    let is_default = line.rule.as_ref().is_some_and(|rule| rule.index.is_none());
    Setting {
        file: directory.join(line.file),
        value: line.text,
        pointer: line.rule.as_ref().map_or_else(|| format!("{RESOURCES}/devices"), device::Rule::pointer),
        why: match (&line.rule, line.file) {
            (None, _) => "no device but those that follow",
            (Some(_), "devices.deny") => "every device but this",
            (Some(_), _) if is_default => "every container may use this device",
            (Some(_), _) => "the config allows this device",
        },
        // A group cannot be allowed what the one above is not; a default that cannot be had stays denied.
        ignore: if is_default { &[Errno::EPERM] } else { &[] },
        fallback: None,
    }
}

/// The groups from the highest that is ours to above `group`, the highest first.
fn groups_above(top: &Path, group: &Path) -> Vec<PathBuf> {
    let mut above: Vec<_> =
        group.ancestors().skip(1).take_while(|path| path.starts_with(top)).map(Path::to_owned).collect();
    above.reverse();
    above
}

impl Controllers for Places<'_> {
    fn v1(&self, controller: &str) -> Option<PathBuf> {
        let hierarchy = self.layout.v1_with(controller)?;
        Some(hierarchy.mount.join(self.path.below(&hierarchy.own, false)))
    }

    fn v2(&self, controller: &str) -> Option<PathBuf> {
        let v2 = self.layout.v2.as_ref()?;
        v2.given().iter().any(|c| c == controller).then(|| self.unified())?
    }

    fn unified(&self) -> Option<PathBuf> {
        let v2 = self.layout.v2.as_ref()?;
        Some(v2.mount.join(self.path.below(&v2.own, self.layout.is_unified())))
    }

    fn withheld(&self, controller: &str) -> Option<(PathBuf, Vec<String>)> {
        let v2 = self.layout.v2.as_ref()?;
        let delegated = v2.delegated.as_ref()?;
        let is = |name: &String| name == controller;
        let withheld = v2.controllers.iter().any(is) && !delegated.controllers.iter().any(is);
        withheld.then(|| (delegated.group.clone(), delegated.controllers.clone()))
    }

    fn looked(&self) -> String {
        let v1 = (!self.layout.v1.is_empty()).then(|| "among the v1 hierarchies".to_owned());
        let v2 = self.layout.v2.as_ref();
        let v2 = v2.map(|v2| format!("in {}", v2.mount.join("cgroup.controllers").display()));
        v1.into_iter().chain(v2).collect::<Vec<_>>().join(" and ")
    }
}

#[cfg(test)]
mod tests;
