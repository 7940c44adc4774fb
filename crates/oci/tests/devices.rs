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
