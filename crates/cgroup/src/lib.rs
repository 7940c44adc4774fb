//! Control groups (cgroups(7)): what a container's limits mean to the kernel.
//!
//! Five parts:
//!
//! - [`table`]: every setting is one row, with its name in the OCI specification, its file and its text in v1
//!   and in v2, and its systemd property. All else that deals with settings goes through it.
//! - [`group()`]: a pure function from the limits of a config and the layout of a machine to a [`Group`]: the
//!   directories to make, the files to write and the groups to join, as data that can be printed.
//! - [`group_of_unit`]: the same where systemd makes the group, with what systemd is told.
//! - [`live`]: a group that exists: its processes, statistics, freezing, updating, ending and removing.
//! - [`text`]: what the kernel writes in the files of one, as values.
//!
//! ```
//! use plan::facts::{CgroupLayout, CgroupV2};
//! use spec::{Memory, Resources};
//!
//! let controllers = ["cpu", "io", "memory", "pids"].map(String::from).to_vec();
//! let v2 = CgroupV2 { mount: "/sys/fs/cgroup".into(), controllers, own: "/".into(), delegated: None };
//! let layout = CgroupLayout { v1: vec![], v2: Some(v2) };
//! let memory = Memory { limit: Some(200 << 20), ..Memory::default() };
//! let resources = Resources { memory: Some(memory), ..Resources::default() };
//!
//! let group = cgroup::group(&resources, &layout, None, &"web".parse()?)?;
//! let limit = group.settings.last().unwrap();
//! assert_eq!(limit.file.to_str(), Some("/sys/fs/cgroup/cuddy-web/memory.max"));
//! assert_eq!(limit.value, "209715200");
//! assert_eq!(limit.pointer, "/linux/resources/memory/limit");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
pub mod device;
mod error;
mod group;
mod list;
pub mod live;
mod path;
mod refusal;
mod settings;
pub mod table;
pub mod text;
mod unit;

pub use error::Error;
pub use group::{Group, Inherit, group};
pub use list::{List, NotAList};
pub use refusal::advice;
pub use settings::{Fallback, Setting};
pub use unit::{UnitGroup, group_of_unit};

/// Where limits stand in `config.json`: what the pointers of settings and errors begin with.
pub const RESOURCES: &str = "/linux/resources";
