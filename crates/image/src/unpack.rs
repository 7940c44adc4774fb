//! Entries onto the disk, by descriptor.
//!
//! The archive is not trusted. What keeps it inside the new root:
//!
//! - a name with `..` is refused ([`RootPath`]);
//! - the parent of every entry is opened with openat2(2) and RESOLVE_IN_ROOT, so a link that the archive
//!   has made leads, wherever it points, to a place under the new root;
//! - the last component is made anew (O_EXCL, mkdirat, symlinkat, linkat without following) in that
//!   parent's descriptor, after what had the name is removed;
//! - device nodes are not made at all: cuddy gives containers a /dev of its own, and elsewhere a node
//!   would only be a way to the machine's disks, or a whiteout to overlayfs.

use crate::archive::{Entries, Entry, Kind, Meta};
use crate::content;
use crate::error::{EntryName, Fault, Place};
use crate::limits::{Limits, PATH_BYTES};
use crate::name::{self, RootPath};
use crate::pax::Time;
use crate::sparse::Content;
use crate::times::{DirectoryTimes, modification};
use crate::tree;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::rc::Rc;

/// What unpacking an archive came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries, and directories that had to be made because no entry named them.
    pub entries: u64,
    /// Bytes of the tar stream.
    pub bytes: u64,
    /// Character and block devices that were left out.
    pub skipped_devices: u64,
    /// Extended attributes that were left out: all but file capabilities and `user.*`, and of these what
    /// overlay file systems would take for their own or the store's file system does not have.
    pub dropped_xattrs: u64,
}

/// Unpacks into one root directory.
pub(crate) struct Unpacker<'a> {
    root: Rc<OwnedFd>,
    /// The directory that was used last: the next entry is most often in it.
    last: (Vec<u8>, Rc<OwnedFd>),
    times: DirectoryTimes,
    limits: &'a Limits,
    /// Root gives files to their owners; anybody else's files are their own, as with tar.
    owners: bool,
    /// Where in the stream the free space is looked at again.
    next_space_check: u64,
    tally: Tally,
}

/// Bytes of the stream between two looks at the free space.
const SPACE_CHECK: u64 = 64 << 20;

/// The owner and mode of a directory that has no entry. Its time stays that of the unpacking.
const IMPLICIT: Owner = Owner { uid: 0, gid: 0, mode: 0o755 };

/// Whose a file is and who may do what with it.
#[derive(Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
    mode: u32,
}

impl From<Meta> for Owner {
    fn from(Meta { uid, gid, mode, .. }: Meta) -> Self {
        Self { uid, gid, mode }
    }
}

impl<'a> Unpacker<'a> {
    /// Makes the root directory `name` in `work`, to unpack into it.
    pub(crate) fn new(work: impl AsFd, name: &str, limits: &'a Limits) -> Result<Self, Fault> {
        rustix::fs::mkdirat(&work, name, Mode::RWXU).map_err(failed("mkdirat"))?;
        let root = Rc::new(tree::open_directory(&work, name.as_bytes()).map_err(failed("openat"))?);
        let unpacker = Self {
            last: (Vec::new(), root.clone()),
            times: DirectoryTimes::new(&work).map_err(failed("openat"))?,
            limits,
            owners: rustix::process::geteuid().is_root(),
            next_space_check: 0,
            tally: Tally::default(),
            root,
        };
        // An archive need not have an entry for its root.
        unpacker.own_directory(&unpacker.root, IMPLICIT)?;
        Ok(unpacker)
    }

    /// Unpacks all entries and reads the stream to its end. `step` is called often.
    pub(crate) fn run(
        mut self,
        entries: &mut Entries,
        step: &mut dyn FnMut(&Tally),
    ) -> Result<Tally, (Place, Fault)> {
        let mut place = Place::Archive;
        loop {
            let entry = match entries.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(fault) => return Err((place, fault)),
            };
            let name = EntryName(entry.name.clone());
            if let Err(fault) = self.entry(&entry, entries, step) {
                return Err((Place::Entry(name), fault));
            }
            place = Place::After(name);
        }
        self.finish(entries).map_err(|fault| (Place::Archive, fault))
    }

    fn finish(mut self, entries: &mut Entries) -> Result<Tally, Fault> {
        if self.tally.entries == 0 {
            return Err(Fault::NoEntries);
        }
        entries.drain()?;
        self.tally.bytes = entries.offset();
        let reading = |error: io::Error| Fault::io("reading the list of directories", &error);
        for record in self.times.into_records().map_err(reading)? {
            let (path, time) = record.map_err(reading)?;
            set_directory_time(&self.root, &path, time)?;
        }
        Ok(self.tally)
    }

    fn entry(
        &mut self,
        entry: &Entry,
        entries: &mut Entries,
        step: &mut dyn FnMut(&Tally),
    ) -> Result<(), Fault> {
        self.count()?;
        self.check_space(entries)?;
        let path = RootPath::parse(&entry.name, "the name")?;
        match &entry.kind {
            Kind::Device => self.tally.skipped_devices += 1,
            Kind::Directory => self.directory(&path, entry)?,
            Kind::File(content) => self.file(&path, entry, content, entries, step)?,
            Kind::Symlink(target) => self.symlink(&path, entry, target)?,
            Kind::HardLink(target) => self.hard_link(&path, target)?,
            Kind::Fifo => self.fifo(&path, entry)?,
        }
        self.tally.bytes = entries.offset();
        step(&self.tally);
        Ok(())
    }

    fn directory(&mut self, path: &RootPath, entry: &Entry) -> Result<(), Fault> {
        let directory = match path.split() {
            None => self.root.clone(),
            Some((parent, name)) => {
                let parent = self.parent(parent)?;
                Rc::new(self.make_directory(&parent, name)?)
            }
        };
        self.own_directory(&directory, entry.meta.into())?;
        self.xattrs(&directory, entry)?;
        let remember = self.times.push(path.as_bytes(), entry.meta.mtime);
        remember.map_err(|error| Fault::io("writing the list of directories", &error))?;
        self.last = (path.as_bytes().to_vec(), directory);
        Ok(())
    }

    fn file(
        &mut self,
        path: &RootPath,
        entry: &Entry,
        content: &Content,
        entries: &mut Entries,
        step: &mut dyn FnMut(&Tally),
    ) -> Result<(), Fault> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = self.create(path, "openat", |parent, name| {
            rustix::fs::openat(parent, name, flags, Mode::RUSR | Mode::WUSR)
        })?;
        let file = File::from(file.made);
        content::write(&file, content, entries, |entries| {
            self.tally.bytes = entries.offset();
            step(&self.tally);
            self.check_space(entries)
        })?;
        // chown(2) and write(2) take set-user-id and file capabilities away, so these come last.
        if self.owners {
            let (uid, gid) = ids(entry.meta.into());
            rustix::fs::fchown(&file, Some(uid), Some(gid)).map_err(failed_chown(entry.meta.into()))?;
        }
        self.xattrs(&file, entry)?;
        let mode = Mode::from_raw_mode(entry.meta.mode);
        rustix::fs::fchmod(&file, mode).map_err(failed("fchmod"))?;
        rustix::fs::futimens(&file, &modification(entry.meta.mtime)).map_err(failed("futimens"))
    }

    fn symlink(&mut self, path: &RootPath, entry: &Entry, target: &[u8]) -> Result<(), Fault> {
        if target.is_empty() || target.len() > PATH_BYTES || target.contains(&0) {
            return Err(Fault::BadName(format!("{} is no target for a link", EntryName(target.to_vec()))));
        }
        let link =
            self.create(path, "symlinkat", |parent, name| rustix::fs::symlinkat(target, parent, name))?;
        self.name_metadata(&link.parent, link.name, entry)
    }

    fn fifo(&mut self, path: &RootPath, entry: &Entry) -> Result<(), Fault> {
        let mode = Mode::from_raw_mode(entry.meta.mode);
        let fifo = self.create(path, "mknodat", |parent, name| {
            rustix::fs::mknodat(parent, name, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        })?;
        self.name_metadata(&fifo.parent, fifo.name, entry)?;
        // The name was made a moment ago in a directory that is nobody else's: it is no link.
        rustix::fs::chmodat(&fifo.parent, fifo.name, mode, AtFlags::empty()).map_err(failed("fchmodat"))?;
        self.name_time(&fifo.parent, fifo.name, entry.meta.mtime)
    }

    /// Links to what the archive has unpacked: the root was empty when it began.
    fn hard_link(&mut self, path: &RootPath, raw: &[u8]) -> Result<(), Fault> {
        let refuse = |reason| Fault::HardLink { target: EntryName(raw.to_vec()), reason };
        let target = RootPath::parse(raw, "the target of the hard link")?;
        let (directory, target) = target.split().ok_or_else(|| refuse("it is the root"))?;
        let missing = "it is not in the archive before this entry, or is a device, which is not unpacked";
        let directory = match tree::open_in_root(&self.root, directory, OFlags::PATH | OFlags::DIRECTORY) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Err(refuse(missing)),
            result => result.map_err(failed("openat2"))?,
        };
        let look = |parent: &OwnedFd, name| rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW);
        let stat = match look(&directory, target) {
            Err(Errno::NOENT) => return Err(refuse(missing)),
            result => result.map_err(failed("fstatat"))?,
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Err(refuse("it is a directory"));
        }
        let (parent, name) = path.split().ok_or(Fault::RootKind)?;
        let parent = self.parent(parent)?;
        if look(&parent, name).is_ok_and(|there| tree::same_file(&there, &stat)) {
            return Ok(());
        }
        // Without AT_SYMLINK_FOLLOW a link to a link is a link to the link itself.
        self.create(path, "linkat", |parent, name| {
            rustix::fs::linkat(&directory, target, parent, name, AtFlags::empty())
        })?;
        Ok(())
    }

    /// Owner and time of what cannot be opened. No extended attribute that is kept can be on it.
    fn name_metadata(&mut self, parent: &OwnedFd, name: &[u8], entry: &Entry) -> Result<(), Fault> {
        if self.owners {
            let (uid, gid) = ids(entry.meta.into());
            rustix::fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(failed_chown(entry.meta.into()))?;
        }
        self.tally.dropped_xattrs += entry.xattrs.len() as u64;
        self.name_time(parent, name, entry.meta.mtime)
    }

    fn name_time(&self, parent: &OwnedFd, name: &[u8], time: Time) -> Result<(), Fault> {
        rustix::fs::utimensat(parent, name, &modification(time), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(failed("utimensat"))
    }

    fn own_directory(&self, directory: &OwnedFd, owner: Owner) -> Result<(), Fault> {
        let mut mode = Mode::from_raw_mode(owner.mode);
        if self.owners {
            let (uid, gid) = ids(owner);
            rustix::fs::fchown(directory, Some(uid), Some(gid)).map_err(failed_chown(owner))?;
        } else {
            // Only root can put files into a directory that does not let its owner.
            mode |= Mode::RWXU;
        }
        rustix::fs::fchmod(directory, mode).map_err(failed("fchmod"))
    }

    fn xattrs(&mut self, file: impl AsFd, entry: &Entry) -> Result<(), Fault> {
        for (name, value) in &entry.xattrs {
            if !is_kept(name) {
                self.tally.dropped_xattrs += 1;
                continue;
            }
            match rustix::fs::fsetxattr(&file, name, value, XattrFlags::empty()) {
                Ok(()) => {}
                // A file system without them, or a user who may not give capabilities: the file then
                // has less, never more.
                Err(Errno::OPNOTSUPP) => self.tally.dropped_xattrs += 1,
                Err(Errno::PERM) if !self.owners => self.tally.dropped_xattrs += 1,
                Err(error) => {
                    return Err(Fault::call(format!("fsetxattr {}", EntryName(name.clone())), error));
                }
            }
        }
        Ok(())
    }

    /// Makes the file `path` with `make`, in place of what has the name.
    fn create<'p, T>(
        &mut self,
        path: &'p RootPath,
        call: &'static str,
        make: impl Fn(&OwnedFd, &[u8]) -> Result<T, Errno>,
    ) -> Result<Created<'p, T>, Fault> {
        let (parent, name) = path.split().ok_or(Fault::RootKind)?;
        let parent = self.parent(parent)?;
        let made = match make(&parent, name) {
            Err(Errno::EXIST) => {
                self.clear(&parent, name)?;
                make(&parent, name)
            }
            result => result,
        };
        Ok(Created { made: made.map_err(failed(call))?, parent, name })
    }

    /// Makes the directory `name`, or opens the one that is there. A link in its place is replaced.
    fn make_directory(&mut self, parent: &OwnedFd, name: &[u8]) -> Result<OwnedFd, Fault> {
        let make = || rustix::fs::mkdirat(parent, name, Mode::RWXU);
        match make() {
            Err(Errno::EXIST) if !tree::is_directory(parent, name) => {
                self.clear(parent, name)?;
                make().map_err(failed("mkdirat"))?;
            }
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Fault::call("mkdirat", error)),
        }
        tree::open_directory(parent, name).map_err(failed("openat"))
    }

    /// Removes what has the name of a new entry: the last of several wins, as with tar.
    fn clear(&mut self, parent: &OwnedFd, name: &[u8]) -> Result<(), Fault> {
        // The directory that was used last may be in it, or be reached through it.
        self.last = (Vec::new(), self.root.clone());
        tree::remove(parent.as_fd(), name).map_err(failed("unlinkat"))
    }

    /// The directory `path`, made with its parents if it is not there.
    fn parent(&mut self, path: &[u8]) -> Result<Rc<OwnedFd>, Fault> {
        if self.last.0 != path {
            let directory = Rc::new(self.open_or_make(path)?);
            self.last = (path.to_vec(), directory);
        }
        Ok(self.last.1.clone())
    }

    fn open_or_make(&mut self, path: &[u8]) -> Result<OwnedFd, Fault> {
        let mut missing = Vec::new();
        let mut existing = path;
        let mut directory = loop {
            match tree::open_in_root(&self.root, existing, OFlags::PATH | OFlags::DIRECTORY) {
                Err(Errno::NOENT) => match name::split(existing) {
                    Some((parent, name)) => {
                        missing.push((existing, name));
                        existing = parent;
                    }
                    None => return Err(Fault::call("openat2", Errno::NOENT)),
                },
                Err(Errno::NOTDIR | Errno::LOOP) => return Err(Fault::Parent(EntryName(existing.to_vec()))),
                result => break result.map_err(failed("openat2"))?,
            }
        };
        for (path, name) in missing.into_iter().rev() {
            self.count()?;
            match rustix::fs::mkdirat(&directory, name, Mode::RWXU) {
                // The name is there and yet does not resolve: a link to nothing.
                Err(Errno::EXIST) => return Err(Fault::Parent(EntryName(path.to_vec()))),
                result => result.map_err(failed("mkdirat"))?,
            }
            directory = tree::open_directory(&directory, name).map_err(failed("openat"))?;
            self.own_directory(&directory, IMPLICIT)?;
        }
        Ok(directory)
    }

    fn count(&mut self) -> Result<(), Fault> {
        let limit = self.limits.entries;
        if self.tally.entries == limit {
            return Err(Fault::Limit { what: "entries", limit });
        }
        self.tally.entries += 1;
        Ok(())
    }

    fn check_space(&mut self, entries: &Entries) -> Result<(), Fault> {
        if entries.offset() < self.next_space_check {
            return Ok(());
        }
        self.next_space_check = entries.offset() + SPACE_CHECK;
        let space = rustix::fs::fstatvfs(&self.root).map_err(failed("fstatvfs"))?;
        let (free, keep) = (space.f_bavail.saturating_mul(space.f_frsize), self.limits.keep_free);
        if free < keep { Err(Fault::DiskFull { free, keep }) } else { Ok(()) }
    }
}

/// A new file, and where it is.
struct Created<'p, T> {
    made: T,
    parent: Rc<OwnedFd>,
    name: &'p [u8],
}

fn failed(call: &'static str) -> impl Fn(Errno) -> Fault {
    move |error| Fault::call(call, error)
}

fn failed_chown(Owner { uid, gid, .. }: Owner) -> impl Fn(Errno) -> Fault {
    move |error| Fault::call(format!("chown to {uid}:{gid}"), error)
}

fn ids(owner: Owner) -> (Uid, Gid) {
    (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid))
}

/// Whether an extended attribute comes from the archive into the store. File capabilities belong to the
/// program, and `user.*` to the user; everything else is the business of the machine that made the archive
/// (labels of its security modules) or of overlay file systems, which would believe it.
fn is_kept(name: &[u8]) -> bool {
    const OVERLAYS: [&[u8]; 3] = [b"user.overlay.", b"user.fuseoverlayfs.", b"user.containers."];
    name == b"security.capability"
        || name.starts_with(b"user.") && !OVERLAYS.iter().any(|prefix| name.starts_with(prefix))
}

/// Sets the time of a directory if it is still there: a later entry may have replaced it.
fn set_directory_time(root: &OwnedFd, path: &[u8], time: Time) -> Result<(), Fault> {
    let times = modification(time);
    let Some((parent, name)) = name::split(path) else {
        return rustix::fs::futimens(root, &times).map_err(failed("futimens"));
    };
    let set = tree::open_in_root(root, parent, OFlags::PATH | OFlags::DIRECTORY).and_then(|parent| {
        match tree::is_directory(&parent, name) {
            true => rustix::fs::utimensat(&parent, name, &times, AtFlags::SYMLINK_NOFOLLOW),
            false => Ok(()),
        }
    });
    match set {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
        result => result.map_err(failed("utimensat")),
    }
}

#[cfg(test)]
mod tests {
    use super::is_kept;

    #[test]
    fn only_capabilities_and_user_attributes_are_kept() {
        for name in ["security.capability", "user.mime_type", "user.overlayed"] {
            assert!(is_kept(name.as_bytes()), "{name}");
        }
        for name in [
            "trusted.overlay.opaque",
            "user.overlay.whiteout",
            "user.fuseoverlayfs.opaque",
            "user.containers.override_stat",
            "security.selinux",
            "system.posix_acl_access",
            "user",
            "",
        ] {
            assert!(!is_kept(name.as_bytes()), "{name}");
        }
    }
}
