//! What happens in a container, for as long as it lives.

use crate::{Container, Error, Store, usage};
use cgroup::live::OomWatch;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use serde_json::Value;
use spec::ContainerId;
use std::time::{Duration, Instant};

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// What it uses, in the form of runc's `events`.
    Usage(Value),
    /// The kernel lacked memory and killed a process of it.
    OutOfMemory,
}

impl Store {
    /// What a container uses, in the form of runc's `events --stats`.
    ///
    /// # Errors
    /// The container does not run, or has no cgroups.
    pub fn usage(&self, id: &ContainerId) -> Result<Value, Error> {
        let container = self.open(id)?;
        Ok(usage::of(&container, &container.living("events")?)?)
    }

    /// Tells what happens in a container until it ends.
    ///
    /// # Errors
    /// The container does not run or has no cgroups, or `tell` failed.
    pub fn events(
        &self,
        id: &ContainerId,
        interval: Duration,
        tell: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let container = self.open(id)?;
        let group = container.living("events")?;
        // Without a memory controller nothing is killed for lack of memory of the group.
        let mut oom = group.watch_oom().ok();
        let Some(init) = container.init() else { return container.refuse("events", "running") };
        let mut next = Instant::now() + interval;
        loop {
            let ended = wait(&container, &init, oom.as_ref(), next)?;
            if oom.as_mut().is_some_and(OomWatch::happened) {
                tell(Event::OutOfMemory)?;
            }
            if ended {
                return Ok(());
            }
            if Instant::now() >= next {
                tell(Event::Usage(usage::of(&container, &group)?))?;
                next += interval;
            }
        }
    }
}

/// Waits until the container ends, the kernel tells something, or it is time for the next statistics; whether the container
/// has ended.
fn wait(
    container: &Container,
    init: &OwnedFd,
    oom: Option<&OomWatch>,
    until: Instant,
) -> Result<bool, Error> {
    let left = Timespec::try_from(until.saturating_duration_since(Instant::now())).ok();
    let mut fds = vec![PollFd::new(init, PollFlags::IN)];
    fds.extend(oom.map(OomWatch::poll_fd));
    match poll(&mut fds, left.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(!fds[0].revents().is_empty()),
        Err(errno) => Err(Error::file("cannot wait for", container.directory())(errno.into())),
    }
}
