//! Mounts of a container: the default ones, binds, options, propagation, masks and mount points.

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount};
use serde_json::{Value, json};
use support::{Case, map_ids};
use testbed::{Need, Scratch, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let busybox = [Need::Root, Need::Program("busybox")];
    testbed::main([
        trial("the standard mounts have their types and options", root.clone(), standard),
        trial("the root is read-only or not, as configured", root.clone(), root_read_only),
        trial("a bound file or directory is the machine's own", root.clone(), bind),
        trial("options of a bind mount hold for it and not for the machine's", root.clone(), bind_options),
        trial("ro is for the mount alone, rro for all below", root.clone(), recursive_options),
        trial("mounts travel as the propagation says", busybox.clone(), propagation),
        trial("propagation of the root", root.clone(), root_propagation),
        trial("options of a tmpfs reach the file system", root.clone(), tmpfs),
        trial("a later mount covers an earlier one", root.clone(), order),
        trial("masked files read as empty, masked directories are empty", busybox.clone(), masked),
        trial("read-only paths cannot be written, with all below", root.clone(), read_only_paths),
        trial("what masks nothing is passed over", root.clone(), absent_paths),
        trial("missing mount points are made", root.clone(), mount_points),
        trial(
            "mount points are made through links, inside the root",
            root.clone(),
            mount_points_through_links,
        ),
        trial("a bind source is taken from the bundle when it is relative", root.clone(), relative_source),
        trial("a bind source is what an earlier mount has made there", root.clone(), source_in_root),
        trial("an ipc namespace has its own message queues", busybox.clone(), message_queues),
        trial("the cgroup mount shows the container's own groups", busybox.clone(), cgroups),
        trial("a cgroup mount that is not read-only takes groups below", busybox, cgroups_writable),
        trial("a user namespace changes none of this", root, in_user_namespace),
    ])
}

/// Adds mounts to the configuration.
fn add(case: &mut Case, mounts: impl IntoIterator<Item = Value>) {
    case.edit(|config| {
        config["mounts"].as_array_mut().expect("the standard configuration has mounts").extend(mounts);
    });
}

fn bind_mount(source: &Path, destination: &str, options: &[&str]) -> Value {
    json!({ "destination": destination, "type": "bind", "source": source, "options": options })
}

fn standard() {
    // Point, type, options of the mount, options of the file system among others.
    let cases: [(&str, &str, &[&str], &[&str]); 7] = [
        ("/proc", "proc", &["rw", "relatime"], &[]),
        ("/dev", "tmpfs", &["rw", "nosuid"], &["mode=755", "size=65536k"]),
        (
            "/dev/pts",
            "devpts",
            &["rw", "nosuid", "noexec", "relatime"],
            &["gid=5", "mode=620", "ptmxmode=666"],
        ),
        ("/dev/shm", "tmpfs", &["rw", "nosuid", "nodev", "noexec", "relatime"], &["size=65536k"]),
        ("/dev/mqueue", "mqueue", &["rw", "nosuid", "nodev", "noexec", "relatime"], &[]),
        ("/sys", "sysfs", &["ro", "nosuid", "nodev", "noexec", "relatime"], &[]),
        ("/sys/fs/cgroup", "", &["ro", "nosuid", "nodev", "noexec", "relatime"], &[]),
    ];
    let report = Case::probe().report();
    for (point, fstype, options, super_options) in cases {
        let mount = report.mount(point).unwrap_or_else(|| panic!("{point}"));
        assert!(fstype.is_empty() || mount.fstype == fstype, "{mount:?}");
        assert_eq!(mount.options, options, "{point}");
        for option in super_options {
            assert!(mount.super_options.iter().any(|other| other == option), "{option} of {mount:?}");
        }
        assert_eq!(mount.propagation, Vec::<String>::new(), "{point}");
    }
    // Nothing but what was asked for: these, the masks and the read-only paths.
    let wanted = |point: &str| {
        point == "/" || ["/proc", "/dev", "/sys"].iter().any(|above| Path::new(point).starts_with(above))
    };
    let strange: Vec<_> = report.mounts.iter().filter(|mount| !wanted(&mount.point)).collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert_eq!(report.device("/dev/shm").unwrap().mode, 0o1777);
}

fn root_read_only() {
    for (readonly, outcome) in [(true, "EROFS"), (false, "ok")] {
        let mut case = Case::probe();
        case.edit(|config| config["root"]["readonly"] = json!(readonly));
        assert_eq!(case.attempt(&["try-write", "/etc/new"]).outcome, outcome);
        assert_eq!(case.bundle.rootfs().join("etc/new").exists(), !readonly);
        // The machine's own mount is as it was.
        fs::write(case.bundle.rootfs().join("etc/of-the-machine"), "").unwrap();
        assert_eq!(case.attempt(&["try-write", "/dev/shm/new"]).outcome, "ok");
    }
}

/// A directory of the machine with a file in it.
fn shared_directory() -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    fs::write(&file, "precious").unwrap();
    (scratch, file)
}

fn bind() {
    let (scratch, file) = shared_directory();
    let mut case = Case::probe();
    add(
        &mut case,
        [
            bind_mount(scratch.path(), "/run/dir", &[]),
            bind_mount(&file, "/run/one", &["ro"]),
            json!({ "destination": "/run/two", "source": file, "options": ["bind"] }),
        ],
    );
    fs::create_dir_all(case.bundle.rootfs().join("run/dir")).unwrap();
    for name in ["run/one", "run/two"] {
        fs::write(case.bundle.rootfs().join(name), "").unwrap();
    }
    assert_eq!(case.attempt(&["try-read", "/run/dir/file"]).detail, "precious");
    assert_eq!(case.attempt(&["try-read", "/run/one"]).detail, "precious");
    assert_eq!(case.attempt(&["try-write", "/run/one"]).outcome, "EROFS");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(case.attempt(&["try-write", "/run/dir/new"]).outcome, "ok");
    assert!(scratch.path().join("new").exists());
    assert_eq!(case.attempt(&["try-write", "/run/two"]).outcome, "ok");
    assert_ne!(fs::read_to_string(&file).unwrap(), "precious");
}

fn bind_options() {
    let (scratch, _) = shared_directory();
    // The mount below is what the machine has: with options that a bind keeps unless told otherwise.
    let below = scratch.path().join("below");
    fs::create_dir(&below).unwrap();
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOATIME;
    mount("tmpfs", &below, "tmpfs", flags, None).unwrap();
    let cases: [(&[&str], &[&str]); 8] = [
        (&[], &["rw", "nosuid", "nodev", "noatime"]),
        (&["ro"], &["ro", "nosuid", "nodev", "noatime"]),
        (&["ro", "rw"], &["rw", "nosuid", "nodev", "noatime"]),
        (&["suid", "dev", "noexec"], &["rw", "noexec", "noatime"]),
        (&["relatime"], &["rw", "nosuid", "nodev", "relatime"]),
        (&["strictatime"], &["rw", "nosuid", "nodev"]),
        (&["nodiratime"], &["rw", "nosuid", "nodev", "noatime", "nodiratime"]),
        (&["nosymfollow"], &["rw", "nosuid", "nodev", "noatime", "nosymfollow"]),
    ];
    for (options, expect) in cases {
        let mut case = Case::probe();
        add(&mut case, [bind_mount(&below, "/tmp", options)]);
        let report = case.report();
        assert_eq!(report.mount("/tmp").unwrap().options, expect, "{options:?}");
        fs::write(below.join("still-writable"), "").unwrap();
    }
}

fn recursive_options() {
    let (scratch, _) = shared_directory();
    let below = scratch.path().join("below");
    fs::create_dir(&below).unwrap();
    mount("tmpfs", &below, "tmpfs", MountFlags::empty(), None).unwrap();
    fs::write(below.join("file"), "in the mount below").unwrap();
    // Whether the mount below is there, and what writing comes to: in the mount, in the one below.
    let cases: [(&[&str], bool, &str, &str); 5] = [
        (&["bind", "ro"], false, "EROFS", "EROFS"),
        (&["rbind", "ro"], true, "EROFS", "ok"),
        (&["rbind", "rro"], true, "EROFS", "EROFS"),
        (&["rbind", "rro", "rw"], true, "ok", "EROFS"),
        (&["rbind"], true, "ok", "ok"),
    ];
    for (options, there, own, inner) in cases {
        let mut case = Case::probe();
        add(&mut case, [json!({ "destination": "/tmp", "source": scratch.path(), "options": options })]);
        assert_eq!(case.attempt(&["try-read", "/tmp/below/file"]).succeeded(), there, "{options:?}");
        assert_eq!(case.attempt(&["try-write", "/tmp/new"]).outcome, own, "{options:?}");
        assert_eq!(case.attempt(&["try-write", "/tmp/below/new"]).outcome, inner, "{options:?}");
    }
}

fn propagation() {
    // What is mounted outside is seen inside, what is mounted inside is seen outside, and what mountinfo says.
    let cases: [(&[&str], bool, bool, &[&str]); 6] = [
        (&["rbind"], true, false, &["master"]),
        (&["rbind", "rslave"], true, false, &["master"]),
        (&["rbind", "shared"], true, true, &["shared"]),
        (&["rbind", "rshared"], true, true, &["shared"]),
        (&["rbind", "rprivate"], false, false, &[]),
        (&["rbind", "unbindable"], false, false, &["unbindable"]),
    ];
    for (options, inwards, outwards, expect) in cases {
        let scratch = Scratch::new();
        let dir = scratch.path();
        mount("tmpfs", dir, "tmpfs", MountFlags::empty(), None).unwrap();
        mount_change(dir, MountPropagationFlags::SHARED).unwrap();
        ["outside", "inside"].iter().for_each(|name| fs::create_dir(dir.join(name)).unwrap());

        let mut case = Case::busybox();
        add(&mut case, [json!({ "destination": "/mnt", "source": dir, "options": options })]);
        fs::create_dir(case.bundle.rootfs().join("mnt")).unwrap();
        case.edit(|config| {
            let sets = json!(["CAP_SYS_ADMIN"]);
            config["process"]["capabilities"] =
                json!({ "bounding": sets, "effective": sets, "permitted": sets });
        });
        case.args(&["/bin/probe", "sleep"]).detach();

        mount("tmpfs", dir.join("outside"), "tmpfs", MountFlags::empty(), None).unwrap();
        fs::write(dir.join("outside/file"), "").unwrap();
        let seen = case.exec(&[], &["test", "-e", "/mnt/outside/file"]).code() == 0;
        assert_eq!(seen, inwards, "from outside in with {options:?}");

        case.exec(&[], &["mount", "-t", "tmpfs", "none", "/mnt/inside"]).ok();
        case.exec(&[], &["touch", "/mnt/inside/file"]).ok();
        assert_eq!(dir.join("inside/file").exists(), outwards, "from inside out with {options:?}");
        if outwards {
            unmount(dir.join("inside"), UnmountFlags::DETACH).unwrap();
        }

        let report: probe::Report = case.exec(&[], &["/bin/probe"]).ok().json();
        let words = &report.mount("/mnt").unwrap().propagation;
        let words: Vec<_> = words.iter().filter_map(|word| word.split(':').next()).collect();
        assert_eq!(words, expect, "{options:?}");
    }
}

fn root_propagation() {
    let cases = [(None, None), (Some("private"), None), (Some("rshared"), Some("shared"))];
    for (propagation, expect) in cases.into_iter().chain([(Some("unbindable"), Some("unbindable"))]) {
        let mut case = Case::probe();
        case.edit(|config| config["linux"]["rootfsPropagation"] = json!(propagation));
        let report = case.report();
        let words = &report.mount("/").unwrap().propagation;
        let word = words.first().and_then(|word| word.split(':').next());
        assert_eq!(word, expect, "{propagation:?}");
    }
}

fn tmpfs() {
    let mut case = Case::probe();
    add(
        &mut case,
        [json!({
            "destination": "/tmp", "type": "tmpfs", "source": "mine",
            "options": ["nosuid", "noexec", "size=100k", "nr_inodes=20", "mode=0710", "uid=7", "gid=8"],
        })],
    );
    let report = case.report();
    let mount = report.mount("/tmp").unwrap();
    assert_eq!((mount.source.as_str(), mount.fstype.as_str()), ("mine", "tmpfs"));
    assert_eq!(mount.options, ["rw", "nosuid", "noexec", "relatime"]);
    for option in ["size=100k", "nr_inodes=20", "mode=710", "uid=7", "gid=8"] {
        assert!(mount.super_options.iter().any(|other| other == option), "{option} of {mount:?}");
    }
}

fn order() {
    let (scratch, file) = shared_directory();
    let mut case = Case::probe();
    add(
        &mut case,
        [
            json!({ "destination": "/tmp", "type": "tmpfs", "source": "below" }),
            json!({ "destination": "/tmp/a/b", "type": "tmpfs", "source": "between" }),
            bind_mount(scratch.path(), "/tmp/a/b", &[]),
            bind_mount(&file, "/tmp/a/b/file", &["ro"]),
        ],
    );
    assert_eq!(case.attempt(&["try-write", "/tmp/a/new"]).outcome, "ok");
    assert_eq!(case.attempt(&["try-write", "/tmp/a/b/file"]).outcome, "EROFS");
    let report = case.report();
    assert_eq!(report.mounts.iter().filter(|mount| mount.point == "/tmp/a/b").count(), 2);
    assert!(!case.bundle.rootfs().join("tmp/a").exists());
}

fn masked() {
    let mut case = Case::busybox();
    let root = case.bundle.rootfs();
    fs::write(root.join("etc/secret"), "secret").unwrap();
    fs::create_dir(root.join("secrets")).unwrap();
    fs::write(root.join("secrets/secret"), "secret").unwrap();
    symlink("/etc/secret", root.join("etc/link")).unwrap();
    fs::write(root.join("etc/behind"), "secret").unwrap();
    symlink("../etc/behind", root.join("run/link")).unwrap();
    case.edit(|config| {
        config["root"]["readonly"] = json!(false);
        config["linux"]["maskedPaths"] = json!(["/etc/secret", "/secrets", "/proc/keys", "/run/link"]);
    });
    for path in ["/etc/secret", "/etc/link", "/proc/keys", "/etc/behind"] {
        assert_eq!(case.attempt(&["try-read", path]).detail, "", "{path}");
        // It goes where all goes that is written to the null device.
        assert_eq!(case.attempt(&["try-open", path, "wronly"]).outcome, "ok", "{path}");
    }
    assert_eq!(case.args(&["ls", "-a", "/secrets"]).run().ok().stdout, ".\n..\n");
    assert_eq!(case.attempt(&["try-write", "/secrets/new"]).outcome, "EROFS");
    assert_eq!(fs::read_to_string(root.join("etc/secret")).unwrap(), "secret");
    let report = case.report();
    assert_eq!(report.mount("/secrets").unwrap().fstype, "tmpfs");
    assert_eq!(report.mount("/etc/secret").unwrap().root, "/null");
}

fn read_only_paths() {
    let mut case = Case::probe();
    let root = case.bundle.rootfs();
    fs::create_dir_all(root.join("data/below")).unwrap();
    fs::write(root.join("etc/conf"), "").unwrap();
    add(&mut case, [json!({ "destination": "/data/below", "type": "tmpfs", "source": "tmpfs" })]);
    case.edit(|config| {
        config["root"]["readonly"] = json!(false);
        config["linux"]["readonlyPaths"] = json!(["/data", "/etc/conf", "/proc/sys", "/proc/irq"]);
    });
    for path in ["/data/new", "/data/below/new", "/etc/conf"] {
        assert_eq!(case.attempt(&["try-write", path]).outcome, "EROFS", "{path}");
    }
    for path in
        ["/proc/sys/kernel/hostname", "/proc/sys/net/ipv4/ip_forward", "/proc/irq/default_smp_affinity"]
    {
        assert_eq!(case.attempt(&["try-open", path, "wronly"]).outcome, "EROFS", "{path}");
    }
    assert_eq!(case.attempt(&["try-write", "/etc/other"]).outcome, "ok");
    fs::write(root.join("data/of-the-machine"), "").unwrap();
}

fn absent_paths() {
    let mut case = Case::probe();
    case.edit(|config| {
        config["linux"]["maskedPaths"] = json!(["/no/such/file", "/etc/passwd/below", "/proc/no-such"]);
        config["linux"]["readonlyPaths"] = json!(["/no/such/file", "/etc/passwd/below"]);
    });
    case.report();
}

fn mount_points() {
    let (scratch, file) = shared_directory();
    let mut case = Case::probe();
    case.edit(|config| config["root"]["readonly"] = json!(true));
    add(
        &mut case,
        [
            bind_mount(scratch.path(), "/srv/a/b", &[]),
            bind_mount(&file, "/srv/c/file", &[]),
            json!({ "destination": "/srv/./d//e", "type": "tmpfs", "source": "tmpfs" }),
        ],
    );
    assert_eq!(case.attempt(&["try-read", "/srv/c/file"]).detail, "precious");
    assert_eq!(case.attempt(&["try-read", "/srv/a/b/file"]).detail, "precious");
    let report = case.report();
    assert!(report.mount("/srv/d/e").is_some());
    // The root file system has them now, as after runc.
    let made = |path: &str| fs::symlink_metadata(case.bundle.rootfs().join(path)).unwrap();
    assert!(made("srv/a/b").is_dir() && made("srv/d/e").is_dir());
    assert_eq!((made("srv/a").mode() & 0o7777, made("srv/c/file").len()), (0o755, 0));
}

fn mount_points_through_links() {
    let (scratch, file) = shared_directory();
    // The links of the root file system, the mount point, and where it is in the root.
    let outside = format!("../../../../../../../..{}/made", scratch.path().display());
    let cases = [
        ("../run/resolv.conf", "/etc/resolv.conf", "run/resolv.conf".to_owned()),
        ("/var/lib/conf", "/etc/resolv.conf", "var/lib/conf".to_owned()),
        ("/etc/../run/x", "/etc/resolv.conf", "run/x".to_owned()),
        (
            &outside,
            "/etc/resolv.conf",
            format!("{}/made", scratch.path().strip_prefix("/").unwrap().display()),
        ),
        ("/srv", "/etc/resolv.conf/file", "srv/file".to_owned()),
    ];
    for (link, point, place) in cases {
        let mut case = Case::probe();
        symlink(link, case.bundle.rootfs().join("etc/resolv.conf")).unwrap();
        add(&mut case, [bind_mount(&file, point, &["ro"])]);
        let verdict = case.attempt(&["try-read", &format!("/{place}")]);
        assert_eq!(verdict.detail, "precious", "{link}");
        assert_eq!(case.attempt(&["try-read", point]).detail, "precious", "{link}");
        let made = fs::symlink_metadata(case.bundle.rootfs().join(&place)).unwrap();
        assert!(made.is_file() && made.len() == 0, "{link}");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "{link} led out of the root");
    }
}

fn relative_source() {
    let mut case = Case::probe();
    fs::write(case.bundle.path().join("conf"), "of the bundle").unwrap();
    add(&mut case, [bind_mount(Path::new("conf"), "/etc/hostname", &["ro"])]);
    assert_eq!(case.attempt(&["try-read", "/etc/hostname"]).detail, "of the bundle");
}

fn source_in_root() {
    for map in [false, true] {
        let mut case = Case::probe();
        if map {
            map_ids(&mut case);
        }
        let shared = case.bundle.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::write(shared.join("file"), "of an earlier mount").unwrap();
        let inside = case.bundle.rootfs().join("mnt/first");
        for point in ["mnt/first", "mnt/second"] {
            fs::create_dir_all(case.bundle.rootfs().join(point)).unwrap();
        }
        let mounts = [
            bind_mount(&shared, "/mnt/first", &["rbind"]),
            bind_mount(&inside, "/mnt/second", &["rbind", "ro"]),
            bind_mount(Path::new("rootfs/mnt/second/file"), "/etc/hostname", &["bind"]),
        ];
        add(&mut case, mounts);
        assert_eq!(case.attempt(&["try-read", "/mnt/second/file"]).detail, "of an earlier mount");
        assert_eq!(case.attempt(&["try-read", "/etc/hostname"]).detail, "of an earlier mount");
    }
}

fn message_queues() {
    let mut case = Case::busybox();
    case.args(&["sh", "-c", "touch /dev/mqueue/mine; ls /dev/mqueue"]);
    assert_eq!(case.run().ok().stdout, "mine\n");
    assert_eq!(case.run().ok().stdout, "mine\n", "gone with the namespace");
}

fn cgroups() {
    let mut case = Case::busybox();
    let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let procs = if unified { "/sys/fs/cgroup/cgroup.procs" } else { "/sys/fs/cgroup/memory/cgroup.procs" };
    let procs_inside = case.args(&["cat", procs]).run().ok().stdout;
    assert_eq!(procs_inside, "1\n", "cat is the only process there");
    let done = case.args(&["mkdir", &procs.replace("cgroup.procs", "below")]).run();
    assert!(done.stderr.contains("Read-only file system"), "{done:#?}");
}

fn cgroups_writable() {
    let mut case = Case::busybox();
    case.edit(|config| {
        let mounts = config["mounts"].as_array_mut().unwrap();
        let cgroup = mounts.iter_mut().find(|mount| mount["type"] == "cgroup").unwrap();
        cgroup["options"] = json!(["nosuid", "noexec", "nodev", "relatime"]);
    });
    let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let dir = if unified { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/pids" };
    case.args(&[
        "sh",
        "-c",
        &format!("mkdir {dir}/below && echo $$ >{dir}/below/cgroup.procs && cat /proc/self/cgroup"),
    ]);
    let done = case.run().ok();
    assert!(done.stdout.lines().any(|line| line.ends_with(":/below")), "{done:#?}");
    // What the container made is removed with it.
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn in_user_namespace() {
    let (scratch, file) = shared_directory();
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let mut case = Case::probe();
    support::map_ids(&mut case);
    // What bind sources need is root's right to read them, and mount points of the container's.
    add(
        &mut case,
        [
            json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"] }),
            bind_mount(&file, "/tmp/file", &["ro"]),
        ],
    );
    assert_eq!(case.attempt(&["try-read", "/tmp/file"]).detail, "precious");
    assert_eq!(case.attempt(&["try-write", "/tmp/file"]).outcome, "EROFS");
    let report = case.report();
    assert!(report.mount("/proc/sys").unwrap().has("ro"));
    assert!(report.mount("/proc/keys").is_some());
    assert_eq!(report.mount("/dev/shm").unwrap().options, ["rw", "nosuid", "nodev", "noexec", "relatime"]);
}
