//! Device nodes and links in `/dev`.

mod support;

use std::process::ExitCode;

use serde_json::json;
use support::{Case, HOST_ID};
use testbed::{Need, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    testbed::main([
        trial("the default devices and links", root.clone(), default_devices),
        trial("devices of the configuration, with mode and owner", root.clone(), configured),
        trial("a default device can be given another mode", root.clone(), default_changed),
        trial("the devices cgroup decides which of them work", root.clone(), cgroup_decides),
        trial("in a user namespace the machine's own nodes are shown", root.clone(), in_user_namespace),
        trial(
            "in a user namespace devices of the configuration are made for it",
            root.clone(),
            made_for_user_namespace,
        ),
        trial("a device that is there already has to be the same", root.clone(), existing),
        trial("a /dev bound from the machine stays as it is", root, bound_dev),
    ])
}

const DEVICES: [(&str, (u32, u32)); 6] = [
    ("/dev/null", (1, 3)),
    ("/dev/zero", (1, 5)),
    ("/dev/full", (1, 7)),
    ("/dev/random", (1, 8)),
    ("/dev/urandom", (1, 9)),
    ("/dev/tty", (5, 0)),
];

const LINKS: [(&str, &str); 6] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/core", "/proc/kcore"),
    ("/dev/ptmx", "pts/ptmx"),
];

fn default_devices() {
    let mut case = Case::probe();
    let report = case.report();
    for (path, number) in DEVICES {
        let device = report.device(path).unwrap_or_else(|| panic!("{path}"));
        let seen = (device.kind.as_str(), device.mode, device.owner, device.number);
        assert_eq!(seen, ("char", 0o666, (0, 0), Some(number)), "{path}");
    }
    for (path, target) in LINKS {
        let device = report.device(path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!((device.kind.as_str(), device.target.as_deref()), ("link", Some(target)), "{path}");
    }
    let nodes = report.devices.iter().filter(|device| device.number.is_some());
    let mut known = DEVICES.map(|(path, _)| path).to_vec();
    known.push("/dev/pts/ptmx");
    let others: Vec<_> = nodes.filter(|device| !known.contains(&device.path.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
    for path in ["/dev/null", "/dev/zero", "/dev/random"] {
        assert_eq!(case.attempt(&["try-open", path, "rdonly"]).outcome, "ok", "{path}");
    }
}

fn configured() {
    let mut case = Case::probe();
    case.edit(|config| {
        config["linux"]["devices"] = json!([
            { "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 7, "gid": 8 },
            { "path": "/dev/net/tun", "type": "u", "major": 10, "minor": 200 },
            { "path": "/dev/disk", "type": "b", "major": 7, "minor": 9, "fileMode": 0o4600 },
            { "path": "/dev/pipe", "type": "p", "fileMode": 0o622 },
        ]);
    });
    let report = case.report();
    let expect = [
        ("/dev/fuse", "char", 0o640, (7, 8), Some((10, 229))),
        ("/dev/net/tun", "char", 0o666, (0, 0), Some((10, 200))),
        ("/dev/disk", "block", 0o4600, (0, 0), Some((7, 9))),
        ("/dev/pipe", "fifo", 0o622, (0, 0), None),
    ];
    for (path, kind, mode, owner, number) in expect {
        let device = report.device(path).unwrap_or_else(|| panic!("{path}"));
        let seen = (device.kind.as_str(), device.mode, device.owner, device.number);
        assert_eq!(seen, (kind, mode, owner, number), "{path}");
    }
}

fn default_changed() {
    let mut case = Case::probe();
    case.edit(|config| {
        config["linux"]["devices"] =
            json!([{ "path": "/dev/full", "type": "c", "major": 1, "minor": 7, "fileMode": 0o600 }]);
    });
    let report = case.report();
    assert_eq!(report.device("/dev/full").unwrap().mode, 0o600);
    assert_eq!(report.devices.iter().filter(|device| device.path == "/dev/full").count(), 1);
}

fn cgroup_decides() {
    // /dev/kmsg is a device that every machine has and no container by default.
    let node = json!([{ "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11 }]);
    let rule = |access| json!({ "allow": true, "type": "c", "major": 1, "minor": 11, "access": access });
    let cases = [
        (json!([{ "allow": false, "access": "rwm" }]), "EPERM", "EPERM"),
        (json!([{ "allow": false, "access": "rwm" }, rule("r")]), "ok", "EPERM"),
        (json!([{ "allow": false, "access": "rwm" }, rule("rw")]), "ok", "ok"),
        (json!([{ "allow": true, "access": "rwm" }]), "ok", "ok"),
    ];
    for (rules, read, write) in cases {
        let mut case = Case::probe();
        case.edit(|config| {
            config["linux"]["devices"] = node.clone();
            config["linux"]["resources"]["devices"] = rules.clone();
            let sets = json!(["CAP_SYSLOG"]);
            config["process"]["capabilities"] =
                json!({ "bounding": sets, "effective": sets, "permitted": sets });
        });
        assert_eq!(case.attempt(&["try-open", "/dev/kmsg", "rdonly"]).outcome, read, "{rules}");
        assert_eq!(case.attempt(&["try-open", "/dev/kmsg", "wronly"]).outcome, write, "{rules}");
    }
}

fn in_user_namespace() {
    let mut case = Case::probe();
    support::map_ids(&mut case);
    let report = case.report();
    for (path, number) in DEVICES {
        let device = report.device(path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!((device.kind.as_str(), device.number), ("char", Some(number)), "{path}");
        // The machine's root has no id here.
        assert_eq!(device.owner.0, 65534, "{path}");
    }
    for path in ["/dev/null", "/dev/zero", "/dev/urandom"] {
        assert_eq!(case.attempt(&["try-open", path, "rdwr"]).outcome, "ok", "{path} as {HOST_ID}");
    }
}

fn made_for_user_namespace() {
    let mut case = Case::probe();
    support::map_ids(&mut case);
    case.edit(|config| {
        config["linux"]["devices"] = json!([
            // No node of the machine has these names.
            { "path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 7, "gid": 8 },
            { "path": "/dev/below/block", "type": "b", "major": 7, "minor": 9 },
            { "path": "/dev/pipe", "type": "p", "fileMode": 0o622, "uid": 9 },
        ]);
    });
    let report = case.report();
    let expect = [
        ("/dev/mine", "char", 0o640, (7, 8), Some((1, 5))),
        ("/dev/below/block", "block", 0o666, (0, 0), Some((7, 9))),
        ("/dev/pipe", "fifo", 0o622, (9, 0), None),
    ];
    for (path, kind, mode, owner, number) in expect {
        let device = report.device(path).unwrap_or_else(|| panic!("{path}"));
        let seen = (device.kind.as_str(), device.mode, device.owner, device.number);
        assert_eq!(seen, (kind, mode, owner, number), "{path}");
    }
    for path in ["/dev/mine", "/dev/null", "/dev/tty"] {
        let mount = report.mount(path).unwrap_or_else(|| panic!("{path}"));
        assert!(mount.has("nosuid") && mount.has("noexec"), "{mount:?}");
    }
    assert_eq!(case.attempt(&["try-read", "/dev/null"]).outcome, "ok");
    // It is /dev/zero under another name.
    case.edit(|config| config["linux"]["devices"][0]["fileMode"] = json!(0o666));
    assert_eq!(case.attempt(&["try-open", "/dev/mine", "rdwr"]).outcome, "ok");
    // The machine's own /dev has none of it.
    assert!(!std::path::Path::new("/dev/mine").exists() && !std::path::Path::new("/dev/0").exists());

    case.edit(|config| config["linux"]["devices"][0]["uid"] = json!(70000));
    let done = case.run();
    assert!(done.stderr.contains("/linux/devices/0/uid: 70000 has no id on the machine"), "{done:#?}");
}

fn existing() {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    // What is there, and whether a character device 1:5 is satisfied with it.
    let cases = [
        (FileType::CharacterDevice, makedev(1, 5), true),
        (FileType::CharacterDevice, makedev(1, 3), false),
        (FileType::BlockDevice, makedev(1, 5), false),
        (FileType::RegularFile, 0, false),
        (FileType::Fifo, 0, false),
    ];
    for (kind, number, good) in cases {
        let mut case = Case::probe();
        mknodat(CWD, case.bundle.rootfs().join("node"), kind, Mode::RUSR, number).unwrap();
        case.args(&["/bin/probe", "exit", "0"]);
        case.edit(|config| {
            config["linux"]["devices"] = json!([{ "path": "/node", "type": "c", "major": 1, "minor": 5 }]);
        });
        let done = case.run();
        assert_eq!(done.code() == 0, good, "{kind:?}: {done:#?}");
        assert!(
            good || done.stderr.contains("make device /node: something else is there already"),
            "{done:#?}"
        );
    }
}

fn bound_dev() {
    let mut case = Case::probe();
    case.edit(|config| {
        let mounts = config["mounts"].as_array_mut().unwrap();
        mounts.retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/dev"));
        mounts.push(
            json!({ "destination": "/dev", "type": "bind", "source": "/dev", "options": ["rbind", "ro"] }),
        );
    });
    let report = case.report();
    // kmsg is a device that no container has of its own.
    assert!(report.device("/dev/kmsg").is_some());
    assert!(report.mount("/dev").unwrap().has("ro"));
}
