//! Plans as values, without root and without a machine: the whole plan of a usual configuration, and for each field
//! what it changes of that plan.

use plan::facts::{CgroupLayout, CgroupV1, CgroupV2, HostFacts, Systemd};
use planner::{CgroupManager, Options, Request, RootSource, Start, Upper};
use serde_json::{Value, json};
use spec::{CapabilitySet, Config};
use std::path::Path;

/// What `cuddy-oci spec` writes, but for the masks: two stand for all.
fn usual() -> Value {
    let mount = |destination: &str, kind: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": kind, "options": options });
    json!({
        "ociVersion": "1.3.0",
        "root": { "path": "rootfs" },
        "hostname": "web",
        "process": {
            "cwd": "/",
            "args": ["sh"],
            "env": ["PATH=/bin"],
            "user": { "uid": 0, "gid": 0 },
            "noNewPrivileges": true,
            "capabilities": {
                "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
            },
        },
        "mounts": [
            mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
            mount("/sys/fs/cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"]),
        ],
        "linux": {
            "namespaces": [
                { "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" },
                { "type": "cgroup" },
            ],
            "maskedPaths": ["/proc/kcore", "/sys/firmware"],
            "readonlyPaths": ["/proc/sys"],
        },
    })
}

fn v1(controllers: &[&str], mount: &str) -> CgroupV1 {
    CgroupV1 {
        controllers: controllers.iter().map(|&c| c.to_owned()).collect(),
        mount: mount.into(),
        own: "/".into(),
    }
}

/// A small hybrid machine: three v1 hierarchies, and v2 with huge pages.
fn hybrid() -> CgroupLayout {
    CgroupLayout {
        v1: vec![v1(&["memory"], "/cg/memory"), v1(&["devices"], "/cg/devices"), v1(&["pids"], "/cg/pids")],
        v2: Some(CgroupV2 {
            mount: "/cg/unified".into(),
            controllers: vec!["hugetlb".into()],
            own: "/".into(),
        }),
    }
}

fn unified() -> CgroupLayout {
    let controllers = ["cpu", "memory", "pids"].map(str::to_owned).to_vec();
    CgroupLayout { v1: vec![], v2: Some(CgroupV2 { mount: "/cg".into(), controllers, own: "/".into() }) }
}

fn facts(cgroups: CgroupLayout) -> HostFacts {
    HostFacts {
        kernel: (6, 1),
        uid: 0,
        // All but CAP_SYS_RESOURCE.
        capabilities: CapabilitySet::from_bits(0x1ff_feff_ffff),
        last_capability: 40,
        selinux: false,
        new_mount_api: true,
        cgroups,
        ..HostFacts::default()
    }
}

fn plan(config: &Value, layout: CgroupLayout, options: &Options) -> Result<planner::Planned, planner::Error> {
    plan_on(config, &facts(layout), options)
}

fn plan_on(config: &Value, facts: &HostFacts, options: &Options) -> Result<planner::Planned, planner::Error> {
    let config: Config = serde_json::from_value(config.clone()).expect("a configuration");
    let id = "web".parse().expect("a name");
    let bundle = Path::new("/bundle");
    planner::plan(&Request { config: &config, facts, id: &id, bundle, options })
}

/// The calls of a plan, one a line, with the side that makes them; descriptors without numbers.
fn lines(planned: &planner::Planned) -> Vec<String> {
    let mut lines: Vec<String> = planned.notes.iter().map(|note| format!("note: {note}")).collect();
    for side in [plan::Side::Host, plan::Side::Init] {
        for step in planned.plan.script(side) {
            let calls = plan::render::calls(&step.op);
            lines.extend(calls.iter().map(|call| format!("{side}: {}", without_numbers(&call.to_string()))));
        }
    }
    lines.extend(planned.plan.undo.iter().map(|undo| format!("undo: {undo}")));
    lines
}

/// `$mount_7` as `$mount`: the count shifts with every mount before.
fn without_numbers(line: &str) -> String {
    let mut parts = line.split("$mount_");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("$mount");
        text.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    text
}

/// What of the usual plan is not in this one, and what is only in this one.
fn changes(planned: &planner::Planned) -> String {
    let usual = lines(&plan(&usual(), hybrid(), &Options::default()).expect("the usual plan"));
    let new = lines(planned);
    let mut text = String::new();
    for (mark, these, others) in [('-', &usual, &new), ('+', &new, &usual)] {
        let mut left: Vec<&String> = others.iter().collect();
        for line in these {
            match left.iter().position(|other| *other == line) {
                Some(place) => drop(left.swap_remove(place)),
                None => text.push_str(&format!("{mark} {line}\n")),
            }
        }
    }
    text
}

#[test]
fn the_usual_plan() {
    let planned = plan(&usual(), hybrid(), &Options::default()).unwrap();
    insta::assert_snapshot!("usual", plan::render::syscalls(&planned.plan));
}

#[test]
fn systemd_makes_the_groups() {
    let mut config = usual();
    config["linux"]["cgroupsPath"] = json!("machine.slice:x:web");
    config["linux"]["resources"] = json!({
        "memory": { "limit": 1 << 20 }, "pids": { "limit": 5 }, "hugepageLimits": [{ "pageSize": "2MB", "limit": 0 }],
    });
    let options = Options { cgroup_manager: CgroupManager::Systemd, ..Options::default() };
    let mut with_systemd = hybrid();
    with_systemd.v1.push(v1(&["name=systemd"], "/cg/systemd"));
    let mut pages = unified();
    pages.v2.as_mut().expect("v2").controllers.push("hugetlb".into());
    for (name, layout) in [("units_on_v2", pages), ("units_on_a_hybrid_machine", with_systemd)] {
        let systemd = Some(Systemd { version: 252, group: "/".into(), ..Systemd::default() });
        let planned = plan_on(&config, &HostFacts { systemd, ..facts(layout) }, &options).unwrap();
        let start = planned.plan.host.0.iter().find(|step| matches!(step.op, plan::Op::StartUnit { .. }));
        let command = plan::render::shell(&start.expect("a unit is started").op).command;
        insta::assert_snapshot!(name, format!("{}$ {command}", changes(&planned)));
    }
}

/// A change of the usual configuration.
type Edit = fn(&mut Value);

fn map(config: &mut Value) {
    let ids = |host: u32| json!([{ "containerID": 0, "hostID": host, "size": 65536 }]);
    config["linux"]["uidMappings"] = ids(100_000);
    config["linux"]["gidMappings"] = ids(200_000);
    config["linux"]["namespaces"].as_array_mut().expect("a list").push(json!({ "type": "user" }));
}

fn scheduling(config: &mut Value) {
    config["process"]["scheduler"] = json!({ "policy": "SCHED_BATCH", "nice": 5 });
    config["process"]["ioPriority"] = json!({ "class": "IOPRIO_CLASS_BE", "priority": 7 });
    config["linux"]["memoryPolicy"] =
        json!({ "mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"] });
    config["linux"]["personality"] = json!({ "domain": "LINUX32" });
}

fn asking(config: &mut Value) {
    config["annotations"] = json!({ "a": "b" });
    config["linux"]["seccomp"] = json!({
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent.sock", "listenerMetadata": "x",
        "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_NOTIFY" }],
    });
}

#[test]
fn who_listens_is_told_before_start() {
    let mut config = usual();
    asking(&mut config);
    let options = Options { start: Start::OnRequest, ..Options::default() };
    let planned = plan(&config, hybrid(), &options).unwrap();
    let of =
        |side| -> Vec<String> { planned.plan.script(side).iter().map(|step| step.op.to_string()).collect() };
    let (host, init) = (of(plan::Side::Host), of(plan::Side::Init));
    assert_eq!(
        host[host.len() - 4..],
        [
            "take the filter's listener",
            "send the filter's listener to /run/agent.sock",
            "say ListenerTaken",
            "wait for Created"
        ]
    );
    assert_eq!(
        init[init.len() - 5..],
        [
            "load the system call filter",
            "offer the filter's listener",
            "wait for ListenerTaken",
            "wait for start",
            "execute \"sh\""
        ]
    );
}

#[test]
fn what_each_field_changes() {
    let cases: [(&str, Edit); 30] = [
        ("user_namespace", map),
        ("time_namespace", |config| {
            config["linux"]["namespaces"].as_array_mut().expect("a list").push(json!({ "type": "time" }));
            config["linux"]["timeOffsets"] = json!({ "boottime": { "secs": 86400 } });
        }),
        ("joined_namespaces", |config| {
            config["linux"]["namespaces"] = json!([
                { "type": "mount" }, { "type": "uts" },
                { "type": "pid", "path": "/proc/7/ns/pid" }, { "type": "network", "path": "/run/netns/blue" },
            ]);
        }),
        ("host_network", |config| {
            config["linux"]["namespaces"] =
                json!([{ "type": "mount" }, { "type": "pid" }, { "type": "uts" }]);
        }),
        ("terminal", |config| {
            config["process"]["terminal"] = json!(true);
            config["process"]["consoleSize"] = json!({ "height": 24, "width": 80 });
        }),
        ("read_only_root", |config| config["root"]["readonly"] = json!(true)),
        ("bind_mount", |config| {
            config["mounts"].as_array_mut().expect("a list").push(json!({
                "destination": "/etc/conf", "source": "conf", "options": ["rbind", "ro", "rprivate", "nosuid"],
            }));
        }),
        ("shared_bind_mount", |config| {
            config["mounts"].as_array_mut().expect("a list").push(json!({
                "destination": "/data", "type": "bind", "source": "/srv/data", "options": ["rshared", "rro"],
            }));
        }),
        ("user", |config| {
            config["process"]["user"] = json!({ "uid": 7, "gid": 8, "umask": 23, "additionalGids": [9, 10] });
        }),
        ("ambient_capabilities", |config| {
            let kill = json!(["CAP_KILL"]);
            config["process"]["capabilities"] = json!({ "bounding": kill, "effective": kill, "permitted": kill, "inheritable": kill, "ambient": kill });
        }),
        ("a_capability_that_cannot_be_had", |config| {
            let two = json!(["CAP_KILL", "CAP_SYS_RESOURCE"]);
            config["process"]["capabilities"] =
                json!({ "bounding": two, "effective": two, "permitted": two });
        }),
        ("limits_of_the_process", |config| {
            config["process"]["oomScoreAdj"] = json!(500);
            config["process"]["rlimits"] = json!([{ "type": "RLIMIT_NOFILE", "soft": 1024, "hard": 2048 }]);
        }),
        ("scheduling", scheduling),
        ("scheduling_in_a_user_namespace", |config| {
            scheduling(config);
            map(config);
        }),
        ("sysctls", |config| {
            config["linux"]["sysctl"] = json!({ "net.ipv4.ip_forward": "1", "kernel.shmmax": "65536" });
        }),
        ("devices", |config| {
            config["linux"]["devices"] = json!([
                { "type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 0o600, "uid": 5, "gid": 6 },
                { "type": "p", "path": "/dev/pipe" },
            ]);
        }),
        ("mount_options", |config| {
            config["mounts"].as_array_mut().expect("a list").extend([
                json!({ "destination": "/tmp", "type": "tmpfs", "options": ["ro", "sync", "noatime", "strictatime"] }),
                json!({ "destination": "/var", "type": "tmpfs", "options": ["tmpcopyup", "mode=700", "shared"] }),
                json!({ "destination": "/disk", "type": "ext4", "source": "/dev/vdb", "options": ["ro"] }),
                json!({ "destination": "/tmp", "options": ["remount", "size=1m", "rnoexec", "private"] }),
            ]);
        }),
        ("idmapped_mounts", |config| {
            let ids = |host: u32| json!([{ "containerID": 0, "hostID": host, "size": 10 }]);
            let mount = |host: u32| {
                json!({
                    "destination": "/data", "source": "/srv", "options": ["rbind", "ridmap"], "uidMappings": ids(host),
                    "gidMappings": ids(host),
                })
            };
            config["mounts"].as_array_mut().expect("a list").extend([mount(1000), mount(2000), mount(1000)]);
        }),
        ("no_cgroup_namespace", |config| {
            config["linux"]["namespaces"]
                .as_array_mut()
                .expect("a list")
                .retain(|one| one["type"] != "cgroup");
        }),
        ("user_namespace_without_maps", |config| {
            config["linux"]["namespaces"].as_array_mut().expect("a list").push(json!({ "type": "user" }));
        }),
        ("label_without_selinux", |config| {
            config["linux"]["mountLabel"] = json!("system_u:object_r:container_file_t:s0");
        }),
        ("root_is_shared", |config| config["linux"]["rootfsPropagation"] = json!("rshared")),
        ("root_is_private", |config| {
            config["linux"]["rootfsPropagation"] = json!("private");
            config["mounts"].as_array_mut().expect("a list").push(json!({
                "destination": "/data", "source": "/srv", "options": ["rbind"],
            }));
        }),
        ("root_is_slave", |config| config["linux"]["rootfsPropagation"] = json!("slave")),
        ("network_devices", |config| {
            config["linux"]["netDevices"] = json!({ "eth0": {}, "eth1": { "name": "lan%d" } });
        }),
        ("user_namespace_without_a_network", |config| {
            let namespaces = config["linux"]["namespaces"].as_array_mut().expect("a list");
            namespaces.retain(|one| one["type"] != "network");
            namespaces.push(json!({ "type": "user" }));
            let ids = json!([{ "containerID": 0, "hostID": 100_000, "size": 65536 }]);
            config["linux"]["uidMappings"] = ids.clone();
            config["linux"]["gidMappings"] = ids;
            config["linux"]["devices"] = json!([
                { "type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "uid": 5 },
                { "type": "p", "path": "/dev/pipe" },
            ]);
        }),
        ("hooks", |config| {
            let hook = |name: &str| json!([{ "path": format!("/hooks/{name}") }]);
            config["hooks"] = json!({
                "prestart": hook("prestart"),
                "createRuntime": [
                    { "path": "/hooks/a", "args": ["a", "one"], "env": [], "timeout": 5 }, { "path": "/hooks/b" },
                ],
                "createContainer": hook("create"),
                "startContainer": hook("start"),
                "poststart": hook("poststart"),
                "poststop": hook("poststop"),
            });
            config["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW" });
        }),
        ("a_hook_of_the_runtime_and_a_joined_pid_namespace", |config| {
            config["hooks"] = json!({ "poststop": [{ "path": "/hooks/poststop" }] });
            config["linux"]["namespaces"][0]["path"] = json!("/proc/7/ns/pid");
        }),
        ("a_filter_that_asks", asking),
        ("a_filter_without_no_new_privileges", |config| {
            config["process"]["noNewPrivileges"] = json!(false);
            config["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                { "names": ["reboot"], "action": "SCMP_ACT_ERRNO" },
            ] });
        }),
    ];
    for (name, edit) in cases {
        let mut config = usual();
        edit(&mut config);
        let planned =
            plan(&config, hybrid(), &Options::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        insta::assert_snapshot!(name, changes(&planned));
    }
}

/// The usual configuration among the mounts of others, without what is refused there.
fn among_others(entry: Option<Value>) -> Value {
    let mut config = usual();
    let namespaces = config["linux"]["namespaces"].as_array_mut().expect("a list");
    namespaces.retain(|one| one["type"] != "mount");
    namespaces.extend(entry);
    config["linux"]["maskedPaths"] = json!([]);
    config["linux"]["readonlyPaths"] = json!([]);
    config
}

#[test]
fn others_keep_their_mounts() {
    let options = Options { mount_note: Some("/run/web/mount".into()), ..Options::default() };
    let planned = plan(&among_others(None), hybrid(), &options).unwrap();
    insta::assert_snapshot!("no_mount_namespace", changes(&planned));
    let error = plan(&among_others(None), hybrid(), &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/linux/namespaces: nobody would take off what is mounted for this container"
    );

    let mut config = among_others(Some(json!({ "type": "mount", "path": "/proc/7/ns/mnt" })));
    config["mounts"] = json!([]);
    let changes = changes(&plan(&config, hybrid(), &options).unwrap());
    let added: Vec<&str> = changes.lines().filter(|line| line.starts_with('+')).collect();
    insta::assert_snapshot!("joined_mount_namespace", added.join("\n"));
}

#[test]
fn labels_are_entered_where_their_module_is_on() {
    let mut config = usual();
    config["process"]["apparmorProfile"] = json!("web");
    config["process"]["selinuxLabel"] = json!("u:r:web_t:s0");
    let mut facts = facts(hybrid());
    (facts.apparmor, facts.selinux) = (true, true);
    let planned = plan_on(&config, &facts, &Options::default()).unwrap();
    insta::assert_snapshot!("labels", changes(&planned));

    let mut config = usual();
    config["process"]["apparmorProfile"] = json!("unconfined");
    let planned = plan(&config, hybrid(), &Options::default()).unwrap();
    assert_eq!(changes(&planned), "", "everybody is, without AppArmor");
}

#[test]
fn hooks_that_follow_are_kept_and_others_are_steps() {
    let mut config = usual();
    let hook = json!([{ "path": "/hook", "timeout": 1 }]);
    config["hooks"] =
        json!({ "createContainer": hook, "startContainer": hook, "poststart": hook, "poststop": hook });
    let planned = plan(&config, hybrid(), &Options::default()).unwrap();
    let kept: Vec<_> = planned.hooks.iter().map(|hook| (hook.kind.name(), hook.timeout)).collect();
    assert_eq!(kept, [("poststart", Some(1)), ("poststop", Some(1))]);
    let steps = planned.plan.init.0.iter().filter(|step| matches!(step.op, plan::Op::RunHook { .. }));
    let from: Vec<_> = steps.map(|step| step.cause.from.as_ref()).collect();
    assert_eq!(from, ["/hooks/createContainer/0", "/hooks/startContainer/0"]);
}

#[test]
fn limits_go_where_the_machine_has_their_controller() {
    let mut config = usual();
    config["linux"]["resources"] = json!({
        "memory": { "limit": 67_108_864 }, "pids": { "limit": 7 },
        "devices": [{ "allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw" }],
    });
    for (name, layout) in [("limits_on_a_hybrid_machine", hybrid()), ("limits_on_v2", unified())] {
        insta::assert_snapshot!(name, changes(&plan(&config, layout, &Options::default()).unwrap()));
    }
}

#[test]
fn labels_are_options_of_new_file_systems_where_selinux_is_on() {
    let mut value = usual();
    value["linux"]["mountLabel"] = json!("system_u:object_r:container_file_t:s0");
    let config: Config = serde_json::from_value(value).expect("a configuration");
    let facts = HostFacts { selinux: true, ..facts(hybrid()) };
    let (id, bundle, options) = ("web".parse().expect("a name"), Path::new("/bundle"), &Options::default());
    let planned =
        planner::plan(&Request { config: &config, facts: &facts, id: &id, bundle, options }).unwrap();
    insta::assert_snapshot!("labels_of_mounts", changes(&planned));
}

#[test]
fn joint_hierarchies_have_a_link_for_each_controller() {
    let mut layout = hybrid();
    layout.v1.push(v1(&["cpu", "cpuacct"], "/cg/cpu,cpuacct"));
    insta::assert_snapshot!(
        "joint_hierarchies",
        changes(&plan(&usual(), layout, &Options::default()).unwrap())
    );
    let mut config = usual();
    config["mounts"][4]["type"] = json!("cgroup2");
    let planned = plan(&config, hybrid(), &Options::default()).unwrap();
    insta::assert_snapshot!("cgroup2_beside_v1", changes(&planned));
    let no_v2 = CgroupLayout { v2: None, ..hybrid() };
    let error = plan(&config, no_v2, &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "/mounts/4/type: this machine has no cgroup v2 hierarchy");
}

#[test]
fn what_each_option_changes() {
    let place = || "/run/web".into();
    let overlay = |upper| Options {
        root: RootSource::Overlay { lower: "/srv/debian".into(), upper },
        ..Options::default()
    };
    let cases = [
        ("create", Options { start: Start::OnRequest, ..Options::default() }),
        ("under_init", Options { init: true, ..Options::default() }),
        ("no_pivot", Options { no_pivot: true, no_new_keyring: true, preserve_fds: 2, ..Options::default() }),
        ("overlay_in_memory", overlay(Upper::Memory { place: place() })),
        ("overlay_on_disk", overlay(Upper::Disk { place: place() })),
    ];
    for (name, options) in cases {
        insta::assert_snapshot!(name, changes(&plan(&usual(), hybrid(), &options).unwrap()));
    }
}

#[test]
fn what_contradicts_itself_or_cannot_be_had_is_refused_by_the_name_of_its_field() {
    let cases: [(Edit, &str); 32] = [
        (|c| drop(c.as_object_mut().and_then(|c| c.remove("root"))), "/root: there is no root"),
        (|c| drop(c.as_object_mut().and_then(|c| c.remove("process"))), "/process: there is no process"),
        (|c| c["process"]["args"] = json!([]), "/process/args: there is no command"),
        (
            |c| c["process"]["args"] = json!(["a\0b"]),
            "/process/args/0: a NUL byte inside; the kernel would cut the text there",
        ),
        (
            |c| c["process"]["cwd"] = json!("tmp"),
            "/process/cwd: working directory \"tmp\" is not an absolute path",
        ),
        (
            |c| c["process"]["cwd"] = json!("/a/../b"),
            "/process/cwd: working directory /a/../b contains \"..\"",
        ),
        (
            |c| c["process"]["rlimits"] = json!([{ "type": "RLIMIT_MOO", "soft": 1, "hard": 1 }]),
            "/process/rlimits/0/type: unknown resource limit \"RLIMIT_MOO\"",
        ),
        (
            |c| c["process"]["rlimits"] = json!([{ "type": "RLIMIT_CPU", "soft": 2, "hard": 1 }]),
            "/process/rlimits/0: soft limit 2 is above hard limit 1",
        ),
        (
            |c| c["hooks"] = json!({ "poststop": [{ "path": "/x" }, { "path": "bin/true" }] }),
            "/hooks/poststop/1/path: \"bin/true\" is not an absolute path",
        ),
        (
            |c| c["hooks"] = json!({ "prestart": [{ "path": "/x", "timeout": 0 }] }),
            "/hooks/prestart/0/timeout: a timeout has to be above zero",
        ),
        (
            |c| c["hooks"] = json!({ "startContainer": [{ "path": "/x", "env": ["A=\0"] }] }),
            "/hooks/startContainer/0/env/0: a NUL byte inside; the kernel would cut the text there",
        ),
        (
            |c| c["linux"]["namespaces"] = json!([{ "type": "uts" }]),
            "/linux/maskedPaths: hiding paths needs a mount namespace of the container's own",
        ),
        (
            |c| c["linux"]["namespaces"] = json!([{ "type": "mount" }, { "type": "mount" }]),
            "/linux/namespaces/1: a second mount namespace",
        ),
        (
            |c| c["linux"]["namespaces"] = json!([{ "type": "mount" }]),
            "/hostname: a name without a uts namespace of the container's own",
        ),
        (
            |c| c["linux"]["namespaces"][1]["path"] = json!("ns/net"),
            "/linux/namespaces/1/path: ns/net is not an absolute path",
        ),
        (
            |c| c["linux"]["uidMappings"] = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]),
            "/linux/uidMappings: ids are mapped without a user namespace",
        ),
        (
            |c| c["linux"]["timeOffsets"] = json!({ "boottime": { "secs": 1 } }),
            "/linux/timeOffsets: clock offsets without a new time namespace",
        ),
        (
            |c| c["linux"]["sysctl"] = json!({ "kernel.panic": "1" }),
            "/linux/sysctl/kernel.panic: kernel.panic belongs to the whole machine, not to a namespace",
        ),
        (
            |c| c["mounts"][1]["destination"] = json!("/proc/bus"),
            "/mounts/1/destination: a mount on /proc/bus would let the container forge /proc",
        ),
        (
            |c| c["mounts"][1]["destination"] = json!("a/../proc/bus"),
            "/mounts/1/destination: a mount on /proc/bus would let the container forge /proc",
        ),
        (
            |c| c["mounts"][1]["destination"] = json!(""),
            "/mounts/1/destination: a mount without a destination",
        ),
        (
            |c| c["mounts"][1] = json!({ "destination": "/x", "type": "bind" }),
            "/mounts/1/source: a bind mount without a source",
        ),
        (
            |c| c["mounts"][0]["options"] = json!(["tmpcopyup"]),
            "/mounts/0/options: tmpcopyup is for a new tmpfs alone",
        ),
        (
            |c| c["mounts"][1]["options"] = json!(["idmap"]),
            "/mounts/1/options: an idmapped mount without mappings",
        ),
        (
            |c| c["mounts"][1]["options"] = json!(["ridmap=uids=0-1-2"]),
            "/mounts/1/gidMappings: uidMappings without gidMappings",
        ),
        (
            |c| c["mounts"][1]["options"] = json!(["idmap=moo"]),
            "/mounts/1/options: idmap=moo is no id mapping",
        ),
        (
            |c| c["mounts"][1]["gidMappings"] = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]),
            "/mounts/1/uidMappings: gidMappings without uidMappings",
        ),
        (
            |c| {
                c["mounts"][4]["options"] = json!(["idmap"]);
                c["mounts"][4]["uidMappings"] = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]);
                c["mounts"][4]["gidMappings"] = c["mounts"][4]["uidMappings"].clone();
            },
            "/mounts/4/options: owners can be mapped in a bind mount and in a new file system, not here",
        ),
        (
            |c| c["linux"]["rootfsPropagation"] = json!("moo"),
            "/linux/rootfsPropagation: \"moo\" is no propagation",
        ),
        (
            |c| c["linux"]["devices"] = json!([{ "type": "c", "path": "/dev/x" }]),
            "/linux/devices/0: a device without major and minor number",
        ),
        (
            |c| c["linux"]["resources"] = json!({ "cpu": { "shares": 512 } }),
            "/linux/resources/cpu/shares: this machine has no cgroup controller cpu; looked among the v1 hierarchies and in /cg/unified/cgroup.controllers",
        ),
        (
            |c| c["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_MOO" }),
            "/linux/seccomp/defaultAction",
        ),
    ];
    for (edit, message) in cases {
        let mut config = usual();
        edit(&mut config);
        match plan(&config, hybrid(), &Options::default()) {
            Ok(_) => panic!("a plan in place of: {message}"),
            Err(error) => assert!(error.to_string().starts_with(message), "{error}\nin place of: {message}"),
        }
    }
}

#[test]
fn criu_is_started_in_the_groups_and_on_the_root_of_the_container_that_it_restores() {
    let mut config = usual();
    config["linux"]["namespaces"][1]["path"] = json!("/run/netns/web");
    config["mounts"].as_array_mut().unwrap().extend([
        json!({ "destination": "/data", "type": "bind", "source": "data", "options": ["rbind"] }),
        json!({ "destination": "/dev/file", "type": "bind", "source": "/etc/hosts", "options": ["bind"] }),
    ]);
    let config: Config = serde_json::from_value(config).unwrap();
    let (facts, options, id) = (facts(hybrid()), Options::default(), "web".parse().unwrap());
    let request =
        Request { config: &config, facts: &facts, id: &id, bundle: Path::new("/b"), options: &options };
    let criu = planner::Criu { search: "/sbin", env: &["PATH=/sbin".to_owned()] };
    let planned = planner::restore(&request, Path::new("/run/web/root"), &criu).unwrap().planned;
    insta::assert_snapshot!("restore", lines(&planned).join("\n"));
    let planned =
        planner::Planned { plan: planner::criu(&criu).unwrap(), hooks: Vec::new(), notes: Vec::new() };
    insta::assert_snapshot!("checkpoint", lines(&planned).join("\n"));
}

/// An ordinary user, with newuidmap(1) and without newgidmap(1).
fn user() -> HostFacts {
    let rootless = plan::facts::Rootless {
        setgroups: true,
        oom_score_adj: 100,
        newuidmap: Some("/usr/bin/newuidmap".into()),
        closed: vec!["/cg/memory".into(), "/cg/devices".into(), "/cg/pids".into(), "/cg/unified".into()],
        ..Default::default()
    };
    let capabilities = CapabilitySet::EMPTY;
    HostFacts { uid: 1000, gid: 100, capabilities, rootless: Some(rootless), ..facts(hybrid()) }
}

/// A configuration of `spec --rootless`, with these ids.
fn mapped(users: Value, groups: Value) -> Value {
    let mut config = usual();
    let namespaces = config["linux"]["namespaces"].as_array_mut().expect("a list");
    namespaces.push(json!({ "type": "user" }));
    config["linux"]["uidMappings"] = users;
    config["linux"]["gidMappings"] = groups;
    config["linux"].as_object_mut().expect("an object").remove("resources");
    for mount in config["mounts"].as_array_mut().expect("a list") {
        if let Some(options) = mount["options"].as_array_mut() {
            options.retain(|option| option != "gid=5");
        }
    }
    config
}

#[test]
fn an_ordinary_user_maps_the_own_id_and_leaves_more_to_others() {
    let own = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
    let more = json!([{ "containerID": 0, "hostID": 1000, "size": 1 }, { "containerID": 1, "hostID": 5000, "size": 9 }]);
    let maps = |config: &Value| -> Result<Vec<String>, String> {
        let planned = plan_on(config, &user(), &Options::default()).map_err(|error| error.to_string())?;
        let about = |step: &plan::Step| {
            matches!(
                step.op,
                plan::Op::WriteIdMap { .. } | plan::Op::RunIdMapper { .. } | plan::Op::DenySetgroups
            )
        };
        let steps = planned.plan.host.0.iter().filter(|step| about(step));
        Ok(steps.map(|step| step.op.to_string()).collect())
    };
    assert_eq!(
        maps(&mapped(own(1000), own(100))).unwrap(),
        ["map user ids", "deny setgroups", "map group ids"]
    );
    assert_eq!(
        maps(&mapped(more.clone(), own(100))).unwrap(),
        ["map user ids with /usr/bin/newuidmap", "deny setgroups", "map group ids"]
    );
    let missing = "/linux/gidMappings: more than the own id is mapped, and newgidmap is not installed";
    assert_eq!(maps(&mapped(own(1000), more)).unwrap_err(), missing);
    let mut limited = mapped(own(1000), own(100));
    limited["linux"]["resources"] = json!({ "memory": { "limit": 1_000_000 } });
    let refused = "/linux/resources/memory/limit: cannot be set: the cgroup /cg/memory/cuddy-web cannot be made by this user";
    assert_eq!(maps(&limited).unwrap_err(), refused);
}

#[test]
fn an_ordinary_user_has_no_groups_and_init_opens_what_is_the_machines() {
    let own = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
    let planned = plan_on(&mapped(own(1000), own(100)), &user(), &Options::default()).expect("a plan");
    assert_eq!(planned.plan.undo, []);
    let copies = |steps: &[plan::Step]| {
        steps.iter().filter(|step| matches!(step.op, plan::Op::CloneTree { .. })).count()
    };
    assert_eq!(copies(&planned.plan.host.0), 0);
    let init = &planned.plan.init.0;
    let root =
        init.iter().position(|step| matches!(step.op, plan::Op::SetUid { .. })).expect("init becomes root");
    assert!(copies(&init[..root]) > 1, "the root and the devices");
}
