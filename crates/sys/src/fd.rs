//! Descriptors by number, at the two places where a number is all there is.

use crate::check;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Marks every descriptor from `first` on close-on-exec (close_range(2)).
///
/// # Errors
/// The errno of the call.
pub fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: the call changes descriptor flags only; nothing is closed under an owner.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) })
        .map(drop)
}

/// Takes over a descriptor that the process was started with, like a socket passed by number.
///
/// # Errors
/// `EBADF` when nothing is open at that number; `EINVAL` for standard input, output and error, which
/// belong to the whole process.
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    if number <= 2 {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: F_SETFD takes an integer; it also tells whether the descriptor is open.
    check(unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) }.into())?;
    // SAFETY: it is open (checked), above the standard three, and came from before main: the caller
    // names it once, from the environment that announced it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
