//! Paths below a directory: openat2(2), and the same by hand where a filter of an outer container refuses it.
//!
//! By hand each name is opened in the directory before it, as itself (`O_NOFOLLOW`), and a link's text is walked in its
//! place. `..` goes back to the directory that the walk came through, and never asks the file system for it: whatever is
//! renamed meanwhile, no step leaves what was below the root when it was opened.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// The most links on the way (path_resolution(7)).
const LINKS: usize = 40;

/// How often openat2(2) is asked again: it gives `EAGAIN` when a rename elsewhere might have let it out of the root.
const TRIES: usize = 128;

const PROC_SUPER_MAGIC: i64 = 0x9fa0;

/// Opens `path` below `root`, close-on-exec. `resolve` has `IN_ROOT` or `BENEATH`; magic links are never followed.
///
/// # Errors
/// The errno that openat2(2) gives: `ELOOP` for a link that may not be followed, `EXDEV` for a way out or, with
/// `NO_XDEV`, into another mount, `EAGAIN` where renames do not end.
pub fn open(
    root: impl AsFd,
    path: impl AsRef<Path>,
    flags: OFlags,
    mode: Mode,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let (root, path) = (root.as_fd(), path.as_ref());
    let (flags, resolve) = (flags | OFlags::CLOEXEC, resolve | ResolveFlags::NO_MAGICLINKS);
    for _ in 0..TRIES {
        match rustix::fs::openat2(root, path, flags, mode, resolve) {
            Err(Errno::AGAIN) => {}
            // EPERM may also be the file's own answer, which the walk then comes to as well.
            Err(Errno::NOSYS | Errno::PERM) => return by_hand(root, path, flags, mode, resolve),
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// What [`open`] does where openat2(2) is refused.
///
/// # Errors
/// As [`open`].
pub fn by_hand(
    root: BorrowedFd,
    path: &Path,
    flags: OFlags,
    mode: Mode,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(Errno::NOENT);
    }
    let mut walk = Walk { root, above: Vec::new(), left: VecDeque::new(), links: 0, resolve, mount: None };
    if resolve.contains(ResolveFlags::NO_XDEV) {
        walk.mount = Some(mount_of(root)?);
    }
    walk.put(bytes)?;
    while let Some(name) = walk.left.pop_front() {
        if walk.left.is_empty() {
            match walk.last(&name, flags, mode) {
                // A link, whose text is now what is left.
                Ok(None) => {}
                Ok(Some(file)) => return Ok(file),
                Err(errno) => return Err(errno),
            }
        } else {
            walk.step(&name)?;
        }
    }
    // The text of a link was only slashes: the root itself.
    walk.reopen(OsStr::new("."), flags, mode)
}

struct Walk<'a> {
    root: BorrowedFd<'a>,
    /// The directories below the root that the walk is in.
    above: Vec<OwnedFd>,
    /// Names that are left.
    left: VecDeque<OsString>,
    links: usize,
    resolve: ResolveFlags,
    /// The mount that may not be left.
    mount: Option<u64>,
}

impl Walk<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        self.above.last().map_or(self.root, AsFd::as_fd)
    }

    /// Puts the names of a path in front of those that are left.
    fn put(&mut self, path: &[u8]) -> Result<(), Errno> {
        if path.starts_with(b"/") {
            if !self.resolve.contains(ResolveFlags::IN_ROOT) {
                return Err(Errno::XDEV);
            }
            self.above.clear();
        }
        let mut names: Vec<_> = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
        // What is asked for with a slash at its end has to be a directory.
        if names.is_empty() || path.ends_with(b"/") {
            names.push(b".");
        }
        for name in names.into_iter().rev() {
            self.left.push_front(OsString::from_vec(name.to_vec()));
        }
        Ok(())
    }

    /// Enters a directory, or puts a link's text in its place.
    fn step(&mut self, name: &OsStr) -> Result<(), Errno> {
        if name == "." {
            return Ok(());
        }
        if name == ".." {
            return self.up();
        }
        let next = self.named(name)?;
        match kind(next.as_fd())? {
            FileType::Symlink => self.follow(next.as_fd()),
            FileType::Directory => {
                self.above.push(next);
                Ok(())
            }
            _ => Err(Errno::NOTDIR),
        }
    }

    fn up(&mut self) -> Result<(), Errno> {
        if self.above.pop().is_none() && !self.resolve.contains(ResolveFlags::IN_ROOT) {
            return Err(Errno::XDEV);
        }
        Ok(())
    }

    /// Opens the last name; none where it is a link to be followed.
    fn last(&mut self, name: &OsStr, flags: OFlags, mode: Mode) -> Result<Option<OwnedFd>, Errno> {
        if name == ".." {
            self.up()?;
            return self.reopen(OsStr::new("."), flags, mode).map(Some);
        }
        if name == "." {
            return self.reopen(name, flags, mode).map(Some);
        }
        let found = match self.named(name) {
            Err(Errno::NOENT) if flags.contains(OFlags::CREATE) => None,
            found => Some(found?),
        };
        if let Some(found) = found {
            if kind(found.as_fd())? == FileType::Symlink {
                return match (flags.contains(OFlags::NOFOLLOW), flags.contains(OFlags::PATH)) {
                    (true, true) if !flags.contains(OFlags::DIRECTORY) => Ok(Some(found)),
                    (true, true) => Err(Errno::NOTDIR),
                    (true, false) => Err(Errno::LOOP),
                    (false, _) => self.follow(found.as_fd()).map(|()| None),
                };
            }
            if flags.contains(OFlags::PATH) {
                let wrong = flags.contains(OFlags::DIRECTORY) && kind(found.as_fd())? != FileType::Directory;
                return if wrong { Err(Errno::NOTDIR) } else { Ok(Some(found)) };
            }
        }
        self.reopen(name, flags | OFlags::NOFOLLOW, mode).map(Some)
    }

    /// A name of this directory, as itself.
    fn named(&self, name: &OsStr) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.on_this_mount(rustix::fs::openat(self.here(), name, flags, Mode::empty())?)
    }

    /// A name of this directory in the way that was asked for: no link, or it fails.
    fn reopen(&self, name: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        self.on_this_mount(rustix::fs::openat(self.here(), name, flags, mode)?)
    }

    fn on_this_mount(&self, file: OwnedFd) -> Result<OwnedFd, Errno> {
        match self.mount {
            Some(mount) if mount_of(file.as_fd())? != mount => Err(Errno::XDEV),
            _ => Ok(file),
        }
    }

    fn follow(&mut self, link: BorrowedFd) -> Result<(), Errno> {
        self.links += 1;
        if self.resolve.contains(ResolveFlags::NO_SYMLINKS) || self.links > LINKS {
            return Err(Errno::LOOP);
        }
        let text = rustix::fs::readlinkat(link, c"", Vec::new())?;
        let text = text.to_bytes();
        // The links of procfs that are text name processes; the others are doors (proc_pid_fd(5)).
        let is_magic = || text.starts_with(b"/") || text.contains(&b':');
        if rustix::fs::fstatfs(link)?.f_type as i64 == PROC_SUPER_MAGIC && is_magic() {
            return Err(Errno::LOOP);
        }
        self.put(text)
    }
}

fn kind(file: BorrowedFd) -> Result<FileType, Errno> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode))
}

/// The mount that a file was reached by, statx(2).
fn mount_of(file: BorrowedFd) -> Result<u64, Errno> {
    let stat = rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    let known = StatxFlags::from_bits_retain(stat.stx_mask).contains(StatxFlags::MNT_ID);
    if known { Ok(stat.stx_mnt_id) } else { Err(Errno::NOSYS) }
}
