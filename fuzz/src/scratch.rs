//! A directory that nobody else has.

use std::fs;
use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{getgid, getuid};

const NEWNS: u64 = 0x0002_0000;
const NEWUSER: u64 = 0x1000_0000;

/// Mounts an empty file system on `directory`, which this process alone sees. It is gone when the process ends, in
/// whichever way.
///
/// # Panics
/// The kernel refuses, or the process has more than one thread.
pub fn private(directory: &Path) {
    try_private(directory).expect("a mount namespace");
}

fn try_private(directory: &Path) -> io::Result<()> {
    let (uid, gid) = (getuid(), getgid());
    sys::namespace::unshare(if uid.is_root() { NEWNS } else { NEWNS | NEWUSER })?;
    if !uid.is_root() {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {} 1", uid.as_raw()))?;
        fs::write("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))?;
    }
    mount_change("/", MountPropagationFlags::REC | MountPropagationFlags::PRIVATE)?;
    Ok(mount("fuzz", directory, "tmpfs", MountFlags::NODEV, c"size=256m")?)
}
