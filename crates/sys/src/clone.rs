//! clone3(2).

use crate::check;
use rustix::process::Pid;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Which process a [`clone()`] returned in.
#[derive(Debug)]
pub enum Process {
    /// The one that called.
    Parent {
        /// The new process, in the caller's pid namespace.
        pid: Pid,
        /// A descriptor of it, close-on-exec.
        pidfd: OwnedFd,
    },
    /// The new one.
    Child,
}

/// `CLONE_INTO_CGROUP`, Linux 5.7.
const INTO_CGROUP: u64 = 0x2_0000_0000;

/// Makes a process that is a copy of this one, in the new namespaces that `namespaces` asks for
/// (`CLONE_NEW*` bits; none: fork(2)), and born in a group of cgroup v2 if one is given.
///
/// # Errors
/// The errno of clone3(2). `EINVAL` where this process has more than one thread: the copy would hold
/// locks that nobody releases.
pub fn clone(namespaces: u64, cgroup: Option<BorrowedFd>) -> io::Result<Process> {
    if thread_count()? != 1 {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    crate::signal::unignore_children();
    let mut pidfd: RawFd = -1;
    // SAFETY: an all-zero clone_args is valid: it asks for nothing.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = namespaces | libc::CLONE_PIDFD as u64;
    args.pidfd = std::ptr::from_mut(&mut pidfd) as u64;
    if let Some(cgroup) = cgroup {
        args.flags |= INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    args.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: no CLONE_VM and no stack: the child has a copy of this memory and goes on from here, as
    // after fork(2). There is one thread (checked above), so no lock is held by a thread that the copy
    // lacks. The kernel writes pidfd before either process returns.
    let made =
        check(unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) });
    let pid = match made {
        // A filter cannot look at the flags behind a pointer, so the usual ones refuse clone3 as a whole.
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) && cgroup.is_none() => {
            old_clone(args.flags, &mut pidfd)?
        }
        made => made?,
    };
    match Pid::from_raw(pid as i32) {
        None => Ok(Process::Child),
        // SAFETY: CLONE_PIDFD made this descriptor for us and nobody else knows it.
        Some(pid) => Ok(Process::Parent { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } }),
    }
}

/// clone(2), which has the flags and the signal in one register and no room for a cgroup.
fn old_clone(flags: u64, pidfd: &mut RawFd) -> io::Result<libc::c_long> {
    let flags = flags | libc::SIGCHLD as u64;
    // SAFETY: as for clone3 above. The third argument is where the pidfd goes; the others, whose order
    // depends on the architecture, are null.
    check(unsafe { libc::syscall(libc::SYS_clone, flags, 0usize, std::ptr::from_mut(pidfd), 0usize, 0usize) })
}

/// How many threads this process has: the link count of its task directory.
fn thread_count() -> io::Result<u64> {
    Ok(rustix::fs::stat("/proc/self/task")?.st_nlink - 2)
}
