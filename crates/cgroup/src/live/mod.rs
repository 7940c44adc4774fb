//! A group that exists: what runs in it, what it uses, and its end.
//!
//! Everything is done through descriptors of the directories that [`Cgroup::open`] was given: no path is followed
//! twice, and nothing outside those directories is reached. The group of the caller and the roots of hierarchies are
//! refused.

mod change;
mod cpuset;
mod devices;
mod error;
mod freeze;
mod kill;
mod oom;
mod remove;
mod statistics;
mod update;
mod wait;

pub use change::Change;
pub use cpuset::inherit_cpuset;
pub use devices::NewProgram;
pub use error::Error;
pub use oom::OomWatch;
pub use remove::{end, remove};
pub use statistics::{
    CpuStatistics, DeviceStatistics, MemoryStatistics, OomReport, PidsStatistics, Statistics,
};
pub use update::{Difference, Reading};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, StatxAttributes, StatxFlags, fstatfs, openat, statx,
};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// `CGROUP_SUPER_MAGIC` and `CGROUP2_SUPER_MAGIC` of `linux/magic.h`.
const V1_MAGIC: i64 = 0x0027_e0eb;
const V2_MAGIC: i64 = 0x6367_7270;

/// A group, by its directories in one or more hierarchies.
#[derive(Debug)]
pub struct Cgroup {
    directories: Vec<Directory>,
}

/// The group in one hierarchy.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    version: Version,
    fd: OwnedFd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

impl Cgroup {
    /// Opens a group by its directories. Those that do not exist are passed over: a start that was cut short has
    /// made some of them, and a removal that was, has left some.
    ///
    /// # Errors
    /// A path that is no cgroup, or is the root of a hierarchy.
    pub fn open<P: AsRef<Path>>(directories: impl IntoIterator<Item = P>) -> Result<Self, Error> {
        let opened = directories.into_iter().filter_map(|path| Directory::open(path.as_ref()).transpose());
        Ok(Self { directories: opened.collect::<Result<_, _>>()? })
    }

    /// Whether none of the directories exists.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.directories.is_empty()
    }

    /// What a file of the group holds, in the first hierarchy that has it, v1's before v2's; `None`: none has.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn text(&self, file: &str) -> Result<Option<String>, Error> {
        for version in [Version::V1, Version::V2] {
            if let Some((_, text)) = self.find(version, file)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn of(&self, version: Version) -> impl Iterator<Item = &Directory> {
        self.directories.iter().filter(move |directory| directory.version == version)
    }

    /// The directory that has a file, and what it holds.
    fn find(&self, version: Version, file: &str) -> Result<Option<(&Directory, String)>, Error> {
        for directory in self.of(version) {
            match read_at(&directory.fd, file) {
                Ok(text) => return Ok(Some((directory, text))),
                Err(Errno::NOENT | Errno::NODEV | Errno::OPNOTSUPP) => {}
                Err(source) => return Err(directory.unreadable(file, source)),
            }
        }
        Ok(None)
    }
}

impl Directory {
    fn open(path: &Path) -> Result<Option<Self>, Error> {
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let fd = match open_directory(CWD, path) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        let refuse = |problem| Err(Error::NotAGroup { path: path.to_owned(), problem });
        let version = match fstatfs(&fd).map_err(failed)?.f_type {
            V1_MAGIC => Version::V1,
            V2_MAGIC => Version::V2,
            _ => return refuse("is not in a cgroup file system"),
        };
        let stat = statx(&fd, c"", AtFlags::EMPTY_PATH, StatxFlags::INO).map_err(failed)?;
        if stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) {
            return refuse("is the root of a hierarchy, which belongs to the machine");
        }
        Ok(Some(Self { path: path.to_owned(), version, fd }))
    }

    fn write(&self, file: &str, value: &str) -> Result<(), Error> {
        write_at(&self.fd, file, value).map_err(|source| Error::Write {
            file: self.path.join(file),
            value: value.to_owned(),
            source,
        })
    }

    fn unreadable(&self, file: &str, source: Errno) -> Error {
        Error::Read { file: self.path.join(file), source }
    }

    fn malformed(&self, file: &str, text: &str) -> Error {
        Error::Malformed { file: self.path.join(file), text: text.to_owned() }
    }

    /// Calls `visit` with this group and every group below, the highest first. Groups that go away meanwhile are
    /// passed over.
    fn each(&self, visit: &mut dyn FnMut(&OwnedFd) -> Result<(), Errno>) -> Result<(), Error> {
        walk(&self.fd, visit).map_err(|source| Error::Open { path: self.path.clone(), source })
    }
}

fn walk(group: &OwnedFd, visit: &mut dyn FnMut(&OwnedFd) -> Result<(), Errno>) -> Result<(), Errno> {
    match visit(group) {
        Ok(()) | Err(Errno::NOENT | Errno::NODEV) => {}
        Err(error) => return Err(error),
    }
    for child in children(group)? {
        match open_directory(group, &child) {
            Ok(child) => walk(&child, visit)?,
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Names of the groups below one.
fn children(group: &OwnedFd) -> Result<Vec<PathBuf>, Errno> {
    use std::os::unix::ffi::OsStrExt;
    let mut names = Vec::new();
    for entry in Dir::read_from(group)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if entry.file_type() == FileType::Directory && name != b"." && name != b".." {
            names.push(Path::new(std::ffi::OsStr::from_bytes(name)).to_owned());
        }
    }
    Ok(names)
}

fn open_directory(at: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
}

fn read_at(group: &OwnedFd, file: &str) -> Result<String, Errno> {
    let fd = openat(group, file, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())?;
    read_all(&fd)
}

/// Reads a file from its beginning.
fn read_all(fd: &OwnedFd) -> Result<String, Errno> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match rustix::io::pread(fd, &mut chunk, bytes.len() as u64) {
            Ok(0) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

fn write_at(group: &OwnedFd, file: &str, value: &str) -> Result<(), Errno> {
    let fd = openat(group, file, OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())?;
    // The kernel takes a setting in one write or refuses it.
    rustix::io::retry_on_intr(|| rustix::io::write(&fd, value.as_bytes())).map(drop)
}
