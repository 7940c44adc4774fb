//! JSON documents on disk: read whole, and no more than is sensible.

use crate::Error;
use rustix::fs::{FileType, Mode, OFlags};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;

/// What a configuration, or a process for `exec`, may have, in bytes. Usual are some thousand; the kernel takes 2 MiB of
/// arguments and environment (execve(2)). runc and crun read what there is.
pub const LIMIT: u64 = 4 << 20;

/// What a record of ours may have: the annotations are in it, and what undoes the start.
const RECORD_LIMIT: u64 = 2 * LIMIT;

/// Reads a document that the caller names: a file, or a pipe that he writes to.
///
/// # Errors
/// The file cannot be read, has more than [`LIMIT`] bytes, or is not what it should be; names it and the property.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let file = File::open(path).map_err(Error::file("cannot read", path))?;
    parse(path, &bytes(LIMIT, path, &file, 0)?)
}

/// Reads a document from standard input.
///
/// # Errors
/// As for [`read`].
pub fn read_input<T: DeserializeOwned>() -> Result<T, Error> {
    let name = Path::new("standard input");
    let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(Error::file("cannot read", name))?;
    parse(name, &bytes(LIMIT, name, &input.into(), 0)?)
}

/// Reads the `config.json` of a bundle: what it says, and as it is written.
pub(crate) fn read_config(path: &Path) -> Result<(spec::Config, Vec<u8>), Error> {
    let (file, size) = open(path)?;
    let json = bytes(LIMIT, path, &file, size)?;
    Ok((parse(path, &json)?, json))
}

/// Reads a record of ours.
pub(crate) fn read_record(path: &Path) -> Result<crate::Record, Error> {
    let (file, size) = open(path)?;
    parse(path, &bytes(RECORD_LIMIT, path, &file, size)?)
}

/// Opens a file of a directory that may be anybody's, and tells its size: a named pipe in its place must not keep us waiting.
fn open(path: &Path) -> Result<(File, u64), Error> {
    let told = |error: std::io::Error| Error::reading(path, error);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| told(errno.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|errno| told(errno.into()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        // To read a directory fails with words of its own.
        FileType::RegularFile | FileType::Directory => Ok((file.into(), stat.st_size as u64)),
        _ => Err(told(std::io::Error::other("it is not a regular file"))),
    }
}

/// All of a file, if it has no more than the limit; `size`: what it probably has.
fn bytes(limit: u64, path: &Path, file: &File, mut size: u64) -> Result<Vec<u8>, Error> {
    let told = |error| Error::reading(path, error);
    let mut json = Vec::new();
    if size <= limit {
        // Room for one byte more, which tells that there are no more.
        json.reserve_exact(size as usize + 1);
        // What is no file has no size, and a file may grow.
        file.take(limit + 1).read_to_end(&mut json).map_err(told)?;
        size = json.len() as u64;
    }
    if size > limit {
        return Err(Error::TooLarge { path: path.to_owned(), size, limit });
    }
    Ok(json)
}

fn parse<T: DeserializeOwned>(path: &Path, json: &[u8]) -> Result<T, Error> {
    spec::from_slice(json).map_err(|error| Error::Config { path: path.to_owned(), error })
}
