//! Attributes of this process.

use crate::check;
use std::io;

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

/// Ends this process at once: no destructor, no buffered output, which after a fork is the parent's.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit(2) does not return and runs nothing of ours.
    unsafe { libc::_exit(code) }
}
