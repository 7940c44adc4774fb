//! `cargo xtask tidy`: the invariants of the design that a program can check.
//!
//! Each check returns what it found, one line for each violation, with the file or the crate first. They run as a test too,
//! so that none is broken unseen.

use anyhow::{Result, bail};

mod dependencies;
mod licences;
mod sources;

/// What the checks found.
#[derive(Default)]
struct Findings {
    /// Broken invariants.
    errors: Vec<String>,
    /// What should be looked at.
    warnings: Vec<String>,
}

/// Checks everything; it is an error if an invariant is broken.
pub fn run() -> Result<()> {
    let mut findings = Findings::default();
    dependencies::check(&mut findings)?;
    licences::check(&mut findings)?;
    sources::check(&mut findings)?;
    for warning in &findings.warnings {
        eprintln!("tidy: warning: {warning}");
    }
    if !findings.errors.is_empty() {
        bail!("the tree is not tidy:\n  {}", findings.errors.join("\n  "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        if let Err(error) = super::run() {
            panic!("{error}");
        }
    }
}
