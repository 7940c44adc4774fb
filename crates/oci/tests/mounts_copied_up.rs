//! `tmpcopyup`: a tmpfs that begins with what the image has there.

mod support;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, XattrFlags};
use serde_json::json;
use support::refusal::says;
use support::{Case, map_ids};
use testbed::{Need, Scratch, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let busybox = [Need::Root, Need::Program("busybox")];
    testbed::main([
        trial("owners, modes, times, attributes and links are the image's", root.clone(), everything),
        trial("what is written stays in memory", busybox.clone(), in_memory),
        trial("options of the tmpfs hold", busybox.clone(), options),
        trial("a directory that is not there begins empty", root.clone(), absent),
        trial("in a user namespace strangers' files belong to nobody", busybox.clone(), user_namespace),
        trial("links lead nowhere outside", busybox.clone(), links),
        trial("a directory that is swapped for a link leads nowhere outside", busybox.clone(), swapped),
        trial("other mounts are not entered", busybox, other_mounts),
        trial("more than there is room for, and deeper than is sound", root, too_much),
    ])
}

/// A container with a tmpfs that is copied up over /data, which the callback fills.
fn case(mut case: Case, options: &[&str], fill: impl FnOnce(&Path)) -> Case {
    let data = case.bundle.rootfs().join("data");
    fs::create_dir(&data).unwrap();
    fill(&data);
    let options = [&["tmpcopyup"], options].concat();
    case.edit(|config| {
        config["mounts"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": options }));
    });
    case
}

/// What a file is, as far as it is to be copied.
#[derive(Debug, PartialEq, Eq)]
struct File {
    mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    device: u64,
    content: Vec<u8>,
    attribute: Option<Vec<u8>>,
}

const CAPABILITY: &str = "security.capability";

/// All below a directory, by path.
fn tree(top: &Path) -> BTreeMap<PathBuf, File> {
    let mut files = BTreeMap::new();
    let mut left = vec![top.to_owned()];
    while let Some(path) = left.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let kind = meta.file_type();
        if kind.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let content = match (kind.is_file(), kind.is_symlink()) {
            (true, _) => fs::read(&path).unwrap(),
            (_, true) => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
            _ => Vec::new(),
        };
        let mut value = vec![0; 100];
        let attribute = rustix::fs::lgetxattr(&path, CAPABILITY, &mut value).ok();
        let file = File {
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            modified: (meta.mtime(), meta.mtime_nsec()),
            device: meta.rdev(),
            content,
            attribute: attribute.map(|length| value[..length].to_vec()),
        };
        files.insert(path.strip_prefix(top).unwrap().to_owned(), file);
    }
    files
}

fn everything() {
    let fill = |data: &Path| {
        fs::write(data.join("big"), vec![b'x'; 3 << 20]).unwrap();
        fs::write(data.join("empty"), "").unwrap();
        fs::create_dir_all(data.join("a/b/c")).unwrap();
        fs::write(data.join("a/b/c/file"), "content").unwrap();
        fs::write(data.join("program"), "").unwrap();
        chown(data.join("program"), Some(7), Some(8)).unwrap();
        fs::set_permissions(data.join("program"), Permissions::from_mode(0o6751)).unwrap();
        fs::set_permissions(data.join("a/b"), Permissions::from_mode(0o1711)).unwrap();
        chown(data.join("a"), Some(9), Some(10)).unwrap();
        for (name, target) in [("link", "a/b"), ("absolute", "/etc/passwd"), ("dangling", "../../../nowhere")]
        {
            symlink(target, data.join(name)).unwrap();
        }
        std::os::unix::fs::lchown(data.join("link"), Some(11), Some(12)).unwrap();
        rustix::fs::mkfifoat(CWD, data.join("fifo"), Mode::RUSR).unwrap();
        let number = rustix::fs::makedev(1, 3);
        rustix::fs::mknodat(CWD, data.join("null"), FileType::CharacterDevice, Mode::RWXO, number).unwrap();
        // cap_net_raw+ep, as setcap(8) writes it.
        let mut value = vec![1, 0, 0, 2, 0, 0x20];
        value.resize(20, 0);
        rustix::fs::setxattr(data.join("program"), CAPABILITY, &value, XattrFlags::empty()).unwrap();
        chown(data, Some(13), Some(14)).unwrap();
        fs::set_permissions(data, Permissions::from_mode(0o750)).unwrap();
    };
    let mut case = case(Case::probe(), &[], fill);
    case.args(&["/bin/probe", "sleep"]).detach();
    let copy = tree(&PathBuf::from(format!("/proc/{}/root/data", case.pid())));
    let image = tree(&case.bundle.rootfs().join("data"));
    assert!(image[Path::new("program")].attribute.is_some());
    for (path, file) in &image {
        // All of it: a file of three megabytes is not printed.
        assert!(
            copy.get(path) == Some(file),
            "{}: {:?}",
            path.display(),
            copy.get(path).map(|f| (f.mode, f.owner, f.modified, f.device, &f.attribute))
        );
    }
    assert_eq!(copy.len(), image.len());
    assert!(fs::metadata(format!("/proc/{}/root/data/fifo", case.pid())).unwrap().file_type().is_fifo());
}

fn in_memory() {
    let mut case = case(Case::busybox(), &[], |data| fs::write(data.join("file"), "image").unwrap());
    let script = "cat /data/file; echo changed >/data/file; rm -r /data/* && ls /data | wc -l";
    assert_eq!(case.args(&["sh", "-c", script]).run().ok().stdout, "image0\n");
    assert_eq!(fs::read_to_string(case.bundle.rootfs().join("data/file")).unwrap(), "image");
}

fn options() {
    let fill = |data: &Path| fs::set_permissions(data, Permissions::from_mode(0o711)).unwrap();
    // What is asked for, the mode, and what writing comes to.
    let cases: [(&[&str], &str, bool); 3] =
        [(&[], "711", true), (&["mode=1770", "size=1m"], "1770", true), (&["ro", "nodev"], "711", false)];
    for (options, mode, writable) in cases {
        let mut case = case(Case::busybox(), options, fill);
        assert_eq!(case.args(&["stat", "-c", "%a", "/data"]).run().ok().stdout.trim(), mode, "{options:?}");
        assert_eq!(case.args(&["touch", "/data/new"]).run().code() == 0, writable, "{options:?}");
    }
}

fn absent() {
    let mut case = case(Case::probe(), &[], |data| fs::remove_dir(data).unwrap());
    assert_eq!(case.report().mount("/data").unwrap().fstype, "tmpfs");
}

fn user_namespace() {
    let fill = |data: &Path| {
        chown(data, Some(support::HOST_ID), Some(support::HOST_ID)).unwrap();
        for (name, owner) in [("strange", 0), ("own", support::HOST_ID + 5)] {
            fs::write(data.join(name), name).unwrap();
            chown(data.join(name), Some(owner), Some(owner)).unwrap();
        }
    };
    let mut case = case(Case::busybox(), &["mode=755"], fill);
    map_ids(&mut case);
    let script = "stat -c %u /data/own /data/strange; cat /data/own; touch /data/new";
    assert_eq!(case.args(&["sh", "-c", script]).run().ok().stdout, "5\n65534\nown");
}

/// A directory of the machine with a secret in it.
fn secret() -> Scratch {
    let scratch = Scratch::new();
    fs::write(scratch.path().join("file"), "the secret of the machine").unwrap();
    scratch
}

const SEARCH: [&str; 3] = ["sh", "-c", "cat $(find /data -type f) </dev/null"];

fn links() {
    let secret = secret();
    let up = format!("../../../../../../../../../../..{}", secret.path().display());
    for target in [secret.path().to_str().unwrap(), &up] {
        // In the directory.
        let fill = |data: &Path| {
            symlink(target, data.join("directory")).unwrap();
            symlink(format!("{target}/file"), data.join("file")).unwrap();
        };
        let mut inside = case(Case::busybox(), &[], fill);
        let done = inside.args(&SEARCH).run();
        assert!(!done.stdout.contains("secret"), "{done:#?}");
        let done = inside.args(&["readlink", "/data/file"]).run().ok();
        assert_eq!(done.stdout.trim(), format!("{target}/file"));
        // In place of the directory: it is the mount point, and that is in the root.
        let mut itself = case(Case::busybox(), &[], |data| {
            fs::remove_dir(data).unwrap();
            symlink(target, data).unwrap();
        });
        let done = itself.args(&SEARCH).run();
        assert!(!done.stdout.contains("secret"), "{done:#?}");
    }
}

fn swapped() {
    let secret = secret();
    let mut case = case(Case::busybox(), &["size=8m"], |data| {
        fs::create_dir(data.join("a")).unwrap();
        (0..200).for_each(|n| fs::write(data.join(format!("a/{n}")), "x").unwrap());
        symlink(secret.path(), data.join("b")).unwrap();
    });
    let data = case.bundle.rootfs().join("data");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let exchange = RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(CWD, data.join("a"), CWD, data.join("b"), exchange).unwrap();
            }
        });
        case.args(&SEARCH);
        for _ in 0..25 {
            // It may fail, where what was looked at is not what is opened.
            let outcome = case.run();
            assert!(!outcome.stdout.contains("secret"), "{outcome:#?}");
            let told = outcome.stderr.contains("copy what is in /data");
            assert!(outcome.code() == 0 || told, "{outcome:#?}");
        }
        done.store(true, Ordering::Relaxed);
    });
}

fn other_mounts() {
    let secret = secret();
    let mut case = case(Case::busybox(), &[], |data| {
        fs::create_dir(data.join("below")).unwrap();
        fs::write(data.join("beside"), "").unwrap();
    });
    case.edit(|config| {
        let mounts = config["mounts"].as_array_mut().unwrap();
        let bind = json!({ "destination": "/data/below", "source": secret.path(), "options": ["bind"] });
        mounts.insert(mounts.len() - 1, bind);
    });
    let done = case.args(&["find", "/data", "-type", "f"]).run().ok();
    assert_eq!(done.stdout, "/data/beside\n");
}

fn too_much() {
    let full = case(Case::probe(), &["size=64k"], |data| {
        fs::write(data.join("big"), vec![0; 1 << 20]).unwrap();
    });
    says(
        &full,
        full.run(),
        "copy what is in /data to the mount on /data: big: no space left on device (step S of N, from /mounts/7)\n  give the tmpfs a greater size=, or leave tmpcopyup out",
    );
    assert_eq!(full.left_behind(), Vec::<String>::new());
    let deep = case(Case::probe(), &[], |data| {
        // As a path it would be longer than the kernel takes.
        let mut directory = fs::File::open(data).map(rustix::fd::OwnedFd::from).unwrap();
        for _ in 0..2000 {
            rustix::fs::mkdirat(&directory, "d", Mode::RWXU).unwrap();
            let flags = rustix::fs::OFlags::RDONLY;
            directory = rustix::fs::openat(&directory, "d", flags, Mode::empty()).unwrap();
        }
    });
    let done = deep.run();
    assert!(done.stderr.contains("more than 200 directories in each other"), "{done:#?}");
    // std's own removal manages, too.
    fs::remove_dir_all(deep.bundle.rootfs().join("data")).unwrap();
}
