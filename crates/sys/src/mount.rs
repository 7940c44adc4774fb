//! mount_setattr(2), Linux 5.12.

use crate::check;
use rustix::fd::{AsFd, AsRawFd};
use std::ffi::CStr;
use std::io;

/// `struct mount_attr`: what is set and cleared.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Attributes {
    /// `MOUNT_ATTR_*` bits to set.
    pub set: u64,
    /// `MOUNT_ATTR_*` bits to clear first.
    pub clear: u64,
    /// One of the `MS_` propagation bits, or 0 to leave it.
    pub propagation: u64,
    /// With `MOUNT_ATTR_IDMAP`: the user namespace whose mappings apply.
    pub userns_fd: u64,
}

/// Changes the mount that `path` below `directory` is on; with an empty path, the one that `directory` is.
///
/// # Errors
/// The errno of the call: `EINVAL` where the path is no mount point, `EPERM` where a user namespace may
/// not change what is locked.
pub fn set_attributes(
    directory: impl AsFd,
    path: &CStr,
    recursive: bool,
    attributes: &Attributes,
) -> io::Result<()> {
    let mut flags = if recursive { libc::AT_RECURSIVE } else { 0 };
    if path.is_empty() {
        flags |= libc::AT_EMPTY_PATH;
    }
    // SAFETY: path is null-terminated, attributes has the layout of struct mount_attr and the size given;
    // both live across the call and the kernel only reads them.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            directory.as_fd().as_raw_fd(),
            path.as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<Attributes>(),
        )
    })
    .map(drop)
}
