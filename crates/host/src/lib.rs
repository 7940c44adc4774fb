//! What this machine is: kernel, privileges, control groups.
//!
//! [`probe`] asks the kernel and answers with plain data ([`HostFacts`]); nothing is changed. It is part of
//! every container start, so it makes a few dozen system calls and reads no file that grows with the
//! machine: `/proc/self/mountinfo` is opened only where a hierarchy is not at its usual place.

mod cgroups;
mod error;
mod kernel;
mod manager;
pub mod membership;
pub mod mountinfo;
mod resctrl;
mod rootless;
mod surroundings;

pub use cgroups::cgroups;
pub use error::Error;
pub use kernel::NO_NEW_MOUNT_API;
pub use manager::{managed, systemd};
pub use resctrl::resctrl;
pub use rootless::{closed, delegated, in_user_namespace};
pub use surroundings::{Delegation, Surroundings, surroundings};

use plan::facts::HostFacts;

/// Everything that the planner may know of this machine, but for systemd, which is asked only where it makes the groups
/// ([`systemd()`]).
///
/// # Errors
/// A file under `/proc` or `/sys/fs/cgroup` cannot be read or is not in the form that proc(5) and
/// cgroups(7) describe; the error names it. A machine without control groups is no error: the layout is empty.
pub fn probe() -> Result<HostFacts, Error> {
    Ok(HostFacts {
        new_mount_api: kernel::new_mount_api(),
        cgroups: cgroups()?,
        resctrl: resctrl()?,
        ..privileges()?
    })
}

/// What a plan for one more process in a container needs of that: nothing is mounted, and the groups are known.
///
/// # Errors
/// As for [`probe`].
pub fn privileges() -> Result<HostFacts, Error> {
    Ok(HostFacts {
        kernel: kernel::version()?,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        capabilities: kernel::capabilities()?,
        last_capability: kernel::last_capability()?,
        selinux: kernel::selinux(),
        apparmor: kernel::apparmor(),
        landlock: sys::landlock::abi(),
        rootless: rootless::rootless()?,
        ..HostFacts::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_kernel_and_a_last_capability() {
        let facts = probe().unwrap();
        assert!(facts.kernel >= (5, 15), "{:?}", facts.kernel);
        assert!(facts.last_capability >= 40);
    }

    #[test]
    fn every_hierarchy_found_has_the_group_of_this_process() {
        let layout = cgroups().unwrap();
        let groups =
            layout.v1.iter().map(|h| (&h.mount, &h.own)).chain(layout.v2.iter().map(|h| (&h.mount, &h.own)));
        for (mount, own) in groups {
            let group = mount.join(own.strip_prefix("/").unwrap());
            assert!(group.join("cgroup.procs").exists(), "{}", group.display());
        }
    }
}
