//! Waiting for the kernel, bounded and without a clock where it tells.

use super::{Directory, Error, read_all};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Waits until a line of `cgroup.events` is `line`, or the deadline passes; says whether it is. v2 only: the kernel
/// wakes pollers of the file when a line changes.
pub fn for_event(directory: &Directory, line: &str, deadline: Instant) -> Result<bool, Error> {
    const FILE: &str = "cgroup.events";
    let failed = |source| directory.unreadable(FILE, source);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = openat(&directory.fd, FILE, flags, Mode::empty()).map_err(failed)?;
    loop {
        let text = read_all(&fd).map_err(failed)?;
        if text.lines().any(|l| l == line) {
            return Ok(true);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        until_ready(&mut [PollFd::new(&fd, PollFlags::PRI)], left).map_err(failed)?;
    }
}

/// Waits until one of these processes has ended, or the time is over. A pidfd becomes readable then.
pub fn for_exit(pidfds: &[OwnedFd], at_most: Duration) -> Result<(), Errno> {
    let mut fds: Vec<_> = pidfds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    until_ready(&mut fds, at_most)
}

/// Sleeps for as long as an exiting process may need to leave its group: for changes that the kernel does not tell.
pub fn a_moment() {
    std::thread::sleep(Duration::from_millis(1));
}

fn until_ready(fds: &mut [PollFd<'_>], at_most: Duration) -> Result<(), Errno> {
    let timeout = Timespec::try_from(at_most).map_err(|_| Errno::INVAL)?;
    match poll(fds, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error),
    }
}
