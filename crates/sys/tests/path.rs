//! By hand a path comes to what openat2(2) comes to.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use sys::path::by_hand;

/// Links of every kind, and a file outside.
fn tree(outside: &Path) {
    let root = outside.join("root");
    fs::create_dir_all(root.join("a/b/c")).unwrap();
    fs::write(root.join("a/file"), "").unwrap();
    fs::write(root.join("top"), "").unwrap();
    fs::write(outside.join("secret"), "").unwrap();
    for (link, text) in [
        ("to-dir", "a/b"),
        ("to-file", "a/file"),
        ("absolute", "/a"),
        ("to-root", "/"),
        ("up", ".."),
        ("far-up", "../../../../../../../../../../secret"),
        ("a/b/up", "../../top"),
        ("a/b/over", "../../../../top"),
        ("dangling", "nowhere/at/all"),
        ("loop", "loop"),
        ("one", "two"),
        ("two", "one"),
        ("slash", "a/"),
        ("file-slash", "top/"),
        ("chain", "to-dir/up"),
        ("dot", "."),
    ] {
        symlink(text, root.join(link)).unwrap();
    }
    symlink(outside.join("secret"), root.join("secret")).unwrap();
    // Forty links are followed, and no more.
    for index in 0..=41 {
        symlink(format!("n{}", index + 1), root.join(format!("n{index}"))).unwrap();
    }
    fs::write(root.join("n42"), "").unwrap();
}

const PATHS: [&str; 49] = [
    ".",
    "/",
    "..",
    "../..",
    "a",
    "a/",
    "a//b/.//c",
    "a/b/..",
    "a/b/../..",
    "a/b/../../..",
    "a/../../secret",
    "../secret",
    "../../secret",
    "top",
    "top/",
    "top/.",
    "top/..",
    "top/x",
    "a/file/../file",
    "nothing",
    "nothing/x",
    "a/nothing",
    "to-dir",
    "to-dir/",
    "to-dir/c",
    "to-dir/../file",
    "to-file",
    "to-file/",
    "absolute",
    "absolute/b",
    "absolute/../top",
    "to-root",
    "to-root/a",
    "up",
    "up/secret",
    "far-up",
    "a/b/up",
    "a/b/over",
    "dangling",
    "loop",
    "one",
    "slash",
    "slash/b",
    "file-slash",
    "chain",
    "dot/dot/dot/top",
    "secret",
    "n1",
    "n2",
];

const FLAGS: [OFlags; 6] = [
    OFlags::PATH,
    OFlags::PATH.union(OFlags::DIRECTORY),
    OFlags::PATH.union(OFlags::NOFOLLOW),
    OFlags::RDONLY,
    OFlags::RDONLY.union(OFlags::NOFOLLOW),
    OFlags::RDONLY.union(OFlags::DIRECTORY),
];

const RESOLVE: [ResolveFlags; 4] = [
    ResolveFlags::IN_ROOT,
    ResolveFlags::IN_ROOT.union(ResolveFlags::NO_SYMLINKS),
    ResolveFlags::BENEATH,
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_XDEV),
];

/// What was found, or the error.
fn identity(file: Result<OwnedFd, Errno>) -> Result<(u64, u64), Errno> {
    let stat = rustix::fs::fstat(file?)?;
    Ok((stat.st_dev, stat.st_ino))
}

fn check(root: &Path, path: &str, flags: OFlags, resolve: ResolveFlags) {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, root, directory, Mode::empty()).unwrap();
    let magic = resolve | ResolveFlags::NO_MAGICLINKS;
    let kernel = identity(rustix::fs::openat2(&root, path, flags, Mode::empty(), magic));
    let ours = identity(by_hand(root.as_fd(), Path::new(path), flags, Mode::empty(), magic));
    assert_eq!(ours, kernel, "{path} {flags:?} {resolve:?}");
}

#[test]
fn a_walk_ends_where_the_kernel_does() {
    let outside = tempfile::tempdir().unwrap();
    tree(outside.path());
    let root = outside.path().join("root");
    for path in PATHS {
        for flags in FLAGS {
            for resolve in RESOLVE {
                check(&root, path, flags, resolve);
            }
        }
    }
}

#[test]
fn links_of_procfs_are_doors_but_for_its_own() {
    for path in
        ["self", "self/status", "self/exe", "self/root/etc", "self/cwd", "self/fd/0", "self/ns/net", "mounts"]
    {
        for resolve in RESOLVE {
            check(Path::new("/proc"), path, OFlags::PATH, resolve);
        }
    }
    // From a root around it, too: another mount, with links in it.
    for path in ["proc/self/status", "proc/self/exe", "proc/self/root/etc", "proc/sys/kernel"] {
        for resolve in RESOLVE {
            check(Path::new("/"), path, OFlags::PATH, resolve);
        }
    }
}
