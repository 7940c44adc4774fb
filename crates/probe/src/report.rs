//! Everything that a process can see of the container around it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What `probe` without a subcommand prints. All ids are those of the namespaces that the probe is in.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The process itself.
    pub process: Process,
    /// Who it is.
    pub ids: Ids,
    /// What it may do.
    pub capabilities: Capabilities,
    /// Namespace file (`pid`, `time_for_children`, …) to the inode that names the namespace.
    pub namespaces: BTreeMap<String, u64>,
    /// `/proc/self/mountinfo`, in its order.
    pub mounts: Vec<Mount>,
    /// The UTS namespace's host name.
    pub hostname: String,
    /// The UTS namespace's domain name.
    pub domainname: String,
    /// Limits by name, such as `RLIMIT_NOFILE`.
    pub rlimits: BTreeMap<String, Rlimit>,
    /// Open descriptors, without the one that lists them.
    pub descriptors: Vec<Descriptor>,
    /// `/proc/self/cgroup`, one entry for each hierarchy.
    pub cgroups: Vec<Cgroup>,
    /// Network interfaces with their addresses.
    pub interfaces: Vec<Interface>,
    /// Processes that `/proc` shows.
    pub pids: Vec<u32>,
    /// Everything below `/dev`.
    pub devices: Vec<Device>,
    /// The time namespace and the clocks that it shifts.
    pub clocks: Clocks,
    /// The terminal on the standard descriptors.
    pub terminal: Terminal,
    /// The values asked for with `--sysctl NAME`; none if it cannot be read.
    pub sysctls: BTreeMap<String, Option<String>>,
    /// What could not be found out, with the reason; the fields of that part have their defaults.
    pub unknown: BTreeMap<String, String>,
}

impl Report {
    /// The mount that is visible at this mount point: the last one, as later mounts cover earlier ones.
    pub fn mount(&self, point: &str) -> Option<&Mount> {
        self.mounts.iter().rev().find(|mount| mount.point == point)
    }

    /// The entry of this path below `/dev`, as `/dev/null`.
    pub fn device(&self, path: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.path == path)
    }

    /// The cgroup path of this controller, `name=systemd`, or "" for version 2.
    pub fn cgroup(&self, controller: &str) -> Option<&str> {
        let entry = self.cgroups.iter().find(|cgroup| match controller {
            "" => cgroup.controllers.is_empty(),
            name => cgroup.controllers.iter().any(|other| other == name),
        });
        entry.map(|cgroup| cgroup.path.as_str())
    }
}

/// The probe's own process.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// The parent's id; 0 when the parent is in another pid namespace.
    pub ppid: u32,
    /// Session id; 0 when its leader is in another pid namespace.
    pub sid: u32,
    /// Process group id; 0 when its leader is in another pid namespace.
    pub pgid: u32,
    /// File mode creation mask.
    pub umask: u32,
    /// Working directory as getcwd(2) gives it: `(unreachable)…` when it is outside the root.
    pub cwd: String,
    /// Where `/proc/self/exe` points.
    pub exe: String,
    /// Arguments, the program's name first.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Whether execve(2) may no longer grant privileges.
    pub no_new_privs: bool,
    /// Seccomp mode: 0 none, 1 strict, 2 filter.
    pub seccomp: u32,
    /// How many seccomp filters are attached.
    pub seccomp_filters: u32,
    /// PR_GET_DUMPABLE: 0 not, 1 as the user, 2 as root only.
    pub dumpable: u32,
    /// What the OOM killer adds, -1000 to 1000.
    pub oom_score_adj: i32,
    /// personality(2) flags.
    pub personality: u32,
    /// The machine that uname(2) tells of.
    pub machine: String,
    /// How it is scheduled.
    pub scheduling: Scheduling,
    /// Processors that it may run on, as `0-3,7`.
    pub cpus: String,
    /// The memory policy of its first mapping in `/proc/self/numa_maps`, as `bind:0`.
    pub memory_policy: Option<String>,
    /// The label of the security module, if one is active.
    pub lsm: Option<String>,
    /// The descriptions of the keyrings in `/proc/keys`, such as `_ses.NAME`.
    pub keyrings: Vec<String>,
}

/// sched(7), from `/proc/self/stat`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduling {
    /// `SCHED_*` by number: 0 other, 1 FIFO, 2 RR, 3 batch, 5 idle, 6 deadline.
    pub policy: u32,
    /// From -20 to 19.
    pub nice: i32,
    /// Of a real-time policy, from 1 to 99.
    pub priority: u32,
}

/// User and group ids, and how they map to the parent user namespace.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Ids {
    /// Real, effective, saved and file system user id.
    pub uids: [u32; 4],
    /// Real, effective, saved and file system group id.
    pub gids: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// `/proc/self/uid_map`.
    pub uid_map: Vec<IdMap>,
    /// `/proc/self/gid_map`.
    pub gid_map: Vec<IdMap>,
    /// `/proc/self/setgroups`: `allow` or `deny`.
    pub setgroups: String,
}

/// A line of an id map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// First id in this namespace.
    pub inside: u32,
    /// First id in the parent namespace.
    pub outside: u32,
    /// How many ids.
    pub count: u32,
}

/// The five capability sets, as names such as `CAP_KILL`. One that the probe has no name for is `CAP_41`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Kept over execve(2) when the file has them inheritable too.
    pub inheritable: BTreeSet<String>,
    /// What may be made effective.
    pub permitted: BTreeSet<String>,
    /// What the kernel checks.
    pub effective: BTreeSet<String>,
    /// What no execve(2) can go beyond.
    pub bounding: BTreeSet<String>,
    /// Kept over execve(2) of programs without file capabilities.
    pub ambient: BTreeSet<String>,
}

/// A line of mountinfo; see proc_pid_mountinfo(5).
#[derive(Debug, Serialize, Deserialize)]
pub struct Mount {
    /// Mount id.
    pub id: u64,
    /// The mount that it is on.
    pub parent: u64,
    /// Which directory of the file system is mounted.
    pub root: String,
    /// Where it is mounted, from the root of the process.
    pub point: String,
    /// File system type.
    pub fstype: String,
    /// What was mounted.
    pub source: String,
    /// Options of this mount (`ro`, `nosuid`, …).
    pub options: Vec<String>,
    /// Options of the file system.
    pub super_options: Vec<String>,
    /// `shared:N`, `master:N`, `propagate_from:N`, `unbindable`; empty for a private mount.
    pub propagation: Vec<String>,
}

impl Mount {
    /// Whether the mount has this option (`ro`, `nosuid`, `nodev`, …).
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|other| other == option)
    }
}

/// A resource limit; none is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// What is enforced.
    pub soft: Option<u64>,
    /// How far the soft limit may be raised.
    pub hard: Option<u64>,
}

/// An open descriptor.
#[derive(Debug, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its number.
    pub fd: u32,
    /// What `/proc/self/fd/N` points to.
    pub target: String,
    /// Access mode and status flags by name (`O_RDWR`, `O_APPEND`, `O_CLOEXEC`, …).
    pub flags: Vec<String>,
}

/// Membership in one cgroup hierarchy.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cgroup {
    /// Hierarchy id; 0 for version 2.
    pub hierarchy: u32,
    /// Controllers, or `name=NAME`; empty for version 2.
    pub controllers: Vec<String>,
    /// The cgroup as the cgroup namespace shows it.
    pub path: String,
}

/// A network interface.
#[derive(Debug, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// IFF_UP.
    pub up: bool,
    /// Addresses with prefix length, as `127.0.0.1/8`.
    pub addresses: Vec<String>,
}

/// A file below `/dev`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Device {
    /// Its path.
    pub path: String,
    /// `char`, `block`, `link`, `dir`, `file`, `fifo` or `socket`.
    pub kind: String,
    /// Permission bits, as 0o666.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// Major and minor number of a character or block device.
    pub number: Option<(u32, u32)>,
    /// Where a link points.
    pub target: Option<String>,
}

/// Clocks that a time namespace shifts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Clocks {
    /// `/proc/self/timens_offsets`: clock name to seconds and nanoseconds.
    pub offsets: BTreeMap<String, (i64, i64)>,
    /// CLOCK_BOOTTIME in seconds.
    pub boottime: f64,
    /// CLOCK_MONOTONIC in seconds.
    pub monotonic: f64,
}

/// The terminal of the standard descriptors.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Terminal {
    /// Which of descriptors 0, 1, 2 are terminals.
    pub isatty: [bool; 3],
    /// The name of the terminal on descriptor 0.
    pub name: Option<String>,
    /// Rows and columns of the terminal on descriptor 0.
    pub size: Option<(u16, u16)>,
    /// Whether the session has a controlling terminal: `/dev/tty` can be opened.
    pub controlling: bool,
    /// The foreground process group of the terminal.
    pub foreground: Option<u32>,
}
