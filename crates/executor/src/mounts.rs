//! Mounts as descriptors: made, copied and changed before they have a place.

use crate::Slots;
use crate::failure::Error;
use plan::{Attr, Propagation, Slot};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
    fsconfig_create, fsconfig_reconfigure, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, fspick,
    move_mount, open_tree,
};
use std::path::Path;
use sys::mount::{Attributes, set_attributes};

/// `MOUNT_ATTR_IDMAP`, which is no option of a mount but asks for a mapping.
const IDMAP: u64 = 0x10_0000;

pub(crate) fn new(
    fstype: &str,
    source: Option<&str>,
    options: &[(String, Option<String>)],
    attr: Attr,
) -> Result<OwnedFd, Error> {
    let context = fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC)?;
    configure(context.as_fd(), source, options).map_err(|errno| told_by_kernel(&context, errno))?;
    let attr = MountAttrFlags::from_bits_retain(attr.bits() as u32);
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attr).map_err(|errno| told_by_kernel(&context, errno))
}

fn configure(
    context: BorrowedFd,
    source: Option<&str>,
    options: &[(String, Option<String>)],
) -> Result<(), Errno> {
    if let Some(source) = source {
        fsconfig_set_string(context, "source", source)?;
    }
    set_options(context, options)?;
    fsconfig_create(context)
}

fn set_options(context: BorrowedFd, options: &[(String, Option<String>)]) -> Result<(), Errno> {
    for (key, value) in options {
        match value {
            Some(value) => fsconfig_set_string(context, key.as_str(), value.as_str())?,
            None => fsconfig_set_flag(context, key.as_str())?,
        }
    }
    Ok(())
}

/// The errno and what the kernel logged about it: a context is read line by line (fsopen(2)).
fn told_by_kernel(context: &OwnedFd, errno: Errno) -> Error {
    let mut lines = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = rustix::io::read(context, &mut buffer) {
        let line = String::from_utf8_lossy(&buffer[..length]);
        // "e " and the like is the kind of the line.
        lines.push(line.trim_end().get(2..).unwrap_or_default().to_owned());
    }
    if lines.is_empty() {
        return errno.into();
    }
    Error::told(errno, format!("{} (the kernel says: {})", sys::words(&errno.into()), lines.join("; ")))
}

pub(crate) fn clone_path(path: &Path, recursive: bool) -> Result<OwnedFd, Error> {
    Ok(open_tree(CWD, path, clone_flags(recursive))?)
}

pub(crate) fn clone_descriptor(from: BorrowedFd, recursive: bool) -> Result<OwnedFd, Error> {
    Ok(open_tree(from, c"", clone_flags(recursive) | OpenTreeFlags::AT_EMPTY_PATH)?)
}

fn clone_flags(recursive: bool) -> OpenTreeFlags {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive { flags | OpenTreeFlags::AT_RECURSIVE } else { flags }
}

pub(crate) fn make_directories(slots: &Slots, slot: Slot, names: &[String]) -> Result<(), Error> {
    let mount = slots.get(slot)?;
    for name in names {
        rustix::fs::mkdirat(mount, name.as_str(), Mode::from_raw_mode(0o755))?;
    }
    Ok(())
}

/// Opens `/dev/null`, proven to be it, so that no file of somebody's choice masks a path.
pub(crate) fn open_null(slots: &mut Slots) -> Result<(), Error> {
    let null = rustix::fs::open(c"/dev/null", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    if !is_null(null.as_fd())? {
        return Err(Error::told(Errno::NODEV, "it is not the null device"));
    }
    slots.fill(Slot::Null, null);
    Ok(())
}

/// Character device 1:3.
pub(crate) fn is_null(file: BorrowedFd) -> Result<bool, Errno> {
    let stat = rustix::fs::fstat(file)?;
    let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && device == (1, 3))
}

pub(crate) fn set_attr(
    mount: BorrowedFd,
    recursive: bool,
    set: Attr,
    clear: Attr,
    propagation: Option<Propagation>,
) -> Result<(), Error> {
    let attributes = Attributes {
        set: set.bits(),
        clear: clear.bits(),
        propagation: propagation.map_or(0, Propagation::bits),
        userns_fd: 0,
    };
    Ok(set_attributes(mount, c"", recursive, &attributes)?)
}

pub(crate) fn set_id_map(slots: &Slots, slot: Slot, map: Slot, recursive: bool) -> Result<(), Error> {
    use rustix::fd::AsRawFd;
    let userns_fd = slots.get(map)?.as_raw_fd() as u64;
    let attributes = Attributes { set: IDMAP, userns_fd, ..Attributes::default() };
    Ok(set_attributes(slots.get(slot)?, c"", recursive, &attributes)?)
}

/// Changes options of the file system that a descriptor is on.
pub(crate) fn reconfigure(target: BorrowedFd, options: &[(String, Option<String>)]) -> Result<(), Error> {
    let flags = FsPickFlags::FSPICK_CLOEXEC | FsPickFlags::FSPICK_EMPTY_PATH;
    let context = fspick(target, c"", flags)?;
    let changed = set_options(context.as_fd(), options).and_then(|()| fsconfig_reconfigure(&context));
    changed.map_err(|errno| told_by_kernel(&context, errno))
}

/// Labels the top directory of a mount for SELinux.
pub(crate) fn set_label(mount: BorrowedFd, label: &str) -> Result<(), Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = rustix::fs::openat(mount, c".", flags, Mode::empty())?;
    let none = rustix::fs::XattrFlags::empty();
    Ok(rustix::fs::fsetxattr(top, c"security.selinux", label.as_bytes(), none)?)
}

pub(crate) fn set_propagation(recursive: bool, propagation: Propagation) -> Result<(), Error> {
    let attributes = Attributes { propagation: propagation.bits(), ..Attributes::default() };
    Ok(set_attributes(CWD, c"/", recursive, &attributes)?)
}

pub(crate) fn make_root_read_only(slots: &Slots) -> Result<(), Error> {
    set_attr(slots.get(Slot::Root)?, false, Attr::RDONLY, Attr::NONE, None)
}

pub(crate) fn attach_on_host(slots: &mut Slots, slot: Slot, path: &Path) -> Result<(), Error> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    move_mount(slots.get(slot)?, c"", CWD, path, flags)?;
    if slot != Slot::Root {
        slots.take(slot)?;
    }
    Ok(())
}

/// Takes off what is mounted on a path of the machine, in this mount namespace.
pub(crate) fn detach(place: &Path) -> Result<(), Error> {
    Ok(rustix::mount::unmount(place, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?)
}

/// Attaches a mount at a descriptor.
pub(crate) fn attach_at(mount: BorrowedFd, target: BorrowedFd) -> Result<(), Error> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(mount, c"", target, c"", flags)?)
}

/// A directory of the mount namespace that this process is in; `/` is its root after joining one.
pub(crate) fn open_root(slots: &mut Slots, directory: &Path) -> Result<(), Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    slots.fill(Slot::Root, rustix::fs::open(directory, flags, Mode::empty())?);
    Ok(())
}

/// pivot_root(2) onto itself: the old root ends up on top of the new one and is taken off from there.
pub(crate) fn pivot_root(slots: &Slots) -> Result<(), Error> {
    rustix::process::fchdir(slots.get(Slot::Root)?)?;
    rustix::process::pivot_root(c".", c".")?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
    Ok(rustix::process::chdir(c"/")?)
}

/// Moves the new root over the old one. To change to it would not do: who joins the mount namespace later begins at
/// what is on top of its root (setns(2)).
pub(crate) fn move_root(slots: &Slots) -> Result<(), Error> {
    let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(slots.get(Slot::Root)?, c"", rustix::fs::CWD, c"/", both)?;
    chroot(slots)
}

pub(crate) fn chroot(slots: &Slots) -> Result<(), Error> {
    rustix::process::fchdir(slots.get(Slot::Root)?)?;
    rustix::process::chroot(c".")?;
    Ok(rustix::process::chdir(c"/")?)
}
