//! bpf(2): device filters of cgroup v2.

use crate::check;
use rustix::fd::{AsFd, AsRawFd};
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
const PROG_DETACH: libc::c_int = 9;
const PROG_GET_FD_BY_ID: libc::c_int = 13;
const PROG_QUERY: libc::c_int = 16;
const PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_TYPE_CGROUP_DEVICE: u32 = 6;
const ALLOW_MULTI: u32 = 2;
const REPLACE: u32 = 4;
/// As many programs as the kernel lets be on one group (`BPF_CGROUP_MAX_PROGS` in `kernel/bpf/cgroup.c`).
const MOST: usize = 64;

/// The head of `union bpf_attr` for `BPF_PROG_LOAD`.
#[derive(Default)]
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// The head of `union bpf_attr` for `BPF_PROG_ATTACH` and `BPF_PROG_DETACH`.
#[repr(C)]
struct Attach {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
    replaces: u32,
}

/// The head of `union bpf_attr` for `BPF_PROG_QUERY`.
#[repr(C)]
struct Query {
    target: u32,
    kind: u32,
    query_flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    padding: u32,
}

/// The head of `union bpf_attr` for `BPF_PROG_GET_FD_BY_ID`.
#[repr(C)]
struct ById {
    id: u32,
    next: u32,
    flags: u32,
}

/// Loads a program of type `BPF_PROG_TYPE_CGROUP_DEVICE`, each instruction as one 64-bit word.
///
/// # Errors
/// The errno of the call; for a program that the verifier refuses, the end of its log.
pub fn load_device_program(instructions: &[u64]) -> io::Result<OwnedFd> {
    let load = Load {
        kind: PROG_TYPE_CGROUP_DEVICE,
        count: instructions.len() as u32,
        instructions: instructions.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        ..Load::default()
    };
    // SAFETY: the pointers in load are valid for the lengths that stand beside them and live across the
    // call; the size is that of the part of bpf_attr that is filled in.
    let fd = check(unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &raw const load, size_of::<Load>()) })?;
    // SAFETY: the call made this descriptor (close-on-exec, as bpf(2) always does) and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Attaches a device program to a cgroup directory, beside those of the groups above.
///
/// # Errors
/// The errno of the call.
pub fn attach_device_program(cgroup: impl AsFd, program: impl AsFd) -> io::Result<()> {
    change(PROG_ATTACH, cgroup.as_fd(), program.as_fd(), ALLOW_MULTI, None)
}

/// Puts a device program in the place of those that are attached to a cgroup directory itself. At no moment is there
/// none: one is replaced by the kernel in one piece (`BPF_F_REPLACE`, Linux 5.6); of several, which all have to allow, the
/// old ones go after the new one has come.
///
/// # Errors
/// The errno of the call that failed.
pub fn replace_device_program(cgroup: impl AsFd, program: impl AsFd) -> io::Result<()> {
    let (cgroup, program) = (cgroup.as_fd(), program.as_fd());
    let old = attached(cgroup)?;
    match &old[..] {
        [only] => change(PROG_ATTACH, cgroup, program, ALLOW_MULTI | REPLACE, Some(only.as_fd())),
        several => {
            change(PROG_ATTACH, cgroup, program, ALLOW_MULTI, None)?;
            several.iter().try_for_each(|old| change(PROG_DETACH, cgroup, old.as_fd(), 0, None))
        }
    }
}

/// The device programs that are attached to a cgroup directory itself.
fn attached(cgroup: BorrowedFd) -> io::Result<Vec<OwnedFd>> {
    let mut ids = [0u32; MOST];
    let mut query = Query {
        target: cgroup.as_raw_fd() as u32,
        kind: ATTACH_TYPE_CGROUP_DEVICE,
        query_flags: 0,
        attach_flags: 0,
        ids: ids.as_mut_ptr() as u64,
        count: MOST as u32,
        padding: 0,
    };
    // SAFETY: query lives across the call, which writes at most count ids to where ids points.
    check(unsafe { libc::syscall(libc::SYS_bpf, PROG_QUERY, &raw mut query, size_of::<Query>()) })?;
    ids.iter().take(query.count as usize).map(|id| by_id(*id)).collect()
}

fn by_id(id: u32) -> io::Result<OwnedFd> {
    let by_id = ById { id, next: 0, flags: 0 };
    // SAFETY: by_id lives across the call and its size is given.
    let fd = check(unsafe {
        libc::syscall(libc::SYS_bpf, PROG_GET_FD_BY_ID, &raw const by_id, size_of::<ById>())
    })?;
    // SAFETY: the call made this descriptor (close-on-exec, as bpf(2) always does) and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn change(
    command: libc::c_int,
    cgroup: BorrowedFd,
    program: BorrowedFd,
    flags: u32,
    replaces: Option<BorrowedFd>,
) -> io::Result<()> {
    let attach = Attach {
        target: cgroup.as_raw_fd() as u32,
        program: program.as_raw_fd() as u32,
        kind: ATTACH_TYPE_CGROUP_DEVICE,
        flags,
        replaces: replaces.map_or(0, |fd| fd.as_raw_fd() as u32),
    };
    // SAFETY: attach lives across the call and its size is given.
    check(unsafe { libc::syscall(libc::SYS_bpf, command, &raw const attach, size_of::<Attach>()) }).map(drop)
}
