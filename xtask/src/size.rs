//! `cargo xtask size`: the runtime stays small.

use std::fs;

use anyhow::{Result, ensure};

use crate::workspace;

/// What `cuddy-oci` may weigh, in bytes.
const LIMIT: u64 = 2_000_000;

/// Builds `cuddy-oci` as it is released, which strips it, and weighs it.
pub fn run() -> Result<()> {
    let size = fs::metadata(workspace::release_binary("cuddy-oci", "cuddy-oci")?)?.len();
    println!("cuddy-oci: {size} of {LIMIT} bytes");
    ensure!(size <= LIMIT, "cuddy-oci is too large by {} bytes", size - LIMIT);
    Ok(())
}
