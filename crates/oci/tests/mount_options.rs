//! Mount options as a table: what is asked for, and what the kernel says is there.

mod support;

use std::fs;
use std::process::ExitCode;

use rustix::mount::{MountFlags, mount};
use serde_json::{Value, json};
use support::{Case, map_ids};
use testbed::{Need, Scratch, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    testbed::main([
        trial("options of a new file system", root.clone(), || new_file_system(false)),
        trial("options of a new file system in a user namespace", root.clone(), || new_file_system(true)),
        trial("a bind mount keeps what is not named", root.clone(), bind),
        trial("recursive options reach all mounts below", root.clone(), recursive),
        trial("options without effect are told", root.clone(), idle),
        trial("a remount changes what is there", root.clone(), remount),
        trial("a tmpfs that is read-only has its mount points made first", root.clone(), read_only_tmpfs),
        trial("a tmpfs has the mode of what it covers", root.clone(), tmpfs_mode),
        trial("destinations are taken from the root", root.clone(), destinations),
        trial("a mount over the root is the root", root.clone(), over_the_root),
        trial("files of every kind are bound", root.clone(), kinds_of_files),
        trial("the document of features lists what is understood", root, features),
    ])
}

fn add(case: &mut Case, mounts: impl IntoIterator<Item = Value>) {
    case.edit(|config| {
        config["mounts"].as_array_mut().expect("the standard configuration has mounts").extend(mounts);
    });
}

fn tmpfs(options: &[&str]) -> Value {
    json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": options })
}

/// What is asked for, what the mount is, and what the file system is, of those words that are about options here.
type Row = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);

const NEW: [Row; 24] = [
    (&[], &["rw", "relatime"], &["rw"]),
    (&["defaults"], &["rw", "relatime"], &["rw"]),
    (&["ro"], &["ro", "relatime"], &["rw"]),
    (&["rro"], &["ro", "relatime"], &["rw"]),
    (&["ro", "rw"], &["rw", "relatime"], &["rw"]),
    (&["nosuid", "nodev", "noexec"], &["rw", "nosuid", "nodev", "noexec", "relatime"], &["rw"]),
    (&["nosuid", "suid", "nodev", "dev", "noexec", "exec"], &["rw", "relatime"], &["rw"]),
    (&["noatime"], &["rw", "noatime"], &["rw"]),
    (&["noatime", "atime"], &["rw", "relatime"], &["rw"]),
    (&["strictatime"], &["rw"], &["rw"]),
    (&["strictatime", "nostrictatime"], &["rw", "relatime"], &["rw"]),
    (&["noatime", "strictatime"], &["rw"], &["rw"]),
    (&["relatime", "norelatime"], &["rw", "relatime"], &["rw"]),
    (&["nodiratime"], &["rw", "nodiratime", "relatime"], &["rw"]),
    (&["nodiratime", "diratime"], &["rw", "relatime"], &["rw"]),
    (&["nosymfollow"], &["rw", "relatime", "nosymfollow"], &["rw"]),
    (&["nosymfollow", "symfollow"], &["rw", "relatime"], &["rw"]),
    (&["sync"], &["rw", "relatime"], &["rw", "sync"]),
    (&["sync", "async"], &["rw", "relatime"], &["rw"]),
    (&["dirsync"], &["rw", "relatime"], &["rw", "dirsync"]),
    (&["lazytime"], &["rw", "relatime"], &["rw", "lazytime"]),
    (&["lazytime", "nolazytime"], &["rw", "relatime"], &["rw"]),
    (&["silent", "loud", "iversion", "noiversion", "mand", "nomand"], &["rw", "relatime"], &["rw"]),
    (&["rnosuid", "rnoatime", "ro"], &["ro", "nosuid", "noatime"], &["rw"]),
];

fn new_file_system(user_namespace: bool) {
    for (options, expect, file_system) in NEW {
        let mut case = Case::probe();
        if user_namespace {
            map_ids(&mut case);
        }
        add(&mut case, [tmpfs(options)]);
        let report = case.report();
        let mount = report.mount("/tmp").unwrap();
        // The kernel's order of these two has changed.
        let (mut seen, mut expect) = (mount.options.clone(), expect.to_vec());
        seen.sort();
        expect.sort_unstable();
        assert_eq!(seen, expect, "{options:?}");
        let flags = ["rw", "ro", "sync", "dirsync", "mand", "lazytime"];
        let flags: Vec<_> =
            mount.super_options.iter().filter(|option| flags.contains(&option.as_str())).collect();
        assert_eq!(flags, file_system, "{options:?}");
    }
}

fn bind() {
    let scratch = Scratch::new();
    let below = scratch.path().join("below");
    fs::create_dir(&below).unwrap();
    mount("tmpfs", &below, "tmpfs", MountFlags::NOSUID | MountFlags::NOATIME, None).unwrap();
    let cases: [(&[&str], &[&str]); 8] = [
        (&["bind"], &["rw", "nosuid", "noatime"]),
        (&["bind", "nodev"], &["rw", "nosuid", "nodev", "noatime"]),
        (&["bind", "suid"], &["rw", "noatime"]),
        (&["bind", "atime"], &["rw", "nosuid", "relatime"]),
        (&["bind", "norelatime"], &["rw", "nosuid", "noatime"]),
        (&["bind", "sync", "dirsync", "lazytime"], &["rw", "nosuid", "noatime"]),
        (&["bind", "rsuid", "rro"], &["ro", "noatime"]),
        (&["bind", "rro", "rw"], &["rw", "nosuid", "noatime"]),
    ];
    for (options, expect) in cases {
        let mut case = Case::probe();
        // By the options alone: the type is a dummy then.
        add(
            &mut case,
            [json!({ "destination": "/tmp", "type": "none", "source": below, "options": options })],
        );
        assert_eq!(case.report().mount("/tmp").unwrap().options, expect, "{options:?}");
    }
}

fn recursive() {
    let scratch = Scratch::new();
    let dir = scratch.path();
    mount("tmpfs", dir, "tmpfs", MountFlags::empty(), None).unwrap();
    fs::create_dir(dir.join("below")).unwrap();
    let flags = MountFlags::NOSUID
        | MountFlags::NODEV
        | MountFlags::NOEXEC
        | MountFlags::NOATIME
        | MountFlags::RDONLY;
    mount("tmpfs", dir.join("below"), "tmpfs", flags, None).unwrap();
    let all = ["ro", "nosuid", "nodev", "noexec", "noatime"];
    let without = |word: &str, instead: &[&str]| {
        let kept = all.iter().filter(|other| **other != word);
        kept.chain(instead).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    // What is asked for, and what the mount below is that had all of these.
    let cases = [
        ("rrw", without("ro", &["rw"])),
        ("rsuid", without("nosuid", &[])),
        ("rdev", without("nodev", &[])),
        ("rexec", without("noexec", &[])),
        ("ratime", without("noatime", &["relatime"])),
        ("rrelatime", without("noatime", &["relatime"])),
        ("rstrictatime", without("noatime", &[])),
        ("rnostrictatime", without("noatime", &["relatime"])),
        ("rnorelatime", without("", &[])),
        ("rnodiratime", without("", &["nodiratime"])),
        ("rdiratime", without("", &[])),
        ("rnosymfollow", without("", &["nosymfollow"])),
        ("rsymfollow", without("", &[])),
        ("rro", without("", &[])),
        ("ro", without("", &[])),
        ("rw", without("", &[])),
        ("suid", without("", &[])),
    ];
    for (option, mut expect) in cases {
        let mut case = Case::probe();
        add(&mut case, [json!({ "destination": "/tmp", "source": dir, "options": ["rbind", option] })]);
        let mut seen = case.report().mount("/tmp/below").unwrap().options.clone();
        seen.sort();
        expect.sort();
        assert_eq!(seen, expect, "{option}");
    }
}

fn idle() {
    let scratch = Scratch::new();
    let bind =
        |option| json!({ "destination": "/srv", "source": scratch.path(), "options": ["bind", option] });
    let cases = [
        (
            tmpfs(&["mand"]),
            "/mounts/7/options: mand has no effect: mandatory locks are gone since Linux 5.15",
        ),
        (
            tmpfs(&["iversion"]),
            "/mounts/7/options: iversion has no effect: a file system that can count changes always does",
        ),
        (
            bind("sync"),
            "/mounts/7/options: sync has no effect: it belongs to the file system, which a bind mount shares",
        ),
        (
            bind("mode=755"),
            "/mounts/7/options: mode has no effect: it belongs to the file system, which a bind mount shares",
        ),
        (
            json!({ "destination": "tmp", "type": "tmpfs", "source": "x" }),
            "/mounts/7/destination: tmp is not absolute, which is deprecated; /tmp is taken",
        ),
    ];
    for (entry, note) in cases {
        let mut case = Case::probe();
        fs::create_dir_all(case.bundle.rootfs().join("srv")).unwrap();
        case.args(&["/bin/probe", "exit", "0"]);
        add(&mut case, [entry]);
        let done = case.run().ok();
        assert!(done.stderr.contains(note), "{note}: {done:#?}");
    }
}

fn remount() {
    let cases: [Row; 5] = [
        (&["remount", "noexec"], &["rw", "noexec", "relatime"], &["size=1024k"]),
        (&["bind", "remount", "ro"], &["ro", "relatime"], &["size=1024k"]),
        (&["remount", "size=2m"], &["rw", "relatime"], &["size=2048k"]),
        (&["remount", "ro", "nr_inodes=40"], &["ro", "relatime"], &["size=1024k", "nr_inodes=40"]),
        (&["remount", "rro", "rnosuid"], &["ro", "nosuid", "relatime"], &["size=1024k"]),
    ];
    for (options, expect, file_system) in cases {
        let mut case = Case::probe();
        add(
            &mut case,
            [tmpfs(&["size=1m"]), json!({ "destination": "/tmp", "type": "tmpfs", "options": options })],
        );
        let report = case.report();
        let mounts: Vec<_> = report.mounts.iter().filter(|mount| mount.point == "/tmp").collect();
        assert_eq!(mounts.len(), 1, "{options:?}");
        assert_eq!(mounts[0].options, expect, "{options:?}");
        for option in file_system {
            assert!(mounts[0].super_options.iter().any(|other| other == option), "{option}: {mounts:?}");
        }
    }
    let mut case = Case::probe();
    add(&mut case, [json!({ "destination": "/etc", "options": ["remount", "ro"] })]);
    let done = case.run();
    assert!(done.stderr.contains("change the mount on /etc of the container: invalid argument"), "{done:#?}");
    assert!(done.stderr.contains("nothing is mounted there"), "{done:#?}");
}

fn read_only_tmpfs() {
    let scratch = Scratch::new();
    let mut case = Case::probe();
    add(
        &mut case,
        [
            tmpfs(&["ro"]),
            json!({ "destination": "/tmp/below/deep", "type": "bind", "source": scratch.path() }),
        ],
    );
    case.edit(|config| {
        let mounts = config["mounts"].as_array_mut().unwrap();
        let dev = mounts.iter_mut().find(|mount| mount["destination"] == "/dev").unwrap();
        dev["options"].as_array_mut().unwrap().push(json!("ro"));
    });
    assert_eq!(case.attempt(&["try-write", "/tmp/new"]).outcome, "EROFS");
    assert_eq!(case.attempt(&["try-write", "/tmp/below/deep/new"]).outcome, "ok");
    assert_eq!(case.attempt(&["try-write", "/dev/new"]).outcome, "EROFS");
    assert_eq!(case.attempt(&["try-open", "/dev/null", "rdwr"]).outcome, "ok");
}

fn tmpfs_mode() {
    use std::os::unix::fs::PermissionsExt;
    let cases: [(&[&str], Option<u32>, &str); 4] = [
        (&[], Some(0o712), "712"),
        (&["ro"], Some(0o2750), "2750"),
        (&["mode=1777"], Some(0o700), "1777"),
        // The kernel's own.
        (&[], None, "1777"),
    ];
    for (options, mode, expect) in cases {
        let mut case = Case::busybox();
        if let Some(mode) = mode {
            let covered = case.bundle.rootfs().join("covered");
            fs::create_dir(&covered).unwrap();
            fs::set_permissions(&covered, fs::Permissions::from_mode(mode)).unwrap();
        }
        add(
            &mut case,
            [json!({ "destination": "/covered", "type": "tmpfs", "source": "tmpfs", "options": options })],
        );
        let seen = case.args(&["stat", "-c", "%a", "/covered"]).run().ok().stdout;
        assert_eq!(seen.trim(), expect, "{options:?} over {mode:?}");
    }
}

fn destinations() {
    for (given, taken) in
        [("tmp", "/tmp"), ("/srv/../tmp", "/tmp"), ("../../tmp/x", "/tmp/x"), ("/tmp//y/", "/tmp/y")]
    {
        let mut case = Case::probe();
        add(&mut case, [json!({ "destination": given, "type": "tmpfs", "source": "here" })]);
        assert_eq!(case.report().mount(taken).unwrap().source, "here", "{given}");
    }
}

fn over_the_root() {
    for options in [&["bind"][..], &["rbind", "ro"]] {
        // The same files as the root has, in another directory.
        let source = Scratch::new();
        let mut case = Case::probe();
        testbed::copy_program(&case.bundle.rootfs().join("bin/probe"), &source.path().join("probe"));
        case.edit(|config| {
            let entry = json!({ "destination": "/", "source": source.path(), "options": options });
            config["mounts"].as_array_mut().unwrap().insert(0, entry);
            config["root"]["readonly"] = json!(false);
        });
        for directory in ["proc", "dev", "sys"] {
            fs::create_dir(source.path().join(directory)).unwrap();
        }
        case.args(&["/probe"]);
        let report: probe::Report = case.run().ok().json();
        let top = report.mount("/").unwrap();
        assert!(top.root.ends_with(source.path().file_name().unwrap().to_str().unwrap()), "{top:?}");
        assert_eq!(top.has("ro"), options.contains(&"ro"));
        assert!(report.mount("/proc").is_some() && report.device("/dev/null").is_some());
    }
}

fn kinds_of_files() {
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path().join(name);
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), rustix::fs::Mode::RWXU).unwrap();
    fs::write(path("regular"), "").unwrap();
    fs::create_dir(path("directory")).unwrap();
    std::os::unix::fs::symlink("regular", path("link")).unwrap();
    let cases = [
        ("socket", "socket"),
        ("fifo", "fifo"),
        ("regular", "regular empty file"),
        ("directory", "directory"),
        ("link", "regular empty file"),
    ];
    for (name, kind) in cases {
        for option in ["rw", "ro", "rro"] {
            let mut case = Case::busybox();
            add(
                &mut case,
                [json!({ "destination": "/srv/it", "source": path(name), "options": ["bind", option] })],
            );
            let seen = case.args(&["stat", "-c", "%F", "/srv/it"]).run().ok().stdout;
            assert_eq!(seen.trim(), kind, "{name} {option}");
        }
    }
}

fn features() {
    let case = Case::probe();
    let document: Value = testbed::run(&mut case.oci(&["features"])).ok().json();
    let listed: Vec<&str> =
        document["mountOptions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for (options, ..) in NEW {
        assert!(options.iter().all(|option| listed.contains(option)), "{options:?} in {listed:?}");
    }
    assert_eq!(document["linux"]["mountExtensions"]["idmap"]["enabled"], true);
    assert_eq!(document["linux"]["netDevices"]["enabled"], true);
}
