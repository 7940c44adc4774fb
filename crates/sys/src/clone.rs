//! clone3(2).

use crate::check;
use rustix::process::{Pid, WaitId, WaitIdOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

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
    Ok(match copy(namespaces & crate::namespace::ALL, cgroup)? {
        None => Process::Child,
        // SAFETY: CLONE_PIDFD made this descriptor for us and nobody else knows it.
        Some((pid, pidfd)) => Process::Parent { pid, pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) } },
    })
}

/// As [`clone()`], with the new process in these namespaces, each with its `CLONE_NEW*` bit. New ones belong to the
/// user namespace among them, which is the last: who is in it may join none of the machine's any more. This process stays
/// where it is: another one in between goes there, and ends.
///
/// ```text
///   caller ── CLONE_FILES ──▶ between: setns(each) ── CLONE_PARENT ──▶ new process, a child of the caller
///      ◀───────── pipe: the pidfd's number, or an errno ──┘
/// ```
///
/// # Errors
/// As for [`clone()`], and those of setns(2).
pub fn clone_within(
    joined: &[(BorrowedFd, u64)],
    namespaces: u64,
    cgroup: Option<BorrowedFd>,
) -> io::Result<Process> {
    let (answer, tell) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    // One descriptor table: the pidfd that the one in between gets is ours, too.
    let Some((_, between)) = copy(libc::CLONE_FILES as u64, None)? else {
        let made = enter_and_copy(joined, namespaces & crate::namespace::ALL, cgroup);
        let answer = match made {
            Ok(None) => return Ok(Process::Child),
            Ok(Some((_, pidfd))) => pidfd,
            Err(error) => -error.raw_os_error().unwrap_or(libc::EIO),
        };
        // Where the caller is gone nobody needs the answer.
        let _ = rustix::io::write(&tell, &answer.to_ne_bytes());
        crate::process::exit_now(0)
    };
    // SAFETY: CLONE_PIDFD made this descriptor for us and nobody else knows it.
    let between = unsafe { OwnedFd::from_raw_fd(between) };
    rustix::process::waitid(WaitId::PidFd(between.as_fd()), WaitIdOptions::EXITED)?;
    drop(tell);
    let mut bytes = [0; size_of::<RawFd>()];
    if rustix::io::read(&answer, &mut bytes)? != bytes.len() {
        return Err(io::Error::from_raw_os_error(libc::ECHILD));
    }
    match RawFd::from_ne_bytes(bytes) {
        pidfd @ 0.. => {
            // SAFETY: made in the table that we share, and its maker is gone without closing it.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            let pid = crate::process::pid_of(pidfd.as_fd())?;
            let pid = pid.ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))?;
            Ok(Process::Parent { pid, pidfd })
        }
        errno => Err(io::Error::from_raw_os_error(-errno)),
    }
}

/// The life of the process in between.
fn enter_and_copy(
    joined: &[(BorrowedFd, u64)],
    namespaces: u64,
    cgroup: Option<BorrowedFd>,
) -> io::Result<Option<(Pid, RawFd)>> {
    // It holds the caller's descriptors: nobody of that namespace may look into it (CVE-2016-9962).
    crate::process::set_dumpable(false)?;
    joined.iter().try_for_each(|(namespace, bit)| crate::namespace::enter(namespace, *bit))?;
    copy(namespaces | libc::CLONE_PARENT as u64, cgroup)
}

/// clone3(2) with a pidfd: `None` in the copy.
fn copy(flags: u64, cgroup: Option<BorrowedFd>) -> io::Result<Option<(Pid, RawFd)>> {
    if !is_alone()? {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    crate::signal::unignore_children();
    let mut pidfd: RawFd = -1;
    // SAFETY: an all-zero clone_args is valid: it asks for nothing.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = flags | libc::CLONE_PIDFD as u64;
    args.pidfd = std::ptr::from_mut(&mut pidfd) as u64;
    if let Some(cgroup) = cgroup {
        args.flags |= INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // A sibling sends the signal that its maker would send.
    args.exit_signal = if flags & libc::CLONE_PARENT as u64 == 0 { libc::SIGCHLD as u64 } else { 0 };
    // SAFETY: no CLONE_VM and no stack: the child has a copy of this memory and goes on from here, as
    // after fork(2). There is one thread (checked above), so no lock is held by a thread that the copy
    // lacks. The kernel writes pidfd before either process returns.
    let made =
        check(unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) });
    let pid = match made {
        // A filter cannot look at the flags behind a pointer, so the usual ones refuse clone3 as a whole.
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) && cgroup.is_none() => {
            old_clone(args.flags | args.exit_signal, &mut pidfd)?
        }
        made => made?,
    };
    Ok(Pid::from_raw(pid as i32).map(|pid| (pid, pidfd)))
}

/// clone(2), which has the flags and the signal in one register and no room for a cgroup.
fn old_clone(flags: u64, pidfd: &mut RawFd) -> io::Result<libc::c_long> {
    // SAFETY: as for clone3 above. The third argument is where the pidfd goes; the others, whose order
    // depends on the architecture, are null.
    check(unsafe { libc::syscall(libc::SYS_clone, flags, 0usize, std::ptr::from_mut(pidfd), 0usize, 0usize) })
}

/// Whether this process has one thread. The link count of its task directory tells; a container may have no
/// procfs, and there the kernel is asked to unshare what only one thread alone may, and finds nothing to do
/// (unshare(2), `CLONE_THREAD`).
fn is_alone() -> io::Result<bool> {
    match rustix::fs::stat("/proc/self/task") {
        Ok(tasks) => Ok(tasks.st_nlink - 2 == 1),
        // SAFETY: it changes nothing: a process with one thread shares nothing with another thread.
        Err(_) => match check(unsafe { libc::unshare(libc::CLONE_THREAD) }.into()) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(false),
            alone => alone.map(|_| true),
        },
    }
}
