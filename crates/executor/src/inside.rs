//! Paths inside the container: resolved when a step runs, by descriptor, never out of the root.

use crate::failure::Error;
use crate::{Slots, copy_up, mounts, process};
use plan::{Attr, DeviceKind, Follow, MountPoint, Op, Slot};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, makedev};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The longest chain of links that is followed by hand; the kernel's own bound (path_resolution(7)).
const LINKS: usize = 40;

fn resolve(follow: Follow) -> ResolveFlags {
    let flags = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    match follow {
        Follow::InRoot => flags,
        Follow::Never => flags | ResolveFlags::NO_SYMLINKS,
    }
}

/// openat2(2), or the same by hand.
pub(crate) fn open(root: BorrowedFd, path: &Path, flags: OFlags, follow: Follow) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    sys::path::open(root, path, flags, Mode::empty(), resolve(follow))
}

/// What is at a path of the container.
pub(crate) fn find(slots: &Slots, path: &Path) -> Result<OwnedFd, Error> {
    Ok(open(slots.get(Slot::Root)?, relative(path), OFlags::PATH | OFlags::CLOEXEC, Follow::InRoot)?)
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

/// The directory that `path` names, made with those above it where they are missing.
fn directory(root: BorrowedFd, path: &Path, mode: u32, follow: Follow) -> Result<OwnedFd, Errno> {
    match open(root, path, OFlags::PATH | OFlags::DIRECTORY, follow) {
        Err(Errno::NOENT) => {}
        result => return result,
    }
    let (parent, name) = split(path).ok_or(Errno::NOENT)?;
    let above = directory(root, parent, mode, follow)?;
    match rustix::fs::mkdirat(&above, name, Mode::from_raw_mode(mode)) {
        Ok(()) => open(root, path, OFlags::PATH | OFlags::DIRECTORY, follow),
        // Made by somebody else meanwhile, or a link to nowhere: then what it points to is made.
        Err(Errno::EXIST) if follow == Follow::InRoot => match link(above.as_fd(), parent, name)? {
            Some(target) => directory(root, &target, mode, follow),
            None => open(root, path, OFlags::PATH | OFlags::DIRECTORY, follow),
        },
        Err(errno) => Err(errno),
    }
}

fn split(path: &Path) -> Option<(&Path, &OsStr)> {
    Some((path.parent()?, path.file_name()?))
}

/// Where the link `name` in `parent` points, as a path from the root; `None`: it is no link.
fn link(above: BorrowedFd, parent: &Path, name: &OsStr) -> Result<Option<PathBuf>, Errno> {
    match rustix::fs::readlinkat(above, name, Vec::new()) {
        Ok(target) => {
            use std::os::unix::ffi::OsStrExt;
            let target = Path::new(OsStr::from_bytes(target.to_bytes()));
            Ok(Some(target.strip_prefix("/").map_or_else(|_| parent.join(target), Path::to_owned)))
        }
        Err(Errno::INVAL) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// The file that `path` names, made empty where it is missing.
fn file(root: BorrowedFd, path: &Path, follow: Follow) -> Result<OwnedFd, Errno> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match open(root, &path, OFlags::PATH, follow) {
            Err(Errno::NOENT) => {}
            result => return result,
        }
        let (parent, name) = split(&path).ok_or(Errno::NOENT)?;
        let above = directory(root, parent, 0o755, follow)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::WRONLY;
        match rustix::fs::openat(&above, name, flags, Mode::from_raw_mode(0o644)) {
            Ok(_) => {}
            Err(Errno::EXIST) if follow == Follow::InRoot => {
                if let Some(target) = link(above.as_fd(), parent, name)? {
                    path = target;
                }
            }
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::LOOP)
}

/// Attaches a mount inside the container, making the mount point where it is missing.
pub(crate) fn attach(
    slots: &mut Slots,
    slot: Slot,
    path: &Path,
    follow: Follow,
    missing: MountPoint,
) -> Result<(), Error> {
    let mount = slots.get(slot)?;
    let root = slots.get(Slot::Root)?;
    let path = relative(path);
    if path.as_os_str().is_empty() {
        return cover_root(slots, slot);
    }
    let is_directory = match missing {
        MountPoint::Directory => true,
        MountPoint::File => false,
        MountPoint::Same => is_a_directory(mount.as_fd())?,
    };
    let target =
        match if is_directory { directory(root, path, 0o755, follow) } else { file(root, path, follow) } {
            Err(Errno::NOTDIR) => {
                return Err(Error::told(Errno::NOTDIR, "there is a file at that path, or on the way to it"));
            }
            target => target?,
        };
    if !is_directory && is_a_directory(target.as_fd())? {
        return Err(Error::told(Errno::ISDIR, "the source is a file, and there is a directory at that path"));
    }
    // What the configuration may mount below /proc the planner has decided by name; a link there has no name.
    if !path.starts_with("proc") && process::is_proc(target.as_fd())? {
        let why = "a link leads into /proc, and a mount there would let the container forge /proc";
        return Err(Error::told(Errno::PERM, why));
    }
    mounts::attach_at(mount.as_fd(), target.as_fd())
}

/// Attaches a mount over the root, and takes it for the root from then on.
fn cover_root(slots: &mut Slots, slot: Slot) -> Result<(), Error> {
    let mount = slots.get(slot)?;
    if !is_a_directory(mount)? {
        return Err(Error::told(Errno::NOTDIR, "it is not a directory"));
    }
    mounts::attach_at(mount, slots.get(Slot::Root)?)?;
    let root = rustix::io::fcntl_dupfd_cloexec(mount, 0)?;
    drop(slots.take(Slot::Root)?);
    slots.fill(Slot::Root, root);
    Ok(())
}

/// What is mounted at a path of the container.
pub(crate) fn mount_point(slots: &Slots, path: &Path) -> Result<OwnedFd, Error> {
    Ok(open(slots.get(Slot::Root)?, relative(path), OFlags::PATH, Follow::InRoot)?)
}

/// The directory that a mount will cover, if it is there.
fn covered(slots: &Slots, path: &Path) -> Result<Option<OwnedFd>, Errno> {
    let root = slots.get(Slot::Root).map_err(|_| Errno::BADF)?;
    match open(root, relative(path), OFlags::PATH | OFlags::DIRECTORY, Follow::InRoot) {
        Ok(directory) => Ok(Some(directory)),
        // What stands in the way is told where the mount is attached.
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(crate) fn copy_mode(slots: &Slots, slot: Slot, path: &Path) -> Result<(), Error> {
    match covered(slots, path)? {
        Some(directory) => copy_up::copy_mode(directory.as_fd(), slots.get(slot)?),
        None => Ok(()),
    }
}

pub(crate) fn copy_up(slots: &Slots, slot: Slot, path: &Path, keeps_mode: bool) -> Result<(), Error> {
    match covered(slots, path)? {
        Some(directory) => copy_up::copy(directory.as_fd(), slots.get(slot)?, keeps_mode),
        None => Ok(()),
    }
}

pub(crate) fn is_a_directory(file: BorrowedFd) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode) == FileType::Directory)
}

pub(crate) fn mask(slots: &mut Slots, path: &Path) -> Result<(), Error> {
    let target =
        open(slots.get(Slot::Root)?, relative(path), OFlags::PATH, Follow::InRoot).map_err(absent)?;
    let is_directory = is_a_directory(target.as_fd())?;
    if is_directory && !std::mem::replace(&mut slots.empty_is_attached, true) {
        return mounts::attach_at(slots.get(Slot::Empty)?, target.as_fd());
    }
    let cover = slots.get(if is_directory { Slot::Empty } else { Slot::Null })?;
    let cover = mounts::clone_descriptor(cover, false)?;
    mounts::attach_at(cover.as_fd(), target.as_fd())
}

/// A path below something that is no directory is not there, either.
fn absent(errno: Errno) -> Errno {
    if errno == Errno::NOTDIR { Errno::NOENT } else { errno }
}

pub(crate) fn make_read_only(slots: &Slots, path: &Path) -> Result<(), Error> {
    let target =
        open(slots.get(Slot::Root)?, relative(path), OFlags::PATH, Follow::InRoot).map_err(absent)?;
    let tree = mounts::clone_descriptor(target.as_fd(), true)?;
    mounts::set_attr(tree.as_fd(), true, Attr::RDONLY, Attr::NONE, None)?;
    mounts::attach_at(tree.as_fd(), target.as_fd())
}

pub(crate) fn make_directory(slots: &Slots, path: &Path, mode: u32) -> Result<(), Error> {
    directory(slots.get(Slot::Root)?, relative(path), mode, Follow::InRoot)?;
    Ok(())
}

pub(crate) fn make_symlink(slots: &Slots, target: &str, path: &Path) -> Result<(), Error> {
    let (parent, name) = split(relative(path)).ok_or(Errno::INVAL)?;
    let above = directory(slots.get(Slot::Root)?, parent, 0o755, Follow::InRoot)?;
    Ok(rustix::fs::symlinkat(target, above, name)?)
}

pub(crate) fn make_device(slots: &Slots, op: &Op) -> Result<(), Error> {
    let Op::MakeDevice { within, path, kind, major, minor, mode, uid, gid } = op else {
        return Err(Errno::INVAL.into());
    };
    let (parent, name) = split(relative(path)).ok_or(Errno::INVAL)?;
    let above = directory(slots.get(*within)?, parent, 0o755, Follow::InRoot)?;
    let file_type = match kind {
        DeviceKind::Block => FileType::BlockDevice,
        DeviceKind::Char | DeviceKind::Unbuffered => FileType::CharacterDevice,
        DeviceKind::Fifo => FileType::Fifo,
    };
    let number = makedev(*major, *minor);
    let mode = Mode::from_raw_mode(*mode);
    match rustix::fs::mknodat(&above, name, file_type, mode, number) {
        // In a file system that nobody else sees; the host's process has a umask, which init has not.
        Ok(()) if *within != Slot::Root => {
            rustix::fs::chownat(
                &above,
                name,
                Some(Uid::from_raw(*uid)),
                Some(Gid::from_raw(*gid)),
                AtFlags::empty(),
            )?;
            Ok(rustix::fs::chmodat(&above, name, mode, AtFlags::empty())?)
        }
        Ok(()) if (*uid, *gid) == (0, 0) => Ok(()),
        Ok(()) => {
            let owner = (Some(Uid::from_raw(*uid)), Some(Gid::from_raw(*gid)));
            Ok(rustix::fs::chownat(&above, name, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)?)
        }
        Err(Errno::EXIST) => {
            let there = rustix::fs::statat(&above, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if FileType::from_raw_mode(there.st_mode) == file_type && there.st_rdev == number {
                return Ok(());
            }
            Err(Error::told(Errno::EXIST, "something else is there already"))
        }
        Err(errno) => Err(errno.into()),
    }
}
