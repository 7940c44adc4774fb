//! Containers for people: from the options of a command line to a running container.
//!
//! ```text
//!   arguments ──(cli)──▶ RunOptions ─┐
//!   ROOT ──────(root)──▶ Root ───────┼─(config)─▶ spec::Config ─(run)─▶ planner, executor ─▶ exit code
//!   machine ──(facts)──▶ Facts ──────┘
//! ```
//!
//! [`options`] is what the user typed, [`facts`] what the machine says, [`config`] the pure function of
//! both. Nothing here prints.

pub mod options;
