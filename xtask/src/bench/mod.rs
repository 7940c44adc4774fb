//! `cargo xtask bench`: how long things take, beside what others take for the same.

use anyhow::{Result, bail};

mod common;
mod life;
mod peers;
mod report;
mod start;

/// Runs the bench that the arguments name.
pub fn run(mut args: lexopt::Parser) -> Result<()> {
    match args.value()?.to_string_lossy().as_ref() {
        "life" => life::run(args),
        "start" => start::run(args),
        other => bail!("no bench `{other}`; there are `start` and `life`"),
    }
}
