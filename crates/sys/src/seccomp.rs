//! seccomp(2).

use crate::check;
use std::io;

const SET_MODE_FILTER: libc::c_uint = 1;

/// Loads a filter of classic BPF for this thread and all it will start.
///
/// # Errors
/// The errno of the call: `EACCES` with neither `no_new_privs` nor `CAP_SYS_ADMIN`, `EINVAL` for a
/// program that the kernel refuses or a flag it does not know.
pub fn set_filter(flags: u32, program: &[libc::sock_filter]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: filter points to len instructions that live across the call; the kernel only reads them.
    check(unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, &raw const program) }).map(drop)
}
