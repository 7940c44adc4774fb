//! `cargo xtask lint`: what has to hold before anything is tested.

use anyhow::Result;

use crate::{tidy, workspace};

/// Format, clippy and the invariants of the design.
pub fn run() -> Result<()> {
    workspace::run(workspace::cargo().args(["fmt", "--all", "--check"]))?;
    workspace::run(workspace::cargo().args(["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    workspace::run(workspace::cargo().args(clippy))?;
    tidy::run()
}
