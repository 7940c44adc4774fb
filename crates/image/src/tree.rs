//! Directory trees by descriptor: nothing here follows a link out of the tree that it was given.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// Opens `path` with `root` as its root directory: absolute links and `..` stay inside (openat2(2),
/// RESOLVE_IN_ROOT).
pub(crate) fn open_in_root(root: impl AsFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    resolve(root, path, flags, ResolveFlags::IN_ROOT)
}

/// Opens the directory `name` of `parent`, not through a link and not on another file system.
fn open_child(parent: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    let here = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    resolve(parent, name.to_bytes(), READ_DIRECTORY, here)
}

fn resolve(root: impl AsFd, path: &[u8], flags: OFlags, how: ResolveFlags) -> Result<OwnedFd, Errno> {
    let path = if path.is_empty() { b"." } else { path };
    loop {
        match sys::path::open(&root, OsStr::from_bytes(path), flags, Mode::empty(), how) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

const READ_DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW);

/// Opens the directory `name` of `parent` for reading, not through a link.
pub(crate) fn open_directory(parent: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(parent, name, READ_DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Opens a directory by its path, links followed: for the store's own directories.
pub(crate) fn open_path(path: &std::path::Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
}

/// Whether two descriptors, or a name and a descriptor, are the same file.
pub(crate) fn same_file(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Removes the file or the whole tree `name` in `parent`. What is not there is removed already.
///
/// Nothing is followed: neither links nor mounts. Directories that their owner may not search are made so
/// first. At any depth, two descriptors are open.
///
/// # Errors
/// The call that failed. Part of the tree may be gone then.
pub fn remove(parent: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let Ok(name) = CString::new(name) else { return Err(Errno::INVAL) };
    match unlink(parent, &name)? {
        Unlinked::Gone => Ok(()),
        Unlinked::Full => remove_directory(parent, name),
    }
}

/// A directory on the way from the tree's top to where the removal is.
struct Level {
    name: CString,
    /// The directory itself, to know it again on the way back up.
    stat: Stat,
    /// Subdirectories that are not empty.
    full: Vec<CString>,
}

fn remove_directory(parent: BorrowedFd<'_>, name: CString) -> Result<(), Errno> {
    let (mut here, level) = empty_files(parent, name)?;
    let mut levels = vec![level];
    while let Some(level) = levels.last_mut() {
        if let Some(name) = level.full.pop() {
            let child;
            (here, child) = empty_files(here.as_fd(), name)?;
            levels.push(child);
            continue;
        }
        let Some(done) = levels.pop() else { break };
        let Some(above) = levels.last() else {
            return rustix::fs::unlinkat(parent, &done.name, AtFlags::REMOVEDIR);
        };
        here = rustix::fs::openat(&here, c"..", READ_DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        if !same_file(&rustix::fs::fstat(&here)?, &above.stat) {
            // Somebody moved the directory while it was emptied: `..` is not where we came from.
            return Err(Errno::STALE);
        }
        rustix::fs::unlinkat(&here, &done.name, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

/// Opens a directory and removes what needs no descent.
fn empty_files(parent: BorrowedFd<'_>, name: CString) -> Result<(OwnedFd, Level), Errno> {
    let here = match open_child(parent, &name) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(parent, &name, Mode::RWXU, AtFlags::empty())?;
            open_child(parent, &name)?
        }
        result => result?,
    };
    let stat = rustix::fs::fstat(&here)?;
    if !Mode::from_raw_mode(stat.st_mode).contains(Mode::RWXU) {
        rustix::fs::fchmod(&here, Mode::RWXU)?;
    }
    let mut full = Vec::new();
    for entry in Dir::read_from(&here)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        if let Unlinked::Full = unlink(here.as_fd(), name)? {
            full.push(name.to_owned());
        }
    }
    Ok((here, Level { name, stat, full }))
}

enum Unlinked {
    /// It is not there any more.
    Gone,
    /// It is a directory with something in it.
    Full,
}

/// Removes what one call can remove: anything but a directory that is not empty.
fn unlink(parent: BorrowedFd<'_>, name: &CStr) -> Result<Unlinked, Errno> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(Unlinked::Gone),
        // POSIX says EPERM for a directory, Linux EISDIR.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(Unlinked::Gone),
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(Unlinked::Full),
        Err(Errno::NOTDIR) => Err(Errno::PERM),
        // An unprivileged user may not look whether it is empty; the descent makes it searchable.
        Err(Errno::ACCESS) => Ok(Unlinked::Full),
        Err(error) => Err(error),
    }
}

/// Whether `name` in `parent` is a directory, links not followed.
pub(crate) fn is_directory(parent: impl AsFd, name: &[u8]) -> bool {
    rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

/// Whether `name` in `parent` is there at all, links not followed.
pub(crate) fn exists(parent: impl AsFd, name: &[u8]) -> bool {
    rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_tree_goes_and_what_it_links_to_stays() {
        let base = tempfile::tempdir().unwrap();
        let outside = base.path().join("outside");
        fs::create_dir_all(outside.join("sub")).unwrap();
        fs::write(outside.join("sub/file"), "kept").unwrap();
        let tree = base.path().join("tree");
        fs::create_dir_all(tree.join("a/b/c")).unwrap();
        fs::write(tree.join("a/b/c/file"), "").unwrap();
        symlink(&outside, tree.join("a/link")).unwrap();
        symlink("..", tree.join("a/b/up")).unwrap();
        fs::set_permissions(tree.join("a/b"), fs::Permissions::from_mode(0o000)).unwrap();

        let parent = open_path(base.path()).unwrap();
        remove(parent.as_fd(), b"tree").unwrap();
        assert!(!tree.exists());
        assert_eq!(fs::read(outside.join("sub/file")).unwrap(), b"kept");
        assert_eq!(remove(parent.as_fd(), b"tree"), Ok(()));
    }

    #[test]
    fn a_tree_deeper_than_there_are_descriptors_goes() {
        let base = tempfile::tempdir().unwrap();
        let parent = open_path(base.path()).unwrap();
        let mut here = rustix::io::dup(&parent).unwrap();
        // A process has 1024 descriptors unless it asks for more.
        for _ in 0..1100 {
            rustix::fs::mkdirat(&here, "d", Mode::RWXU).unwrap();
            here = open_directory(&here, b"d").unwrap();
        }
        remove(parent.as_fd(), b"d").unwrap();
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
