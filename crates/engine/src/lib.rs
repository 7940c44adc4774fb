//! Containers for people: from the options of a command line to a running container.
//!
//! ```text
//!   arguments ──(cli)──▶ RunOptions ─┐
//!   ROOT ──────(root)──▶ Root ───────┼─(config)─▶ spec::Config ─(run)─▶ planner, executor ─▶ exit code
//!   machine ──(facts)──▶ Facts ──────┘
//! ```
//!
//! [`options`] is what the user typed, [`facts`] what the machine says, [`config`] the pure function of
//! both. What is done while a container runs is the runtime's. Nothing here prints.

pub mod config;
mod error;
pub mod facts;
pub mod id;
pub mod options;
pub mod prepare;
pub mod root;
pub mod run;
pub mod user;

pub use error::Error;
pub use sys::words;
