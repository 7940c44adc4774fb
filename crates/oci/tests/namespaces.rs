//! The eight kinds of namespaces: made, shared with the machine, and joined.

mod support;

use std::process::ExitCode;

use serde_json::json;
use support::{Case, HOST_ID, map_ids, namespaces, set_namespace};
use testbed::{Need, trial};

/// Types of the configuration, and the files in `/proc/PID/ns`.
const KINDS: [(&str, &str); 8] = [
    ("pid", "pid"),
    ("network", "net"),
    ("mount", "mnt"),
    ("ipc", "ipc"),
    ("uts", "uts"),
    ("user", "user"),
    ("cgroup", "cgroup"),
    ("time", "time"),
];

fn main() -> ExitCode {
    let root = [Need::Root];
    testbed::main([
        trial("all eight are made", root.clone(), all_made),
        trial("one that is left out is the machine's", root.clone(), left_out_is_shared),
        trial("one of another container is joined by its path", root.clone(), joined),
        trial("a user namespace is joined, and owns what is made", root.clone(), joined_user),
        trial("a whole pod is joined, user namespace included", root.clone(), joined_pod),
        trial("in a user namespace the machine's are joined, too", root.clone(), joined_beside_user),
        trial("an empty path makes a new one", root.clone(), empty_path),
        trial("a container in another's pid namespace is not pid 1 and sees it", root.clone(), joined_pid),
        trial(
            "the only interface of a new network namespace is a loopback that is up",
            root.clone(),
            loopback,
        ),
        trial("ids are mapped as configured", root.clone(), id_maps),
        trial("clocks are offset as configured", root.clone(), clocks),
        trial("the cgroup namespace begins at the container's own group", root.clone(), cgroup_root),
        trial("a path that is no such namespace is refused", root, wrong_path),
    ])
}

fn all_made() {
    let mut case = Case::probe();
    map_ids(&mut case);
    case.edit(|config| set_namespace(config, "time", Some(json!({ "type": "time" }))));
    let (host, inside) = (namespaces("self"), case.report().namespaces);
    for (kind, file) in KINDS {
        assert_ne!(inside[file], host[file], "{kind}");
    }
    for file in ["pid", "time"] {
        assert_eq!(inside[&format!("{file}_for_children")], inside[file], "the children's, too");
    }
}

fn left_out_is_shared() {
    // The mount namespace has tests of its own (mount_namespace.rs); the standard configuration has neither user nor time.
    for (kind, file) in KINDS.into_iter().filter(|(kind, _)| *kind != "mount") {
        let mut case = Case::probe();
        case.edit(|config| {
            set_namespace(config, kind, None);
            if kind == "uts" {
                config["hostname"].take();
            }
        });
        let (host, inside) = (namespaces("self"), case.report().namespaces);
        for (other, name) in KINDS {
            let shared = name == file || other == "user" || other == "time";
            assert_eq!(inside[name] == host[name], shared, "{other} without {kind}");
        }
    }
}

/// A container with its own of what the standard configuration makes, and a time namespace.
fn target() -> Case {
    let mut target = Case::probe();
    target.args(&["/bin/probe", "sleep"]);
    target.edit(|config| set_namespace(config, "time", Some(json!({ "type": "time" }))));
    target.detach();
    target
}

fn joined() {
    let target = target();
    let pid = target.pid();
    let theirs = namespaces(&pid.to_string());
    let joinable = KINDS.into_iter().filter(|(kind, _)| !matches!(*kind, "mount" | "user"));
    for (kind, file) in joinable {
        let mut case = Case::probe();
        case.edit(|config| {
            let path = format!("/proc/{pid}/ns/{file}");
            set_namespace(config, kind, Some(json!({ "type": kind, "path": path })));
            if kind == "uts" {
                config["hostname"].take();
            }
        });
        let inside = case.report().namespaces;
        for (other, name) in KINDS {
            assert_eq!(
                inside[name] == theirs[name],
                name == file || other == "user",
                "{other} when {kind} is joined: {inside:?} and {theirs:?}"
            );
        }
    }
    assert_eq!(target.status(), "running");
}

/// A container in a user namespace of its own.
fn target_with_ids() -> Case {
    let mut target = Case::probe();
    target.args(&["/bin/probe", "sleep"]);
    map_ids(&mut target);
    target.detach();
    target
}

fn join(case: &mut Case, pid: i32, kind: &str, file: &str) {
    case.edit(|config| {
        let path = format!("/proc/{pid}/ns/{file}");
        set_namespace(config, kind, Some(json!({ "type": kind, "path": path })));
        if kind == "uts" {
            config["hostname"].take();
        }
    });
}

fn joined_user() {
    let target = target_with_ids();
    let theirs = namespaces(&target.pid().to_string());
    let mut case = Case::probe();
    join(&mut case, target.pid(), "user", "user");
    let report = case.report();
    for (other, name) in KINDS {
        let same = matches!(other, "user" | "time");
        assert_eq!(report.namespaces[name] == theirs[name], same, "{other}");
    }
    let map: Vec<_> = report.ids.uid_map.iter().map(|m| (m.inside, m.outside, m.count)).collect();
    assert_eq!(map, [(0, HOST_ID, 65536)]);
    assert_eq!((report.process.pid, report.ids.uids), (1, [0; 4]));
    // Only an owner of the namespaces can have mounted these.
    assert!(report.mounts.iter().any(|mount| mount.point == "/proc" && mount.fstype == "proc"));
    assert!(report.mounts.iter().any(|mount| mount.point == "/sys"));
    assert_eq!(target.status(), "running");
}

/// What podman does for the second container of a pod. It gives mappings, too.
fn joined_pod() {
    let target = target_with_ids();
    let theirs = namespaces(&target.pid().to_string());
    let mut case = Case::probe();
    map_ids(&mut case);
    let shared = ["user", "pid", "network", "ipc", "uts"];
    for (kind, file) in KINDS.into_iter().filter(|(kind, _)| shared.contains(kind)) {
        join(&mut case, target.pid(), kind, file);
    }
    let report = case.report();
    for (other, name) in KINDS {
        let same = other == "time" || shared.contains(&other);
        assert_eq!(report.namespaces[name] == theirs[name], same, "{other}");
    }
    assert_eq!(report.pids, [1, report.process.pid]);
    assert_eq!(target.status(), "running");
}

/// Namespaces that do not belong to the container's user namespace, be that a new one or another's. Their files show
/// nothing of it, so sysfs, with what is mounted in it, and mqueue are left out.
fn joined_beside_user() {
    let (owner, target) = (target_with_ids(), target());
    for other_user in [false, true] {
        let mut case = Case::probe();
        map_ids(&mut case);
        if other_user {
            join(&mut case, owner.pid(), "user", "user");
        }
        let shared = ["network", "ipc", "uts", "cgroup"];
        for (kind, file) in KINDS.into_iter().filter(|(kind, _)| shared.contains(kind)) {
            join(&mut case, target.pid(), kind, file);
        }
        case.edit(|config| {
            let mounts = config["mounts"].as_array_mut().unwrap();
            mounts.retain(|mount| !["sysfs", "cgroup", "mqueue"].contains(&mount["type"].as_str().unwrap()));
        });
        let theirs = namespaces(&target.pid().to_string());
        let report = case.report();
        for (other, name) in KINDS.into_iter().filter(|(kind, _)| !matches!(*kind, "user" | "time")) {
            assert_eq!(report.namespaces[name] == theirs[name], shared.contains(&other), "{other}");
        }
        let users = namespaces(&owner.pid().to_string());
        assert_eq!(report.namespaces["user"] == users["user"], other_user);
    }
}

fn empty_path() {
    let mut case = Case::probe();
    case.edit(|config| set_namespace(config, "network", Some(json!({ "type": "network", "path": "" }))));
    assert_ne!(case.report().namespaces["net"], namespaces("self")["net"]);
}

fn joined_pid() {
    let target = target();
    let mut case = Case::probe();
    case.edit(|config| {
        let path = format!("/proc/{}/ns/pid", target.pid());
        set_namespace(config, "pid", Some(json!({ "type": "pid", "path": path })));
    });
    let report = case.report();
    assert_ne!(report.process.pid, 1);
    assert_eq!(report.pids, [1, report.process.pid]);
}

fn loopback() {
    let report = Case::probe().report();
    let seen: Vec<_> = report.interfaces.iter().map(|one| (one.name.as_str(), one.up)).collect();
    assert_eq!(seen, [("lo", true)]);
    assert!(report.interfaces[0].addresses.iter().any(|address| address == "127.0.0.1/8"));
}

fn id_maps() {
    let mut case = Case::probe();
    map_ids(&mut case);
    case.edit(|config| {
        config["linux"]["gidMappings"] = json!([
            { "containerID": 0, "hostID": HOST_ID, "size": 10 },
            { "containerID": 10, "hostID": HOST_ID + 20, "size": 90 },
        ]);
        config["process"]["user"] = json!({ "uid": 7, "gid": 8, "additionalGids": [9, 11] });
    });
    let report = case.report();
    let map = |map: &[probe::IdMap]| map.iter().map(|m| (m.inside, m.outside, m.count)).collect::<Vec<_>>();
    assert_eq!(map(&report.ids.uid_map), [(0, HOST_ID, 65536)]);
    assert_eq!(map(&report.ids.gid_map), [(0, HOST_ID, 10), (10, HOST_ID + 20, 90)]);
    assert_eq!((report.ids.uids, report.ids.gids), ([7; 4], [8; 4]));
    assert_eq!(report.ids.groups, [9, 11]);
}

fn clocks() {
    let plain = Case::probe().report();
    let mut case = Case::probe();
    case.edit(|config| {
        set_namespace(config, "time", Some(json!({ "type": "time" })));
        config["linux"]["timeOffsets"] =
            json!({ "boottime": { "secs": 100_000, "nanosecs": 500 }, "monotonic": { "secs": 50_000 } });
    });
    let shifted = case.report();
    assert_eq!(shifted.clocks.offsets["boottime"], (100_000, 500));
    assert_eq!(shifted.clocks.offsets["monotonic"], (50_000, 0));
    // The second report is later than the first.
    assert!(shifted.clocks.boottime >= plain.clocks.boottime + 100_000.0);
    assert!(shifted.clocks.monotonic >= plain.clocks.monotonic + 50_000.0);
}

fn cgroup_root() {
    let report = Case::probe().report();
    assert!(!report.cgroups.is_empty());
    for cgroup in &report.cgroups {
        assert_eq!(cgroup.path, "/", "{cgroup:?}");
    }

    let mut case = Case::probe();
    case.edit(|config| set_namespace(config, "cgroup", None));
    let report = case.report();
    for cgroup in &report.cgroups {
        assert!(cgroup.path.ends_with(case.id()), "{cgroup:?}");
    }
}

fn wrong_path() {
    let cases = [
        (
            "/proc/self/ns/net",
            "open /proc/self/ns/net as a uts namespace: it is a namespace of another kind \
             (step 2 of N, from /linux/namespaces/5)\n",
        ),
        (
            "/etc/passwd",
            "open /etc/passwd as a uts namespace: it is not a namespace (step 2 of N, from /linux/namespaces/5)\n",
        ),
        (
            "/no/such/file",
            "open /no/such/file as a uts namespace: no such file or directory \
             (step 2 of N, from /linux/namespaces/5)\n",
        ),
        (
            "relative",
            "/linux/namespaces/5/path: relative is not an absolute path\n  name a file like /proc/PID/ns/net\n",
        ),
    ];
    for (path, message) in cases {
        let mut case = Case::probe();
        case.edit(|config| set_namespace(config, "uts", Some(json!({ "type": "uts", "path": path }))));
        let done = case.run();
        let expected = format!("cuddy-oci: error: cannot start {}: {message}", case.id());
        assert_eq!((done.code(), support::without_step_count(&done.stderr)), (1, expected));
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}
