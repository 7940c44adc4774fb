use crate::unit::Unit;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// How one lasting change of the machine is undone.
///
/// Namespaces, mounts in one of the container's own and processes end with the container and need no entry. The list is
/// written to disk before the machine is changed, so that `delete` can clean up after a runtime that was
/// killed. Each entry is safe to run when its change was never made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Ends what runs in a cgroup and removes it with all below it.
    RemoveCgroup(PathBuf),
    /// Takes off the mount that a note is about, with all that is mounted in it, if it still is on that place.
    #[expect(missing_docs, reason = "the fields are named in the line above")]
    Unmount { place: PathBuf, note: PathBuf },
    /// Removes a group of resctrl; who is still in it falls back to the one above.
    RemoveResctrlGroup(PathBuf),
    /// Stops the unit of systemd that the cgroups are.
    StopUnit(Unit),
    /// Removes a directory with all in it.
    RemoveDirectory(PathBuf),
}

impl Undo {
    /// The cgroup that is removed, if this is about one.
    #[must_use]
    pub fn cgroup(&self) -> Option<&Path> {
        match self {
            Self::RemoveCgroup(path) => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RemoveCgroup(path) => write!(f, "remove cgroup {}", path.display()),
            Self::Unmount { place, .. } => write!(f, "unmount {}", place.display()),
            Self::RemoveResctrlGroup(path) => write!(f, "remove the resctrl group {}", path.display()),
            Self::StopUnit(unit) => write!(f, "stop {unit}"),
            Self::RemoveDirectory(path) => write!(f, "remove directory {}", path.display()),
        }
    }
}
