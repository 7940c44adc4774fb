//! Processes that lost their parent, and came to a subreaper.

use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, getpid, waitpid};
use std::io;

/// Reaps children that have ended, but not the one of this pidfd: its exit code is somebody else's to read.
pub(crate) fn reap_all_but(kept: BorrowedFd) -> io::Result<()> {
    let kept = pid_of(kept)?;
    for pid in children()?.into_iter().filter(|pid| *pid != kept) {
        match waitpid(Pid::from_raw(pid), WaitOptions::NOHANG) {
            Ok(_) | Err(Errno::CHILD | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// -1 for a process that has been reaped.
fn pid_of(pidfd: BorrowedFd) -> io::Result<i32> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))?;
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    pid.ok_or_else(|| io::Error::other("the descriptor is no pidfd"))
}

/// The children of this process, which has one thread (proc_pid_task_children(5)).
fn children() -> io::Result<Vec<i32>> {
    let pid = getpid().as_raw_nonzero();
    let text = std::fs::read_to_string(format!("/proc/self/task/{pid}/children"))?;
    Ok(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
}
