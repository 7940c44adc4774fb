//! What each field changes of the usual plan.

use crate::support::{Edit, changes, hybrid, plan, usual};
use planner::{Options, Start};
use serde_json::{Value, json};

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
