//! A container start as plain data.
//!
//! A [`Plan`] says everything that will be done to the kernel to start a container: two scripts of
//! [`Step`]s, one for the process that creates the container (`host`) and one for the process that
//! becomes it (`init`). The planner writes it, the executor performs it, and the renderings of
//! [`render`] print it: one value, so that what is printed is what is done.
//!
//! ```text
//!   host ──▶ cgroups ──▶ clone3 ──▶ id maps, joins ──▶ record ─────▶ send start ──▶ (end of file: exec'd)
//!                          │              │                               │
//!   init                   └─▶ mounts ────┴─ await cgroups ─▶ pivot, ids ─┴─ await start ──▶ execve
//! ```
//!
//! The scripts meet at named [`Rendezvous`]; what is known only at run time lives in [`Slot`]s. There is
//! no control flow: on an error a step fails, or ignores errnos that it lists. [`check`] proves
//! the rest before anything is forked.

pub mod check;
mod constant;
pub mod facts;
mod hook;
pub mod landlock;
mod mount;
mod numbers;
mod op;
pub mod render;
mod slot;
mod undo;
pub mod unit;
mod words;

pub use constant::{
    Constant, IO_CLASSES, MEMORY_FLAGS, MEMORY_MODES, PERSONALITIES, SCHEDULING_FLAGS, SCHEDULING_POLICIES,
};
pub use hook::Hook;
pub use landlock::Landlock;
pub use mount::{Attr, Propagation};
pub use numbers::Numbers;
pub use op::{
    BpfInstruction, Follow, IdKind, MountPoint, NEW_LISTENER, NetworkPlace, Op, Rendezvous, RlimitResource,
    Subject, Target, TreeSource, Within,
};
pub use slot::Slot;
pub use undo::Undo;
pub use unit::Unit;

/// The words of the specification that steps are made of.
pub use spec::{Capability, CapabilitySet, DeviceKind, HookKind, NamespaceKind, State, Status};

use serde::Serialize;
use std::borrow::Cow;

/// Everything that starting one container does to the kernel.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// Descriptors that the caller puts in place before the first step.
    pub given: Vec<Slot>,
    /// Done by the process that creates the container.
    pub host: Script,
    /// Done by the process that becomes it.
    pub init: Script,
    /// What undoes those changes that outlive a failed start; run last to first, and by `delete`.
    pub undo: Vec<Undo>,
}

/// The steps of one process, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Script(pub Vec<Step>);

impl Script {
    /// Adds a step that must succeed.
    pub fn push(&mut self, op: Op, cause: Cause) {
        self.0.push(Step { op, cause, ignore: Vec::new() });
    }

    /// Adds a step that may fail with the errnos given.
    pub fn push_tolerant(&mut self, op: Op, cause: Cause, ignore: &[Errno]) {
        self.0.push(Step { op, cause, ignore: ignore.to_vec() });
    }
}

/// One operation, why it is there, and which failures of it do not matter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// What is done.
    #[serde(flatten)]
    pub op: Op,
    /// Who asked for it.
    pub cause: Cause,
    /// Errors after which the script goes on. Any other ends the start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Errno>,
}

/// Who asked for a step, and why it is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// A JSON pointer into the configuration (`/mounts/0`), an option, or `default`.
    pub from: Cow<'static, str>,
    /// One line for somebody who learns.
    pub why: &'static str,
}

impl Cause {
    /// A cause with a place that is known only when the plan is made.
    #[must_use]
    pub fn new(from: impl Into<Cow<'static, str>>, why: &'static str) -> Self {
        Self { from: from.into(), why }
    }
}

/// Which of the two scripts a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The process that creates the container.
    Host,
    /// The process that becomes it.
    Init,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Init => "init",
        })
    }
}

impl Plan {
    /// The script of one side.
    #[must_use]
    pub fn script(&self, side: Side) -> &[Step] {
        match side {
            Side::Host => &self.host.0,
            Side::Init => &self.init.0,
        }
    }

    /// The place of a step in the whole plan, counted from one: first the host's, then init's.
    #[must_use]
    pub fn number(&self, side: Side, index: usize) -> usize {
        match side {
            Side::Host => index + 1,
            Side::Init => self.host.0.len() + index + 1,
        }
    }

    /// How many steps there are.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.host.0.len() + self.init.0.len()
    }
}

/// An error number that a step may pass over, by its name in errno(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Errno {
    /// Operation not permitted.
    EPERM,
    /// No such file or directory.
    ENOENT,
    /// Permission denied.
    EACCES,
    /// Device or resource busy.
    EBUSY,
    /// File exists.
    EEXIST,
    /// No such device.
    ENODEV,
    /// Not a directory.
    ENOTDIR,
    /// Invalid argument.
    EINVAL,
    /// Read-only file system.
    EROFS,
    /// No such system call.
    ENOSYS,
    /// Not supported.
    EOPNOTSUPP,
    /// Nobody listens.
    ECONNREFUSED,
    /// Quota exceeded.
    EDQUOT,
}

impl Errno {
    /// Its number on every architecture that cuddy runs on (`asm-generic/errno.h`).
    #[must_use]
    pub const fn raw(self) -> i32 {
        match self {
            Self::EPERM => 1,
            Self::ENOENT => 2,
            Self::EACCES => 13,
            Self::EBUSY => 16,
            Self::EEXIST => 17,
            Self::ENODEV => 19,
            Self::ENOTDIR => 20,
            Self::EINVAL => 22,
            Self::EROFS => 30,
            Self::ENOSYS => 38,
            Self::EOPNOTSUPP => 95,
            Self::ECONNREFUSED => 111,
            Self::EDQUOT => 122,
        }
    }
}
