//! The OCI runtime specification, version 1.3, as Rust types.
//!
//! These are the documents that other programs write and read: `config.json` ([`Config`]) and the
//! state ([`State`]). Field names, meanings and units are the specification's; the section a type
//! comes from is named at the type. Unknown properties are ignored, as the specification asks
//! (config.md, "Extensibility"). Nothing here opens a file.
//!
//! An `Option` in these types means that the document left the property out. What that absence
//! *means* is decided once, by the planner.

mod capability;
mod container_id;
mod hooks;
mod json;
mod landlock;
mod linux;
mod mount;
mod process;
mod resources;
mod seccomp;
mod state;
mod strict;

pub use capability::{Capability, CapabilitySet, UnknownCapability};
pub use container_id::{ContainerId, InvalidId};
pub use hooks::{Hook, HookKind, Hooks};
pub use json::{JsonError, MAX_VALUES, from_slice};
pub use landlock::{LANDLOCK, Landlock, PathRule};
pub use linux::{
    Device, DeviceKind, IdMapping, IntelRdt, Linux, MemoryPolicy, Namespace, NamespaceKind, NetDevice,
    Personality, TimeOffset,
};
pub use mount::{Mount, inside};
pub use process::{Capabilities, ConsoleSize, ExecCpuAffinity, IoPriority, Process, Rlimit, Scheduler, User};
pub use resources::{
    BlockIo, Cpu, DeviceRule, HugepageLimit, InterfacePriority, Memory, Network, Pids, Rdma, Resources,
    ThrottleDevice, WeightDevice,
};
pub use seccomp::{Seccomp, SeccompArg, SyscallRule};
pub use state::{State, Status};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The version of the runtime specification that these types follow.
pub const VERSION: &str = "1.3.0";

/// The whole of `config.json` (config.md).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Version of the specification that the bundle follows, in SemVer.
    pub oci_version: String,
    /// The container's root file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// The container's process. Needed by `start`, not by `create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The host name seen in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The NIS domain name seen in the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// Mounts beyond the root, made in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// Programs run at points of the container's life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Hooks>,
    /// Free metadata, also shown in the state.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What only Linux has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linux: Option<Linux>,
}

impl Config {
    /// Reads a configuration from the bytes of a `config.json`.
    ///
    /// # Errors
    /// As for [`from_slice`].
    pub fn from_slice(json: &[u8]) -> Result<Self, JsonError> {
        from_slice(json)
    }
}

/// The root file system (config.md, "Root").
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Root {
    /// Absolute, or relative to the bundle.
    pub path: PathBuf,
    /// Whether the root is read-only inside the container.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub readonly: bool,
}
