//! keyctl(2), as far as a container needs it.

use crate::check;
use std::ffi::CStr;
use std::io;

const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;

/// Makes a new session keyring of this name and joins it.
///
/// # Errors
/// The errno of the call: `ENOSYS` on a kernel without keyrings, `EDQUOT` past the user's quota.
pub fn join_session(name: &CStr) -> io::Result<()> {
    // SAFETY: name is null-terminated and lives across the call.
    check(unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr()) }).map(drop)
}
