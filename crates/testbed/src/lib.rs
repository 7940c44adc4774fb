//! What the tests that need a real kernel share.
//!
//! Such a test says what it needs of the machine, makes a bundle, starts a container with the program under test, and
//! lets the probe tell what the inside looks like:
//!
//! ```no_run
//! use std::process::ExitCode;
//! use serde_json::json;
//! use testbed::{Bundle, Need, trial};
//!
//! fn main() -> ExitCode {
//!     testbed::main([trial("the hostname is the configured one", [Need::Root], || {
//!         let mut bundle = Bundle::probe();
//!         bundle.edit(|config| config["hostname"] = json!("web"));
//!         assert_eq!(bundle.report().hostname, "web");
//!     })])
//! }
//! ```
//!
//! The test's package has `harness = false` for it. Everything that is made is removed when its value is dropped, also
//! when the test fails; nothing here touches what it did not make.

#![warn(missing_docs)]

mod binary;
mod bundle;
mod config;
mod container;
mod fixture;
#[cfg(feature = "harness")]
mod harness;
pub mod kernel;
pub mod limits;
mod loop_device;
mod machine;
mod need;
mod qemu;
mod run;
mod scratch;
mod terminal;
pub mod uml;
mod user;

pub use binary::binary;
pub use bundle::{Bundle, copy_program};
pub use container::{Container, cuddy, cuddy_oci, unique_name};
pub use fixture::{debian_tar, debian_with_systemd};
#[cfg(feature = "harness")]
pub use harness::{Trial, again_on_v2, main, main_also_on_v2, trial};
pub use kernel::Kernel;
pub use loop_device::LoopDevice;
pub use machine::Machine;
pub use need::Need;
pub use run::{Done, ends_within, input, run, run_within};
pub use scratch::Scratch;
pub use terminal::Terminal;
pub use user::User;
