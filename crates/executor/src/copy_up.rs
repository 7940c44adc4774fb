//! What a directory of the image has, copied into a file system that is not attached yet (`tmpcopyup`).
//!
//! The image is nobody's friend: every name is opened below the descriptor of its directory, no link is
//! followed and no other mount is entered, so whatever is swapped meanwhile, nothing outside is read. The
//! copy is not attached anywhere, so nobody else can touch it.

use crate::failure::Error;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, RawMode, ResolveFlags, Stat, Timespec, Timestamps, Uid,
    XattrFlags,
};
use rustix::io::Errno;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;

/// How many directories may lie in each other; three descriptors are open for each.
const DEPTH: usize = 200;

/// Copies the content of a directory, and what the directory itself is but for its mode if that is given
/// otherwise.
pub(crate) fn copy(from: BorrowedFd, to: BorrowedFd, keeps_mode: bool) -> Result<(), Error> {
    let from = open(from, c".", OFlags::RDONLY | OFlags::DIRECTORY)?;
    let to = open(to, c".", OFlags::RDONLY | OFlags::DIRECTORY)?;
    let stat = rustix::fs::fstat(&from)?;
    content(from.as_fd(), to.as_fd(), DEPTH)?;
    let mode = if keeps_mode { rustix::fs::fstat(&to)?.st_mode } else { stat.st_mode };
    attributes(from.as_fd(), to.as_fd(), &stat, mode)
}

/// Gives `to` the mode that `from` has.
pub(crate) fn copy_mode(from: BorrowedFd, to: BorrowedFd) -> Result<(), Error> {
    let mode = rustix::fs::fstat(from)?.st_mode;
    let to =
        rustix::fs::openat(to, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::fs::fchmod(&to, permissions(mode))?)
}

fn permissions(mode: RawMode) -> Mode {
    Mode::from_raw_mode(mode & 0o7777)
}

/// Opens a name of a directory, and nothing that is elsewhere.
fn open(directory: BorrowedFd, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // So that a fifo keeps nobody waiting; openat2(2) does not take it beside O_PATH.
    let flags = if flags.contains(OFlags::PATH) { flags } else { flags | OFlags::NONBLOCK };
    sys::path::open(directory, OsStr::from_bytes(name.to_bytes()), flags, Mode::empty(), resolve)
}

fn content(from: BorrowedFd, to: BorrowedFd, depth: usize) -> Result<(), Error> {
    for entry in Dir::read_from(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        one(from, to, name, depth).map_err(|error| named(error, name))?;
    }
    Ok(())
}

/// Puts the name in front of what went wrong.
fn named(error: Error, name: &CStr) -> Error {
    let words = error.words();
    let separator = if matches!(&error, Error::Told { .. }) { "/" } else { ": " };
    Error::told(error.errno(), format!("{}{separator}{words}", name.to_string_lossy()))
}

/// Copies one name. Its kind is asked of the descriptor that is then read, not of the name.
fn one(from: BorrowedFd, to: BorrowedFd, name: &CStr, depth: usize) -> Result<(), Error> {
    let handle = match open(from, name, OFlags::PATH) {
        // A mount lies there; what it covers is not reached, and the mount is not the image's.
        Err(Errno::XDEV) => return Ok(()),
        // Gone since the directory was read.
        Err(Errno::NOENT) => return Ok(()),
        // With no link followed, this one is a link.
        Err(Errno::LOOP) => return link(from, to, name),
        handle => handle?,
    };
    let stat = rustix::fs::fstat(&handle)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => link(from, to, name),
        FileType::Directory => directory(from, to, name, depth),
        FileType::RegularFile => file(from, to, name),
        _ => special(to, name, &stat),
    }
}

fn link(from: BorrowedFd, to: BorrowedFd, name: &CStr) -> Result<(), Error> {
    let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let target = rustix::fs::readlinkat(from, name, Vec::new())?;
    rustix::fs::symlinkat(&target, to, name)?;
    own(to, name, &stat)?;
    Ok(rustix::fs::utimensat(to, name, &times(&stat), AtFlags::SYMLINK_NOFOLLOW)?)
}

fn directory(from: BorrowedFd, to: BorrowedFd, name: &CStr, depth: usize) -> Result<(), Error> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::told(Errno::LOOP, format!("more than {DEPTH} directories in each other")));
    };
    let from = open(from, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let stat = rustix::fs::fstat(&from)?;
    rustix::fs::mkdirat(to, name, Mode::RWXU)?;
    let to = open(to, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
    content(from.as_fd(), to.as_fd(), depth)?;
    attributes(from.as_fd(), to.as_fd(), &stat, stat.st_mode)
}

fn file(from: BorrowedFd, to: BorrowedFd, name: &CStr) -> Result<(), Error> {
    let from = open(from, name, OFlags::RDONLY)?;
    let stat = rustix::fs::fstat(&from)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Error::told(Errno::AGAIN, "it was swapped for something else meanwhile"));
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let to = rustix::fs::openat(to, name, flags, Mode::RUSR | Mode::WUSR)?;
    // To the size that it had, so that a file which is written to meanwhile has an end.
    let mut left = stat.st_size as u64;
    while left > 0 {
        match rustix::fs::sendfile(&to, &from, None, left.min(1 << 30) as usize)? {
            0 => break,
            copied => left = left.saturating_sub(copied as u64),
        }
    }
    attributes(from.as_fd(), to.as_fd(), &stat, stat.st_mode)
}

/// A fifo, a socket or a device.
fn special(to: BorrowedFd, name: &CStr, stat: &Stat) -> Result<(), Error> {
    let kind = FileType::from_raw_mode(stat.st_mode);
    rustix::fs::mknodat(to, name, kind, permissions(stat.st_mode), stat.st_rdev)?;
    own(to, name, stat)?;
    Ok(rustix::fs::utimensat(to, name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)?)
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as _ },
    }
}

/// Owner, attributes, mode, times: each changes what stands before it in this list (chown(2) takes
/// set-user-id bits and file capabilities away).
fn attributes(from: BorrowedFd, to: BorrowedFd, stat: &Stat, mode: RawMode) -> Result<(), Error> {
    own(to, c"", stat)?;
    extended(from, to)?;
    rustix::fs::fchmod(to, permissions(mode))?;
    Ok(rustix::fs::futimens(to, &times(stat))?)
}

/// An owner that has no id in the user namespace is nobody there; the file stays with root then.
fn own(to: BorrowedFd, name: &CStr, stat: &Stat) -> Result<(), Errno> {
    let (user, group) = (Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
    match rustix::fs::chownat(to, name, user, group, flags) {
        Err(Errno::INVAL) => Ok(()),
        result => result,
    }
}

/// Extended attributes, xattr(7). Those that a tmpfs or a user namespace cannot have are left out, as `cp -a`
/// does: labels come from the security module, `trusted.` is for the machine's root.
fn extended(from: BorrowedFd, to: BorrowedFd) -> Result<(), Error> {
    let mut names = vec![0; 64 * 1024];
    let length = match rustix::fs::flistxattr(from, &mut names) {
        Err(Errno::NOTSUP) => return Ok(()),
        length => length?,
    };
    let mut value = Vec::new();
    for name in names[..length].split_inclusive(|byte| *byte == 0) {
        let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
        if name == c"security.selinux" {
            continue;
        }
        value.resize(64 * 1024, 0);
        let length = rustix::fs::fgetxattr(from, name, &mut value)?;
        match rustix::fs::fsetxattr(to, name, &value[..length], XattrFlags::empty()) {
            Ok(()) | Err(Errno::NOTSUP | Errno::PERM) => {}
            Err(errno) => {
                return Err(Error::told(
                    errno,
                    format!("{}: {}", name.to_string_lossy(), sys::words(&errno.into())),
                ));
            }
        }
    }
    Ok(())
}
