//! Being told when the kernel lacks memory for a group.

use super::{Cgroup, Directory, Error, Version, read_all, write_at};
use crate::text::field;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use std::os::fd::{AsRawFd, OwnedFd};

/// Wakes who polls it when processes of a group are killed for lack of memory. Nothing is looked at in between: the kernel
/// tells.
#[derive(Debug)]
pub struct OomWatch {
    /// `memory.oom_control` of v1, `memory.events` of v2.
    file: OwnedFd,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// v1 counts into an eventfd(2) (`admin-guide/cgroup-v1/memory.rst`, "OOM Control").
    V1 { eventfd: OwnedFd },
    /// v2 wakes pollers of the file when a counter in it changes (`admin-guide/cgroup-v2.rst`, `memory.events`).
    V2 { kills: u64 },
}

impl Cgroup {
    /// Watches the group from now on.
    ///
    /// # Errors
    /// No hierarchy of the group counts memory, or the kernel refuses.
    pub fn watch_oom(&self) -> Result<OomWatch, Error> {
        if let Some((directory, _)) = self.find(Version::V1, V1)? {
            return watch_v1(directory).map_err(|source| directory.unreadable(V1, source));
        }
        if let Some((directory, text)) = self.find(Version::V2, V2)? {
            let file = open(directory, V2).map_err(|source| directory.unreadable(V2, source))?;
            return Ok(OomWatch { file, source: Source::V2 { kills: field(&text, KILLS) } });
        }
        Err(Error::Unsupported { what: "watch", needs: "memory.oom_control or memory.events" })
    }
}

const V1: &str = "memory.oom_control";
const V2: &str = "memory.events";
const KILLS: &str = "oom_kill";

fn watch_v1(directory: &Directory) -> Result<OomWatch, Errno> {
    let file = open(directory, V1)?;
    let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let pair = format!("{} {}", eventfd.as_raw_fd(), file.as_raw_fd());
    write_at(&directory.fd, "cgroup.event_control", &pair)?;
    Ok(OomWatch { file, source: Source::V1 { eventfd } })
}

fn open(directory: &Directory, file: &str) -> Result<OwnedFd, Errno> {
    openat(&directory.fd, file, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
}

impl OomWatch {
    /// What to poll: ready when it is worth to ask [`OomWatch::happened`].
    #[must_use]
    pub fn poll_fd(&self) -> PollFd<'_> {
        match &self.source {
            Source::V1 { eventfd } => PollFd::new(eventfd, PollFlags::IN),
            Source::V2 { .. } => PollFd::new(&self.file, PollFlags::PRI),
        }
    }

    /// Whether it happened since this was asked last. A group that is gone has no more to tell; that it goes wakes pollers,
    /// too.
    pub fn happened(&mut self) -> bool {
        let text = read_all(&self.file);
        match &mut self.source {
            Source::V1 { eventfd } => {
                let counted = rustix::io::read(&*eventfd, &mut [0; 8]).is_ok();
                counted && text.is_ok()
            }
            Source::V2 { kills } => {
                let now = text.map_or(*kills, |text| field(&text, KILLS));
                std::mem::replace(kills, now) < now
            }
        }
    }
}
