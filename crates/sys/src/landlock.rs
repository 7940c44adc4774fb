//! landlock(7), Linux 5.13: what a thread may no longer do, and nobody it starts. No privileges are needed with
//! `no_new_privs`.

use crate::check;
use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::io;

/// `LANDLOCK_CREATE_RULESET_VERSION`: the version is asked for and nothing is made.
const VERSION: libc::c_uint = 1;
const RULE_PATH_BENEATH: libc::c_int = 1;
const RULE_NET_PORT: libc::c_int = 2;

/// What is denied unless a rule allows it (`struct landlock_ruleset_attr`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Handled {
    /// `LANDLOCK_ACCESS_FS_*`
    pub fs: u64,
    /// `LANDLOCK_ACCESS_NET_*`, of ABI 4
    pub net: u64,
    /// `LANDLOCK_SCOPE_*`, of ABI 6; no rule allows these.
    pub scopes: u64,
}

/// `struct landlock_path_beneath_attr`
#[repr(C, packed)]
struct PathBeneath {
    access: u64,
    parent: libc::c_int,
}

/// `struct landlock_net_port_attr`
#[repr(C)]
struct NetPort {
    access: u64,
    port: u64,
}

/// The version of Landlock that this kernel has; 0 where it is not there or not on, or where a filter refuses it.
#[must_use]
pub fn abi() -> u32 {
    // SAFETY: with this flag the kernel wants no structure and a size of 0, and returns a number.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<Handled>(), 0_usize, VERSION)
    };
    u32::try_from(version).unwrap_or(0)
}

/// A new set of rules.
///
/// # Errors
/// The errno of the call: `EINVAL` for what this kernel does not know, `ENOMSG` where nothing is denied.
pub fn create(handled: &Handled) -> io::Result<OwnedFd> {
    let (pointer, size) = (std::ptr::from_ref(handled), size_of::<Handled>());
    // SAFETY: pointer is to a structure of that size, which the kernel only reads.
    let ruleset =
        check(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, pointer, size, 0 as libc::c_uint) })?;
    // SAFETY: the result is a descriptor that was made for us, close-on-exec, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(ruleset as i32) })
}

/// Allows `access` to a file, or to all below a directory.
///
/// # Errors
/// The errno of the call: `EINVAL` for rights that the set does not deny, or that a file cannot have.
pub fn allow_below(ruleset: impl AsFd, file: impl AsFd, access: u64) -> io::Result<()> {
    let rule = PathBeneath { access, parent: file.as_fd().as_raw_fd() };
    add(ruleset, RULE_PATH_BENEATH, (&raw const rule).cast())
}

/// Allows `access` to a TCP port.
///
/// # Errors
/// As [`allow_below`].
pub fn allow_port(ruleset: impl AsFd, port: u16, access: u64) -> io::Result<()> {
    let rule = NetPort { access, port: port.into() };
    add(ruleset, RULE_NET_PORT, (&raw const rule).cast())
}

fn add(ruleset: impl AsFd, kind: libc::c_int, rule: *const libc::c_void) -> io::Result<()> {
    let fd = ruleset.as_fd().as_raw_fd();
    // SAFETY: both callers pass a structure of the kind that they name, which the kernel only reads.
    check(unsafe { libc::syscall(libc::SYS_landlock_add_rule, fd, kind, rule, 0 as libc::c_uint) }).map(drop)
}

/// Puts the rules in force for this thread and all that it starts.
///
/// # Errors
/// The errno of the call: `EPERM` with neither `no_new_privs` nor `CAP_SYS_ADMIN`, `E2BIG` after sixteen sets.
pub fn restrict_self(ruleset: impl AsFd) -> io::Result<()> {
    let fd = ruleset.as_fd().as_raw_fd();
    // SAFETY: the call takes two numbers.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, fd, 0 as libc::c_uint) }).map(drop)
}
