//! Attributes of this process.

use crate::check;
use rustix::process::Pid;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Sets a resource limit, by its number (`RLIMIT_*`); `u64::MAX` means none.
///
/// # Errors
/// `EPERM` for a hard limit above the present one without `CAP_SYS_RESOURCE`.
pub fn set_rlimit(resource: u32, soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit64 { rlim_cur: soft, rlim_max: hard };
    // SAFETY: limit lives across the call, which only reads it; pid 0 is this process.
    check(unsafe { libc::prlimit64(0, resource, &raw const limit, std::ptr::null_mut()) }.into()).map(drop)
}

/// Whether other processes of the same user may look into this one (`PR_SET_DUMPABLE`).
///
/// # Errors
/// The errno of prctl(2).
pub fn set_dumpable(dumpable: bool) -> io::Result<()> {
    // SAFETY: plain integers.
    check(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(dumpable), 0, 0, 0) }.into())
        .map(drop)
}

/// Sets the execution domain, personality(2).
///
/// # Errors
/// The errno of the call.
pub fn set_personality(domain: u64) -> io::Result<()> {
    // SAFETY: a plain integer.
    check(unsafe { libc::personality(domain as libc::c_ulong) }.into()).map(drop)
}

/// The process of a pidfd, by the number that it has here (its maker may know it by another); `None`: it has been
/// reaped, or has no number in this pid namespace (proc_pid_fdinfo(5)).
///
/// # Errors
/// The descriptor is no pidfd, or `/proc` cannot be read.
pub fn pid_of(pidfd: BorrowedFd) -> io::Result<Option<Pid>> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))?;
    let pid: Option<i32> = info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    let pid = pid.ok_or_else(|| io::Error::other("the descriptor is no pidfd"))?;
    Ok(Some(pid).filter(|pid| *pid > 0).and_then(Pid::from_raw))
}

/// Ends this process at once: no destructor, no buffered output, which after a fork is the parent's.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit(2) does not return and runs nothing of ours.
    unsafe { libc::_exit(code) }
}
