use plan::{Hook, Undo, Unit};
use serde::{Deserialize, Serialize};
use spec::{ContainerId, NamespaceKind};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is remembered about a container, in its `begun.json` and then its `state.json`.
///
/// Written before the machine is changed, so that what was begun can be undone, and again when init's pid
/// is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its name.
    pub id: ContainerId,
    /// Absolute path of its bundle.
    pub bundle: PathBuf,
    /// Absolute path of its root file system, as the configuration has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rootfs: Option<PathBuf>,
    /// Seconds since 1970 at which it was created.
    pub created: u64,
    /// User id of who created it.
    pub owner: u32,
    /// Annotations of the configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Its process; left out until there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<Init>,
    /// Namespaces that are not the machine's.
    pub namespaces: Vec<NamespaceKind>,
    /// Its cgroup in each hierarchy.
    pub cgroups: Vec<PathBuf>,
    /// That of them in the v2 hierarchy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unified: Option<PathBuf>,
    /// That of them in v1's freezer hierarchy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freezer: Option<PathBuf>,
    /// What undoes it.
    pub undo: Vec<Undo>,
    /// Hooks that run after its start and after its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
}

impl Record {
    /// The unit of systemd that its cgroups are, if one is.
    pub(crate) fn unit(&self) -> Option<&Unit> {
        self.undo.iter().find_map(|undo| match undo {
            Undo::StopUnit(unit) => Some(unit),
            _ => None,
        })
    }
}

/// A process, told from any other that ever had or will have its pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Init {
    /// Its pid in the runtime's namespace.
    pub pid: i32,
    /// Clock ticks after boot at which it started (proc_pid_stat(5), field 22).
    pub start_time: u64,
    /// The boot, `/proc/sys/kernel/random/boot_id`.
    pub boot: String,
}
