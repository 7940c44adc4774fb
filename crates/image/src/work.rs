//! A directory in which a layer is made, and its way to its final name.
//!
//! ```text
//!   .tmp-KEY  made ─▶ locked ─▶ filled ─▶ synced ─▶ renamed to sha256-DIGEST ─▶ unlocked
//!                │        └── an error: removed ─▶ unlocked
//!                └── lost to another process: wait for its lock, look again
//! ```
//!
//! The lock is flock(2) on the directory itself, so it goes with the process that holds it and there are
//! no lock files. A directory under a temporary name that nobody has locked is left over from a process
//! that died, and anybody may remove it.

use crate::tree;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FlockOperation, Mode};
use rustix::io::Errno;

/// What temporary names begin with.
const PREFIX: &str = ".tmp-";

/// A locked directory under a temporary name. Dropped before it is published, it is removed.
pub(crate) struct Work<'a> {
    layers: &'a OwnedFd,
    directory: OwnedFd,
    name: String,
    published: bool,
}

impl<'a> Work<'a> {
    /// Makes and locks an empty directory for `key`, or none if another process had it: then it may have
    /// done the work. `waiting` is called before it waits for that process.
    pub(crate) fn claim(
        layers: &'a OwnedFd,
        key: &str,
        waiting: impl FnOnce(),
    ) -> Result<Option<Self>, Errno> {
        let name = format!("{PREFIX}{key}");
        match rustix::fs::mkdirat(layers, &name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        let directory = match tree::open_directory(layers, name.as_bytes()) {
            Err(Errno::NOENT) => return Ok(None),
            result => result?,
        };
        if !lock(&directory)? {
            waiting();
            rustix::io::retry_on_intr(|| rustix::fs::flock(&directory, FlockOperation::LockExclusive))?;
        }
        if !has_name(layers, &name, &directory)? {
            return Ok(None);
        }
        let work = Self { layers, directory, name, published: false };
        work.empty()?;
        Ok(Some(work))
    }

    /// The directory, to fill it.
    pub(crate) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// Gives the directory its final name when all in it is on the disk. Where the name is taken, by the
    /// same contents, what is there stays.
    pub(crate) fn publish(mut self, name: &str) -> Result<(), Errno> {
        if tree::is_directory(self.layers, name.as_bytes()) {
            return Ok(());
        }
        rustix::fs::syncfs(&self.directory)?;
        // A directory is renamed over another only if that is empty, and no layer is.
        match rustix::fs::renameat(self.layers, &self.name, self.layers, name) {
            Err(Errno::EXIST | Errno::NOTEMPTY) => return Ok(()),
            result => result?,
        }
        self.published = true;
        rustix::fs::fsync(self.layers)
    }

    /// Removes what a process that died has left in the directory.
    fn empty(&self) -> Result<(), Errno> {
        for entry in Dir::read_from(&self.directory)? {
            let entry = entry?;
            if entry.file_name() != c"." && entry.file_name() != c".." {
                tree::remove(self.directory.as_fd(), entry.file_name().to_bytes())?;
            }
        }
        Ok(())
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if !self.published {
            // What cannot be removed now is swept when the store is opened next.
            let _ = tree::remove(self.layers.as_fd(), self.name.as_bytes());
        }
    }
}

/// Removes the directories of processes that died.
pub(crate) fn sweep(layers: &OwnedFd) -> Result<(), Errno> {
    for entry in Dir::read_from(layers)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let directory = match tree::open_directory(layers, name.to_bytes()) {
            Err(Errno::NOENT) => continue,
            result => result?,
        };
        if lock(&directory)? && has_name(layers, name, &directory)? {
            tree::remove(layers.as_fd(), name.to_bytes())?;
        }
    }
    Ok(())
}

/// Locks the directory if nobody else has.
fn lock(directory: &OwnedFd) -> Result<bool, Errno> {
    match rustix::fs::flock(directory, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether `name` is still this directory: it may have been published or removed before we had the lock.
fn has_name(layers: &OwnedFd, name: impl rustix::path::Arg, directory: &OwnedFd) -> Result<bool, Errno> {
    match rustix::fs::statat(layers, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(tree::same_file(&stat, &rustix::fs::fstat(directory)?)),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn names(path: &Path) -> Vec<String> {
        let names = std::fs::read_dir(path).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_directory_is_published_or_gone() {
        let base = tempfile::tempdir().unwrap();
        let layers = tree::open_path(base.path()).unwrap();
        let claim = || Work::claim(&layers, "key", || panic!("nobody else is here")).unwrap().unwrap();

        let work = claim();
        rustix::fs::mkdirat(work.directory(), "rootfs", Mode::RWXU).unwrap();
        drop(work);
        assert!(names(base.path()).is_empty());

        for _ in 0..2 {
            let work = claim();
            rustix::fs::mkdirat(work.directory(), "rootfs", Mode::RWXU).unwrap();
            work.publish("final").unwrap();
            assert_eq!(names(base.path()), ["final"]);
        }
    }

    #[test]
    fn what_the_dead_left_is_swept_and_what_the_living_hold_is_not() {
        let base = tempfile::tempdir().unwrap();
        let layers = tree::open_path(base.path()).unwrap();
        std::fs::create_dir_all(base.path().join(".tmp-dead/rootfs/etc")).unwrap();
        let living = Work::claim(&layers, "living", || ()).unwrap().unwrap();
        sweep(&layers).unwrap();
        assert_eq!(names(base.path()), [".tmp-living"]);
        drop(living);
    }
}
