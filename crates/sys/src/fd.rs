//! Descriptors by number, at the few places where a number is all there is.

use crate::check;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Closes every descriptor from `first` on, but for those of `keep` (close_range(2)). For a process that is about to
/// become a program, or to end: nothing else that it owns may be used any more.
///
/// # Errors
/// The errno of the call.
pub fn close_from_but<'a>(first: u32, keep: impl Iterator<Item = BorrowedFd<'a>>) -> io::Result<()> {
    let mut keep: Vec<u32> = keep.map(|fd| fd.as_raw_fd() as u32).filter(|fd| *fd >= first).collect();
    keep.sort_unstable();
    let starts = [first].into_iter().chain(keep.iter().map(|fd| fd + 1));
    let ends = keep.iter().map(|fd| fd.wrapping_sub(1)).chain([u32::MAX]);
    for (start, end) in starts.zip(ends).filter(|(start, end)| start <= end) {
        // SAFETY: what is closed here belongs to values of the process that this one is a copy of; the copy goes on
        // with `keep` alone, as the caller promises, and never drops the rest: it ends by execve(2) or _exit(2).
        check(unsafe { libc::syscall(libc::SYS_close_range, start, end, 0) })?;
    }
    Ok(())
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

/// Leaves descriptors to the program that this process is about to become, at the numbers from `first` on.
/// Whatever is at these numbers is closed: everything that is still to be used has to be above them.
///
/// # Errors
/// The errno of fcntl(2) or dup3(2).
pub fn give(descriptors: Vec<OwnedFd>, first: RawFd) -> io::Result<()> {
    let above = first + RawFd::try_from(descriptors.len()).unwrap_or(RawFd::MAX);
    // All of them first: one may be where another has to go.
    let moved = descriptors.into_iter().map(|descriptor| {
        let moved = rustix::io::fcntl_dupfd_cloexec(&descriptor, above)?;
        Ok(moved)
    });
    let moved = moved.collect::<io::Result<Vec<OwnedFd>>>()?;
    for (number, descriptor) in (first..).zip(moved) {
        // SAFETY: plain integers. What is closed at `number` has no owner who still uses it: the caller is
        // the copy of a process that does nothing more than to execute a program, as documented.
        let given = check(unsafe { libc::dup2(descriptor.as_raw_fd(), number) }.into())?;
        debug_assert_eq!(given, number.into());
    }
    Ok(())
}
