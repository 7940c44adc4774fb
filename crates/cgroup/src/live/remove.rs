//! The end of a group.

use super::{Cgroup, Directory, Error, Version, children, open_directory, read_at, wait};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, statat, unlinkat};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a group may be busy after its last process was seen to end.
const REMOVE_WITHIN: Duration = Duration::from_secs(5);
/// How long is waited for a change before trying again.
const ROUND: Duration = Duration::from_millis(100);

/// Removes groups by their directories, as [`Cgroup::remove`] does, in one system call each where nothing is in them.
/// A directory that does not exist is removed already. All are tried, also after a failure.
///
/// # Errors
/// The first failure.
pub fn remove<P: AsRef<Path>>(directories: impl IntoIterator<Item = P>) -> Result<(), Error> {
    match not_removable(directories) {
        left if left.is_empty() => Ok(()),
        left => Cgroup::open(left)?.remove(),
    }
}

/// Ends what runs in a group, given by its directories in all hierarchies, and removes it: the undoing of a start, at
/// whatever point it was cut short. A group that nothing runs in takes one system call for each directory.
///
/// # Errors
/// As [`Cgroup::kill_all`] and [`Cgroup::remove`]. What cannot be killed does not keep the rest from being removed.
pub fn end<P: AsRef<Path>>(directories: impl IntoIterator<Item = P>) -> Result<(), Error> {
    let left = not_removable(directories);
    if left.is_empty() {
        return Ok(());
    }
    let group = Cgroup::open(left)?;
    let killed = group.kill_all();
    let removed = group.remove();
    killed.and(removed)
}

/// Removes what can be removed at once and returns the rest.
fn not_removable<P: AsRef<Path>>(directories: impl IntoIterator<Item = P>) -> Vec<P> {
    let removed = |directory: &P| {
        matches!(unlinkat(CWD, directory.as_ref(), AtFlags::REMOVEDIR), Ok(()) | Err(Errno::NOENT))
    };
    directories.into_iter().filter(|directory| !removed(directory)).collect()
}

impl Cgroup {
    /// Removes the group and all groups below. Processes are not ended here; those that are ending are waited for,
    /// up to five seconds. All directories are tried, also after a failure.
    ///
    /// # Errors
    /// The first failure; where processes are still there it names them.
    pub fn remove(self) -> Result<(), Error> {
        let deadline = Instant::now() + REMOVE_WITHIN;
        let failures = self.directories.iter().filter_map(|directory| directory.remove(deadline).err());
        // Every directory is tried before the first failure is told.
        failures.collect::<Vec<_>>().into_iter().next().map_or(Ok(()), Err)
    }
}

impl Directory {
    fn remove(&self, deadline: Instant) -> Result<(), Error> {
        let failed = |source| Error::Remove { path: self.path.clone(), source, pids: Vec::new() };
        loop {
            match self.remove_now() {
                Ok(()) | Err(Errno::NOENT) => return Ok(()),
                Err(Errno::BUSY) if Instant::now() < deadline => self.wait_for_change(deadline)?,
                Err(Errno::BUSY) => {
                    let pids = self.processes()?.into_iter().collect();
                    return Err(Error::Remove { path: self.path.clone(), source: Errno::BUSY, pids });
                }
                Err(source) => return Err(failed(source)),
            }
        }
    }

    fn remove_now(&self) -> Result<(), Errno> {
        remove_below(&self.fd)?;
        let above =
            openat(&self.fd, c"..", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let name = self.path.file_name().ok_or(Errno::INVAL)?;
        // The name may have passed to another group.
        let ours = rustix::fs::fstat(&self.fd)?.st_ino;
        if statat(&above, name, AtFlags::SYMLINK_NOFOLLOW)?.st_ino != ours {
            return Err(Errno::NOENT);
        }
        unlinkat(&above, name, AtFlags::REMOVEDIR)
    }

    /// Waits until it may be worth to try again.
    fn wait_for_change(&self, deadline: Instant) -> Result<(), Error> {
        let round = (Instant::now() + ROUND).min(deadline);
        if self.version == Version::V2 && read_at(&self.fd, "cgroup.events").is_ok() {
            wait::for_event(self, "populated 0", round)?;
        } else {
            let pids = self.processes()?;
            let open = |pid| {
                let pid = rustix::process::Pid::from_raw(pid)?;
                rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
            };
            let pidfds: Vec<_> = pids.into_iter().filter_map(open).collect();
            let left = round.saturating_duration_since(Instant::now());
            if !pidfds.is_empty() {
                wait::for_exit(&pidfds, left).map_err(|source| self.unreadable("cgroup.procs", source))?;
            }
        }
        // An exiting process leaves its group a moment after it can be seen to have ended.
        wait::a_moment();
        Ok(())
    }
}

/// Removes all groups below one, the lowest first.
fn remove_below(group: &OwnedFd) -> Result<(), Errno> {
    for name in children(group)? {
        match open_directory(group, &name) {
            Ok(child) => remove_below(&child)?,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error),
        }
        match unlinkat(group, &name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
