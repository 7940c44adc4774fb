//! The life of a container: what is on disk, and what each command does to it.
//!
//! ```text
//!   RUN_ROOT/containers/ID/
//!     lock         held while a command changes the container (fcntl locks: gone with their process)
//!     begun.json   the record of a start, written under a temporary name and renamed
//!     state.json   the same, once init is known and the container is made
//!     config.json  the configuration that it was made from, for `exec`: that of the bundle may change
//!     start.sock   there while the container is created and waits for `start`
//! ```
//!
//! The record says how to find the container and how to undo it; it never says whether it lives: that is
//! asked of the kernel each time (pid, start time and boot id).

mod bundle;
pub mod console;
mod create;
mod criu;
pub mod document;
mod error;
mod events;
mod exec;
mod foreground;
mod hooks;
mod life;
mod limits;
mod liveness;
mod members;
mod notify;
mod pidfd_socket;
mod reaper;
mod record;
mod root;
mod store;
mod subgroup;
pub mod supervise;
pub mod terminal;
mod update;
mod usage;

pub use bundle::Bundle;

pub use create::{Created, Request, facts};
pub use criu::{CheckpointOptions, CriuOptions, Failure as CriuFailure, ManageCgroups, RestoreRequest};
pub use error::Error;
pub use events::Event;
pub use exec::{ExecRequest, Target};
pub use foreground::Foreground;
pub use life::{Ended, signal_number};
pub use notify::Notify;
pub use pidfd_socket::PidfdSocket;
pub use record::Record;
pub use root::default_root;
pub use store::{Container, Store};
pub use subgroup::Subgroup;
