//! unshare(2) and ioctl_ns(2).

use crate::check;
use rustix::fd::{AsFd, AsRawFd};
use std::io;

/// `CLONE_NEWNET`.
pub const NETWORK: u64 = libc::CLONE_NEWNET as u64;

const NS_GET_NSTYPE: libc::Ioctl = 0xb703;

/// Makes new namespaces for this process, `CLONE_NEW*` bits.
///
/// # Errors
/// The errno of the call.
pub fn unshare(namespaces: u64) -> io::Result<()> {
    // SAFETY: CLONE_NEW* bits change which kernel objects this process sees, never its memory or its
    // descriptor table; any other bit is cut off here.
    check(unsafe { libc::unshare((namespaces & ALL) as libc::c_int) }.into()).map(drop)
}

/// Every `CLONE_NEW*` bit.
pub(crate) const ALL: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64
    | 0x80;

/// The `CLONE_NEW*` bit of a namespace file.
///
/// # Errors
/// `ENOTTY` when the file is not a namespace.
pub fn kind(file: impl AsFd) -> io::Result<u64> {
    // SAFETY: NS_GET_NSTYPE takes no argument.
    check(unsafe { libc::ioctl(file.as_fd().as_raw_fd(), NS_GET_NSTYPE) }.into()).map(|kind| kind as u64)
}

/// Joins the namespace of a file; `kind` is its `CLONE_NEW*` bit.
///
/// # Errors
/// The errno of setns(2).
pub fn enter(file: impl AsFd, kind: u64) -> io::Result<()> {
    // SAFETY: setns(2) changes which kernel objects this process sees, never its memory.
    check(unsafe { libc::setns(file.as_fd().as_raw_fd(), kind as libc::c_int) }.into()).map(drop)
}
