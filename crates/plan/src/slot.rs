use serde::{Serialize, Serializer};
use spec::NamespaceKind;
use std::fmt;

/// A descriptor that is known only at run time.
///
/// Assigned once, by one step or by the caller, and owned by the executor; printed as `$root`. Slots
/// filled by the host's script before `clone3` are init's as well. init's pid is not a slot: only
/// `clone3` gives it and only the host's script uses it, as `$init_pid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The top directory of the container's root mount.
    Root,
    /// A mount that is not attached yet, by the planner's count.
    Mount(u16),
    /// A namespace to be joined.
    Namespace(NamespaceKind),
    /// The init of a running container whose namespaces are joined.
    Target,
    /// The v2 group that init is born in.
    Cgroup,
    /// init, for poll(2) and pidfd_send_signal(2).
    InitPidfd,
    /// The machine's `/proc`, proven to be procfs (CVE-2025-52881).
    Proc,
    /// A socket of the machine's network, netlink(7).
    Netlink,
    /// cuddy's own binary, through a read-only mount (CVE-2019-5736).
    Cuddy,
    /// A user namespace whose id mapping mounts get, by the planner's count.
    IdMap(u16),
    /// The machine's `/dev/null`, proven to be that device (CVE-2025-31133).
    Null,
    /// An empty, read-only tmpfs.
    Empty,
    /// Our end of a new pseudo terminal.
    Console,
    /// The container's end of it.
    Terminal,
    /// Where [`Slot::Console`] is sent.
    ConsoleSocket,
    /// What tells of calls that a filter asks somebody about.
    Listener,
    /// Where a created container listens for `start`.
    StartSocket,
    /// criu's end of the socket over which it is told what to do.
    Criu,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$root"),
            Self::Mount(n) => write!(f, "$mount_{n}"),
            Self::Namespace(kind) => write!(f, "$ns_{}", kind.file_name()),
            Self::Target => f.write_str("$target_pidfd"),
            Self::Cgroup => f.write_str("$cgroup"),
            Self::InitPidfd => f.write_str("$init_pidfd"),
            Self::Proc => f.write_str("$proc"),
            Self::Netlink => f.write_str("$netlink"),
            Self::Cuddy => f.write_str("$cuddy"),
            Self::IdMap(n) => write!(f, "$id_map_{n}"),
            Self::Null => f.write_str("$null"),
            Self::Empty => f.write_str("$empty"),
            Self::Console => f.write_str("$console"),
            Self::Terminal => f.write_str("$terminal"),
            Self::ConsoleSocket => f.write_str("$console_socket"),
            Self::Listener => f.write_str("$listener"),
            Self::StartSocket => f.write_str("$start_socket"),
            Self::Criu => f.write_str("$criu"),
        }
    }
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
