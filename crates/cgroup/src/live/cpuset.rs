//! Giving a new v1 cpuset what it needs before a process can join.

use super::{Error, open_directory, read_at, write_at};
use rustix::fs::CWD;
use std::path::Path;

/// Fills `cpuset.cpus` and `cpuset.mems` of `directory`, where they are empty, from the group above, and those of that
/// group from the one above it, up to `mount`, the root of the hierarchy ([`crate::Inherit`]).
///
/// # Errors
/// A file cannot be read or written, or `directory` is not below `mount`.
pub fn inherit_cpuset(directory: &Path, mount: &Path) -> Result<(), Error> {
    if !directory.starts_with(mount) {
        return Err(Error::NotAGroup {
            path: directory.to_owned(),
            problem: "is not in the hierarchy given",
        });
    }
    fill(directory, mount, "cpuset.cpus")?;
    fill(directory, mount, "cpuset.mems").map(drop)
}

/// Fills one file and returns what it holds then.
fn fill(directory: &Path, mount: &Path, file: &str) -> Result<String, Error> {
    let fd = open_directory(CWD, directory)
        .map_err(|source| Error::Open { path: directory.to_owned(), source })?;
    let own = read_at(&fd, file).map_err(|source| Error::Read { file: directory.join(file), source })?;
    let own = own.trim();
    let above = directory.parent().filter(|_| directory != mount);
    let Some(above) = above.filter(|_| own.is_empty()) else { return Ok(own.to_owned()) };
    let value = fill(above, mount, file)?;
    write_at(&fd, file, &value).map_err(|source| Error::Write {
        file: directory.join(file),
        value: value.clone(),
        source,
    })?;
    Ok(value)
}
