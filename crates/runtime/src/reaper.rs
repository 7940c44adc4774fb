//! Processes that lost their parent, and came to a subreaper.

use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, getpid, waitpid};
use std::io;

/// Reaps children that have ended, but not the one of this pidfd: its exit code is somebody else's to read.
pub(crate) fn reap_all_but(kept: BorrowedFd) -> io::Result<()> {
    let kept = sys::process::pid_of(kept)?;
    for pid in children()?.into_iter().filter(|pid| Some(*pid) != kept) {
        match waitpid(Some(pid), WaitOptions::NOHANG) {
            Ok(_) | Err(Errno::CHILD | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// The children of this process, which has one thread (proc_pid_task_children(5)).
fn children() -> io::Result<Vec<Pid>> {
    let pid = getpid().as_raw_nonzero();
    let text = std::fs::read_to_string(format!("/proc/self/task/{pid}/children"))?;
    Ok(text.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)).collect())
}
