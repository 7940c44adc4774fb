//! Our own binary, out of the container's reach (CVE-2019-5736).
//!
//! A process of the container can open `/proc/PID/exe` of ours while we are inside it, and write to it
//! once we are gone. So we run from a mount of our own that is read-only and attached nowhere: what is
//! opened through it cannot be opened for writing, and nobody has a path to remount it.

use crate::exec::exec_file;
use crate::mount::{self, Attributes};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{OpenTreeFlags, open_tree};
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

const SELF: &str = "/proc/self/exe";
const RDONLY: u64 = 0x01;

/// Whether the binary that this process runs can be opened for writing through `/proc/self/exe`.
///
/// # Errors
/// The errno of statfs(2).
pub fn is_writable() -> io::Result<bool> {
    let flags = rustix::fs::statvfs(SELF)?.f_flag;
    Ok(!flags.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// Starts this program anew, with the same arguments and environment, from a read-only mount of its
/// binary that is attached nowhere. Does nothing where it already runs from a read-only mount.
///
/// # Errors
/// The errno of the call that failed. Without privileges open_tree(2) fails with `EPERM`; then there is
/// also no way for a container to become more than we are.
pub fn protect() -> io::Result<()> {
    if !is_writable()? {
        return Ok(());
    }
    let strings = |items: &mut dyn Iterator<Item = Vec<u8>>| -> io::Result<Vec<CString>> {
        items.map(|item| CString::new(item).map_err(io::Error::other)).collect()
    };
    let args = strings(&mut std::env::args_os().map(OsStringExt::into_vec))?;
    let env = strings(&mut std::env::vars_os().map(|(name, value)| {
        let mut entry = name.into_vec();
        entry.push(b'=');
        entry.extend(value.into_vec());
        entry
    }))?;
    Err(exec_file(detached()?, &args, &env))
}

/// Our binary, open for executing, through a read-only mount that is attached nowhere.
///
/// # Errors
/// The errno of open_tree(2) or mount_setattr(2).
pub fn read_only() -> io::Result<OwnedFd> {
    // A mount that is attached nowhere cannot be cloned (`EINVAL`), and need not be.
    if !is_writable()? {
        return Ok(rustix::fs::open(SELF, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?);
    }
    detached()
}

fn detached() -> io::Result<OwnedFd> {
    let tree = open_tree(CWD, SELF, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
    mount::set_attributes(&tree, c"", false, &Attributes { set: RDONLY, ..Attributes::default() })?;
    Ok(tree)
}
