//! Our own binary, out of the container's reach (CVE-2019-5736).
//!
//! A process of the container can open `/proc/PID/exe` of ours while we are inside it, and write to it
//! once we are gone. So we run from a mount of our own that is read-only and attached nowhere: what is
//! opened through it cannot be opened for writing, and nobody has a path to remount it.
//!
//! Where no such mount is to be had (no privileges, a filter of an outer container, a binary on a mount that may not
//! be copied) it is a copy in memory, sealed against every change.

use crate::exec::exec_file;
use crate::mount::{self, Attributes};
use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

const SELF: &str = "/proc/self/exe";
const RDONLY: u64 = 0x01;

/// What nobody can take off again.
const SEALS: SealFlags =
    SealFlags::SEAL.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::WRITE);

/// Whether the binary that this process runs could be changed through `/proc/self/exe`.
///
/// # Errors
/// The errno of statfs(2) or open(2).
pub fn is_writable() -> io::Result<bool> {
    let flags = rustix::fs::statvfs(SELF)?.f_flag;
    Ok(!flags.contains(rustix::fs::StatVfsMountFlags::RDONLY) && !is_sealed()?)
}

/// Whether it is a copy of ours; a file on a disk has no seals (`EINVAL`).
fn is_sealed() -> io::Result<bool> {
    let own = rustix::fs::open(SELF, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::fs::fcntl_get_seals(own).is_ok_and(|seals| seals.contains(SEALS)))
}

/// Starts this program anew, with the same arguments and environment, from what nobody can write. Does nothing where it
/// already runs from there.
///
/// # Errors
/// The errno of the call that failed, where neither way is to be had.
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
    Err(exec_file(out_of_reach()?, &args, &env))
}

/// Our binary, open for executing: through a read-only mount that is attached nowhere, or as a sealed copy.
///
/// # Errors
/// The errno of memfd_create(2) or what comes after it, where the mount was refused.
pub fn read_only() -> io::Result<OwnedFd> {
    // A mount that is attached nowhere cannot be cloned (`EINVAL`), and need not be.
    if !is_writable()? {
        return Ok(rustix::fs::open(SELF, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?);
    }
    out_of_reach()
}

fn out_of_reach() -> io::Result<OwnedFd> {
    detached_mount().or_else(|_| sealed_copy())
}

fn detached_mount() -> io::Result<OwnedFd> {
    let tree = open_tree(CWD, SELF, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
    mount::set_attributes(&tree, c"", false, &Attributes { set: RDONLY, ..Attributes::default() })?;
    Ok(tree)
}

/// A copy in memory. It takes as much as the binary is large, for as long as it runs.
fn sealed_copy() -> io::Result<OwnedFd> {
    let own = rustix::fs::open(SELF, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Since Linux 6.3 it has to be said that it will be executed; before, the flag is unknown (memfd_create(2)).
    let copy = match rustix::fs::memfd_create(c"cuddy", flags | MemfdFlags::EXEC) {
        Err(Errno::INVAL) => rustix::fs::memfd_create(c"cuddy", flags)?,
        copy => copy?,
    };
    rustix::fs::fchmod(&copy, Mode::from_raw_mode(0o555))?;
    let mut left = rustix::fs::fstat(&own)?.st_size as u64;
    while left > 0 {
        match rustix::fs::sendfile(&copy, &own, None, left.min(1 << 30) as usize)? as u64 {
            0 => return Err(Errno::IO.into()),
            copied => left = left.saturating_sub(copied),
        }
    }
    rustix::fs::fcntl_add_seals(&copy, SEALS)?;
    Ok(copy)
}
