//! Where and when a process runs, and where its memory is.

use crate::check;
use rustix::process::Pid;
use std::io;

/// What sched_setattr(2) sets. Times are in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Attributes {
    /// `SCHED_*`.
    pub policy: u32,
    /// `SCHED_FLAG_*`.
    pub flags: u64,
    /// For `SCHED_OTHER` and `SCHED_BATCH`.
    pub nice: i32,
    /// For `SCHED_FIFO` and `SCHED_RR`.
    pub priority: u32,
    /// For `SCHED_DEADLINE`.
    pub runtime: u64,
    /// For `SCHED_DEADLINE`.
    pub deadline: u64,
    /// For `SCHED_DEADLINE`.
    pub period: u64,
}

/// `struct sched_attr` of Linux 5.3 and later (`linux/sched/types.h`).
#[repr(C)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
    util_min: u32,
    util_max: u32,
}

fn raw(pid: Option<Pid>) -> libc::c_int {
    pid.map_or(0, |pid| pid.as_raw_nonzero().get())
}

/// Sets how a process is scheduled; `None`: this one.
///
/// # Errors
/// The errno of sched_setattr(2): `EPERM` without `CAP_SYS_NICE` for what is better than before, or for
/// `SCHED_DEADLINE` on fewer processors than the machine has; `EBUSY` where deadlines cannot be kept.
pub fn set_scheduler(pid: Option<Pid>, attributes: &Attributes) -> io::Result<()> {
    let attr = SchedAttr {
        size: size_of::<SchedAttr>() as u32,
        policy: attributes.policy,
        flags: attributes.flags,
        nice: attributes.nice,
        priority: attributes.priority,
        runtime: attributes.runtime,
        deadline: attributes.deadline,
        period: attributes.period,
        util_min: 0,
        util_max: 0,
    };
    // SAFETY: attr lives across the call, which reads as much of it as its first field says: all.
    check(unsafe { libc::syscall(libc::SYS_sched_setattr, raw(pid), &raw const attr, 0) }).map(drop)
}

/// `IOPRIO_WHO_PROCESS`, and where the class begins in the value (`linux/ioprio.h`).
const WHO_PROCESS: libc::c_int = 1;
const CLASS_SHIFT: u32 = 13;

/// Sets the I/O priority of a process; `None`: this one.
///
/// # Errors
/// The errno of ioprio_set(2): `EPERM` for the real-time class without `CAP_SYS_NICE` or `CAP_SYS_ADMIN`.
pub fn set_io_priority(pid: Option<Pid>, class: u32, level: u8) -> io::Result<()> {
    let value = class << CLASS_SHIFT | u32::from(level);
    // SAFETY: plain integers.
    check(unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, raw(pid), value) }).map(drop)
}

/// Keeps this thread on the processors of a mask.
///
/// # Errors
/// The errno of sched_setaffinity(2): `EINVAL` where none of them can be used.
pub fn set_affinity(mask: &[u64]) -> io::Result<()> {
    // SAFETY: the mask lives across the call, which reads as many bytes of it as the second argument says.
    check(unsafe { libc::syscall(libc::SYS_sched_setaffinity, 0, size_of_val(mask), mask.as_ptr()) })
        .map(drop)
}

/// Sets the NUMA memory policy of this thread: the mode with its flags, and a mask of nodes.
///
/// # Errors
/// The errno of set_mempolicy(2): `EINVAL` for a mode that does not go with these nodes, or with these flags.
pub fn set_memory_policy(mode: u64, nodes: &[u64]) -> io::Result<()> {
    // The kernel takes one bit less than it is told of.
    let (mask, bits) = match nodes {
        [] => (std::ptr::null(), 0),
        nodes => (nodes.as_ptr(), nodes.len() * 64 + 1),
    };
    // SAFETY: the mask lives across the call, which reads bits - 1 bits of it: all, or none of a null.
    check(unsafe { libc::syscall(libc::SYS_set_mempolicy, mode as libc::c_int, mask, bits) }).map(drop)
}
