//! What the planner may know of the machine, as plain data.
//!
//! The `host` crate fills these in; nothing here asks the kernel anything.

use crate::unit::Manager;
use serde::{Deserialize, Serialize};
use spec::CapabilitySet;
use std::path::PathBuf;

/// The machine that a plan is made for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// Kernel version, like `(6, 18)`.
    pub kernel: (u32, u32),
    /// Effective user id of the runtime.
    pub uid: u32,
    /// Effective group id of the runtime.
    pub gid: u32,
    /// Effective capabilities of the runtime.
    pub capabilities: CapabilitySet,
    /// The last capability the kernel has, by number (`/proc/sys/kernel/cap_last_cap`).
    pub last_capability: u8,
    /// Whether SELinux is on, so that mounts and processes can have a label.
    pub selinux: bool,
    /// Whether AppArmor is on, so that processes can have a profile.
    pub apparmor: bool,
    /// The version of Landlock; 0 where it is not there or not on.
    pub landlock: u32,
    /// Whether the new mount calls (`fsopen`, `open_tree`, `mount_setattr`) are let through.
    pub new_mount_api: bool,
    /// Control groups.
    pub cgroups: CgroupLayout,
    /// The manager of systemd that makes the groups, where one shall.
    pub systemd: Option<Systemd>,
    /// Cache and memory bandwidth control, if its file system is mounted.
    pub resctrl: Option<Resctrl>,
    /// What an ordinary user, or root of a user namespace, may do here; `None`: the runtime is root of the machine.
    pub rootless: Option<Rootless>,
}

/// A runtime that is not root of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rootless {
    /// Whether it is in a user namespace that is not the initial one.
    pub in_user_namespace: bool,
    /// Whether it may copy mounts where it is: it has CAP_SYS_ADMIN over its mount namespace.
    pub may_mount: bool,
    /// Whether setgroups(2) is allowed in its user namespace, and hence in those made from there.
    pub setgroups: bool,
    /// Its own score for the out-of-memory killer: who is not root can only raise it.
    pub oom_score_adj: i32,
    /// newuidmap(1), if it is installed.
    pub newuidmap: Option<PathBuf>,
    /// newgidmap(1), if it is installed.
    pub newgidmap: Option<PathBuf>,
    /// Mount points of hierarchies in which it may not make the container's group.
    pub closed: Vec<PathBuf>,
}

impl HostFacts {
    /// Whether mounts of the machine can be copied by a process that is in no new user namespace.
    #[must_use]
    pub fn may_mount(&self) -> bool {
        self.rootless.as_ref().is_none_or(|rootless| rootless.may_mount)
    }

    /// Whether the runtime is in a user namespace that is not the initial one.
    #[must_use]
    pub fn in_user_namespace(&self) -> bool {
        self.rootless.as_ref().is_some_and(|rootless| rootless.in_user_namespace)
    }
}

/// A manager of systemd.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Systemd {
    /// Which one.
    pub manager: Manager,
    /// Its version, like 252.
    pub version: u32,
    /// The group below which all of its units are, from the root of each hierarchy.
    pub group: PathBuf,
}

/// The mounted resctrl file system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resctrl {
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The groups that exist in it.
    pub groups: Vec<String>,
}

/// How control groups are mounted: v1 only, v2 only, or v1 with a v2 tree beside it (hybrid).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupLayout {
    /// The v1 hierarchies, by mount point.
    pub v1: Vec<CgroupV1>,
    /// The v2 hierarchy.
    pub v2: Option<CgroupV2>,
}

/// One v1 hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupV1 {
    /// Its controllers, as in `/proc/self/cgroup`: `cpu`, `cpuacct`, or a name like `name=systemd`.
    pub controllers: Vec<String>,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The group of the runtime itself, from the root of the hierarchy: `/` or `/a/b`.
    pub own: PathBuf,
}

/// The v2 hierarchy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupV2 {
    /// Where it is mounted.
    pub mount: PathBuf,
    /// Controllers that its root offers (`cgroup.controllers`).
    pub controllers: Vec<String>,
    /// The group of the runtime itself, from the root of the hierarchy.
    pub own: PathBuf,
    /// The part that groups are made in, where the rest is somebody else's; `None`: it is all ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegated: Option<Delegated>,
}

/// A part of the v2 hierarchy (cgroups(7), "Cgroups v2 delegation").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegated {
    /// The directory of the group below which groups are made.
    pub group: PathBuf,
    /// Controllers that it was given (`cgroup.controllers`).
    pub controllers: Vec<String>,
}

impl CgroupV2 {
    /// Controllers that groups of ours can have.
    #[must_use]
    pub fn given(&self) -> &[String] {
        self.delegated.as_ref().map_or(&self.controllers, |delegated| &delegated.controllers)
    }
}

impl CgroupLayout {
    /// Whether the v2 hierarchy is the only one.
    #[must_use]
    pub fn is_unified(&self) -> bool {
        self.v1.is_empty() && self.v2.is_some()
    }

    /// The v1 hierarchy that has `controller`.
    #[must_use]
    pub fn v1_with(&self, controller: &str) -> Option<&CgroupV1> {
        self.v1.iter().find(|hierarchy| hierarchy.controllers.iter().any(|c| c == controller))
    }
}
