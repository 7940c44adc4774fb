//! A mount on the machine, told from any other on the same place.
//!
//! Its identity is written down while it is not attached yet, since it stays the same. Linux 6.8 and newer give no two
//! mounts the same number (statx(2), `STATX_MNT_ID_UNIQUE`); older ones give that of one that is gone to a new one, so
//! what is mounted has to be the same, too.

use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;
use std::io;
use std::path::Path;

const UNIQUE: StatxFlags = StatxFlags::from_bits_retain(0x4000);

/// Number of the mount, and device and inode of its top.
fn identity(mount: BorrowedFd) -> Result<String, Errno> {
    let top = rustix::fs::statx(mount, c"", AtFlags::EMPTY_PATH, UNIQUE | StatxFlags::INO)?;
    Ok(format!("{} {}:{} {}\n", top.stx_mnt_id, top.stx_dev_major, top.stx_dev_minor, top.stx_ino))
}

/// Writes down which mount this is.
pub(crate) fn note(mount: BorrowedFd, file: &Path) -> io::Result<()> {
    std::fs::write(file, identity(mount)?)
}

/// Takes off the mount that was noted, if there is a note and it is on that place.
pub(crate) fn unmount(place: &Path, note: &Path) -> io::Result<()> {
    let noted = match std::fs::read_to_string(note) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        noted => noted?,
    };
    let there = match rustix::fs::openat(CWD, place, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        there => there?,
    };
    if identity(there.as_fd())? != noted {
        return Ok(());
    }
    // Through the descriptor: what is at the path may be another mount by now.
    let found = format!("/proc/self/fd/{}", there.as_raw_fd());
    match rustix::mount::unmount(found, UnmountFlags::DETACH) {
        // It is noted and was never attached, or is in another mount namespace.
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
