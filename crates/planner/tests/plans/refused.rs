//! Configurations that get no plan.

use crate::support::{Edit, hybrid, plan, usual};
use planner::Options;
use serde_json::json;

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
