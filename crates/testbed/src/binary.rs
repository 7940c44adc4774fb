//! The programs under test.

use std::env;
use std::path::{Path, PathBuf};

/// The path of a program of this workspace (`probe`, `cuddy`, `cuddy-oci`), built with the profile of the test.
///
/// # Panics
/// If it has not been built, with the command that builds it. Cargo builds the programs of a test's own package, and with
/// `--workspace` all of them, but not those of other packages.
pub fn binary(name: &str) -> PathBuf {
    let path = profile_dir().join(name);
    assert!(path.is_file(), "{} is missing: cargo build --package {name}", path.display());
    path
}

/// Where cargo puts this build's programs: target/TUPLE/PROFILE.
pub(crate) fn profile_dir() -> PathBuf {
    let this = env::current_exe().expect("a program has a path");
    let dir = this.parent().expect("a program is in a directory");
    // Test programs are in `deps`.
    match dir.file_name() {
        Some(name) if name == "deps" => dir.parent().unwrap_or(dir).to_owned(),
        _ => dir.to_owned(),
    }
}

/// Where results that outlive a test run are kept: target/testbed.
pub(crate) fn cache_dir() -> PathBuf {
    let profile = profile_dir();
    profile.ancestors().nth(2).unwrap_or(Path::new("/tmp")).join("testbed")
}
