//! The manager of systemd that makes a container's group.

use crate::Error;
use crate::kernel::read;
use plan::facts::{Delegated, HostFacts, Systemd};
use plan::unit::Manager;
use std::path::Path;

/// Which manager is asked for groups: the machine's for root, a user's own for everybody else, who may be root in a user
/// namespace.
///
/// # Errors
/// It cannot be reached; says what was tried.
pub fn systemd() -> Result<Systemd, Error> {
    let map = read("/proc/self/uid_map")?;
    let manager =
        which(rustix::process::geteuid().is_root(), &map, Path::new("/run/systemd/system").is_dir());
    let about = systemd::Systemd::connect(manager).and_then(|mut systemd| systemd.about())?;
    Ok(Systemd { manager, version: about.version, group: about.group })
}

/// What of the hierarchies is a manager's to make groups in: to that of a user systemd delegates a part of v2, and of v1 only
/// the hierarchy in which it keeps track of units.
pub fn managed(facts: &mut HostFacts, systemd: &Systemd) {
    let Some(rootless) = facts.rootless.as_mut().filter(|_| systemd.manager == Manager::User) else { return };
    let tracking = facts.cgroups.v1_with("name=systemd");
    let others = facts.cgroups.v1.iter().filter(|v1| Some(*v1) != tracking);
    rootless.closed = others.map(|v1| v1.mount.clone()).collect();
    if let Some(v2) = &mut facts.cgroups.v2 {
        let group = v2.mount.join(systemd.group.strip_prefix("/").unwrap_or(&systemd.group));
        let controllers = crate::cgroups::controllers(&group).unwrap_or_default();
        v2.delegated = Some(Delegated { group, controllers });
    }
}

/// A user namespace with a systemd of its own is a whole machine in a container (`/run/systemd/system` is there where
/// systemd was booted, sd_booted(3)); else who is root in one is a user outside.
fn which(is_root: bool, uid_map: &str, booted: bool) -> Manager {
    let everybody = uid_map.split_whitespace().eq(["0", "0", "4294967295"]);
    if is_root && (everybody || (booted && !has_manager())) { Manager::System } else { Manager::User }
}

/// Whether the environment names a user's own manager.
fn has_manager() -> bool {
    ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"].iter().any(|name| std::env::var_os(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_the_machines_manager() {
        let all = "         0          0 4294967295\n";
        assert_eq!(which(true, all, false), Manager::System);
        assert_eq!(which(false, all, true), Manager::User);
        assert_eq!(which(true, "0 1000 1\n", false), Manager::User);
    }
}
