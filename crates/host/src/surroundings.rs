//! Where this process stands among the control groups of others: what it was given of them, and by whom.

use crate::kernel::read;
use plan::facts::CgroupLayout;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The inode of the cgroup namespace that a machine boots with: `PROC_CGROUP_INIT_INO` (`linux/proc_ns.h`).
const INITIAL_NAMESPACE: u64 = 0xEFFF_FFFB;

/// What is around the group of this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether the root of the hierarchies that it sees is a group of the machine's.
    pub in_namespace: bool,
    /// What kind of container it is in, as its manager says: `podman`, `docker`, `lxc`.
    pub container: Option<String>,
    /// The unit of systemd that it is in: `session-3.scope`.
    pub unit: Option<String>,
    /// The slice that the unit is in: `user-1000.slice`.
    pub slice: Option<String>,
    /// What it may do in its own v2 group; `None` without v2.
    pub delegation: Option<Delegation>,
}

/// What of a v2 group belongs to this process (cgroups(7), "Cgroups v2 delegation").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The group.
    pub group: PathBuf,
    /// Whether groups can be made in it, and processes moved among them.
    pub writable: bool,
    /// Whether systemd says that nobody else will change it (`user.delegate`, systemd 251).
    pub promised: bool,
    /// Controllers that it was given.
    pub controllers: Vec<String>,
    /// Controllers of the machine that it was not given.
    pub withheld: Vec<String>,
}

/// Looks around. What cannot be found out is left out.
#[must_use]
pub fn surroundings(layout: &CgroupLayout) -> Surroundings {
    let (unit, slice) = layout
        .v1_with("name=systemd")
        .map(|v1| &v1.own)
        .into_iter()
        .chain(layout.v2.as_ref().map(|v2| &v2.own))
        .map(|own| unit_of(own))
        .find(|(unit, slice)| unit.is_some() || slice.is_some())
        .unwrap_or_default();
    let namespace = std::fs::metadata("/proc/self/ns/cgroup");
    Surroundings {
        in_namespace: namespace.is_ok_and(|namespace| namespace.ino() != INITIAL_NAMESPACE),
        container: container(),
        unit,
        slice,
        delegation: layout.v2.as_ref().map(|v2| delegation(&v2.mount, &v2.own, &v2.controllers)),
    }
}

/// The innermost unit and slice that a path of systemd's names.
fn unit_of(group: &Path) -> (Option<String>, Option<String>) {
    let names = || group.iter().rev().filter_map(|name| name.to_str());
    let last =
        |ends: &[&str]| names().find(|name| ends.iter().any(|end| name.ends_with(end))).map(str::to_owned);
    (last(&[".scope", ".service"]), last(&[".slice"]))
}

/// Managers of containers leave word for programs inside: systemd's CONTAINER_INTERFACE, podman, Docker.
fn container() -> Option<String> {
    if let Ok(manager) = read("/run/systemd/container") {
        return Some(manager.trim().to_owned());
    }
    let signs = [("/run/.containerenv", "podman"), ("/.dockerenv", "docker")];
    signs.iter().find(|(file, _)| Path::new(file).exists()).map(|(_, manager)| (*manager).to_owned())
}

fn delegation(mount: &Path, own: &Path, machine: &[String]) -> Delegation {
    let group = mount.join(own.strip_prefix("/").unwrap_or(own));
    let may_write = |path: &Path| accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    let controllers = read(group.join("cgroup.controllers")).unwrap_or_default();
    let controllers: Vec<_> = controllers.split_whitespace().map(str::to_owned).collect();
    let withheld = machine.iter().filter(|name| !controllers.contains(name)).cloned().collect();
    let files = ["", "cgroup.procs", "cgroup.subtree_control"];
    let mut promise = [0u8; 1];
    let promised = rustix::fs::getxattr(&group, "user.delegate", &mut promise).is_ok() && promise == *b"1";
    let writable = files.iter().all(|file| may_write(&group.join(file)));
    Delegation { writable, promised, controllers, withheld, group }
}

impl fmt::Display for Surroundings {
    /// `cuddy is in session-3.scope of user-1000.slice, whose group /sys/fs/cgroup/... is not delegated to it`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cuddy is in ")?;
        match (&self.unit, &self.slice) {
            (Some(unit), Some(slice)) => write!(f, "{unit} of {slice}")?,
            (Some(unit), None) => f.write_str(unit)?,
            (None, Some(slice)) => f.write_str(slice)?,
            (None, None) => f.write_str("no unit of systemd")?,
        }
        if let Some(container) = &self.container {
            write!(f, ", in a container of {container}")?;
        }
        if self.in_namespace {
            f.write_str(", in a cgroup namespace of its own")?;
        }
        let Some(delegation) = &self.delegation else { return Ok(()) };
        let group = delegation.group.display();
        if !delegation.writable {
            return write!(
                f,
                ", and the group {group} is not delegated to it; start it where one is, as by `systemd-run --user \
                 --scope -p Delegate=yes`, or without groups"
            );
        }
        let promised = if delegation.promised { "delegated to it" } else { "its to write" };
        write!(f, ", and the group {group} is {promised}")?;
        if !delegation.withheld.is_empty() {
            write!(f, " without the controllers {}", delegation.withheld.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_from_paths_of_systemd() {
        for (path, unit, slice) in [
            ("/", None, None),
            ("/user.slice/user-1000.slice/session-3.scope", Some("session-3.scope"), Some("user-1000.slice")),
            ("/system.slice/docker.service", Some("docker.service"), Some("system.slice")),
            ("/system.slice/a.service/inner", Some("a.service"), Some("system.slice")),
            ("/cuddy-web", None, None),
        ] {
            let expect = (unit.map(str::to_owned), slice.map(str::to_owned));
            assert_eq!(unit_of(Path::new(path)), expect, "{path}");
        }
    }

    #[test]
    fn what_was_not_given_is_said() {
        let delegation = |writable, withheld: &[&str]| Delegation {
            group: "/cg/u".into(),
            writable,
            promised: writable,
            controllers: vec![],
            withheld: withheld.iter().map(|&name| name.to_owned()).collect(),
        };
        let here = |delegation| Surroundings {
            unit: Some("session-3.scope".into()),
            slice: Some("user-1000.slice".into()),
            delegation: Some(delegation),
            ..Surroundings::default()
        };
        let text = here(delegation(true, &["cpu", "io"])).to_string();
        assert_eq!(
            text,
            "cuddy is in session-3.scope of user-1000.slice, and the group /cg/u is delegated to it without the \
             controllers cpu, io"
        );
        let text = here(delegation(false, &[])).to_string();
        assert!(text.contains("/cg/u is not delegated to it; start it where one is"), "{text}");
        let text =
            Surroundings { in_namespace: true, container: Some("podman".into()), ..Surroundings::default() };
        assert_eq!(
            text.to_string(),
            "cuddy is in no unit of systemd, in a container of podman, in a cgroup namespace of its own"
        );
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let layout = crate::cgroups().unwrap();
        let here = surroundings(&layout);
        assert_eq!(here.delegation.is_some(), layout.v2.is_some());
        assert!(here.to_string().starts_with("cuddy is in "));
    }
}
