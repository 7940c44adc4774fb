//! Namespaces and the maps of their users.

use crate::support::refusal::Bad;
use crate::support::set_namespace;
use serde_json::json;

pub(crate) const NAMESPACES: &[Bad] = &[
    (
        |c| set_namespace(c, "moo", Some(json!({ "type": "moo" }))),
        "BUNDLE/config.json: /linux/namespaces/6/type: unknown variant `moo`, expected one of `user`, `pid`, `mount`, `network`, `uts`, `ipc`, `cgroup`, `time` at line L column C",
    ),
    (
        |c| c["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "pid" })),
        "/linux/namespaces/6: a second pid namespace\n  list each type once",
    ),
    (
        |c| set_namespace(c, "mount", None),
        "/linux/maskedPaths: hiding paths needs a mount namespace of the container's own\n  add {\"type\": \"mount\"} without a path to /linux/namespaces, or drop this",
    ),
    (
        |c| set_namespace(c, "uts", None),
        "/hostname: a name without a uts namespace of the container's own\n  add {\"type\": \"uts\"} to /linux/namespaces, or drop the name",
    ),
    (
        |c| {
            set_namespace(c, "user", Some(json!({ "type": "user" })));
            c["linux"]["uidMappings"] = json!([{ "containerID": 0, "hostID": 1, "size": 1 }]);
        },
        "/linux/uidMappings: a new user namespace without id mappings\n  give at least one range in uidMappings and one in gidMappings",
    ),
    (
        |c| c["linux"]["uidMappings"] = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]),
        "/linux/uidMappings: ids are mapped without a user namespace\n  add {\"type\": \"user\"} to /linux/namespaces, or drop the mappings",
    ),
    (
        |c| set_namespace(c, "network", Some(json!({ "type": "network", "path": "relative" }))),
        "/linux/namespaces/5/path: relative is not an absolute path\n  name a file like /proc/PID/ns/net",
    ),
    (
        |c| set_namespace(c, "network", Some(json!({ "type": "network", "path": "/no/such/file" }))),
        "open /no/such/file as a net namespace: no such file or directory (step S of N, from /linux/namespaces/5)",
    ),
    (
        |c| c["linux"]["timeOffsets"] = json!({ "boottime": { "secs": 1 } }),
        "/linux/timeOffsets: clock offsets without a new time namespace\n  add {\"type\": \"time\"} to /linux/namespaces",
    ),
    (
        |c| {
            set_namespace(c, "time", Some(json!({ "type": "time" })));
            c["linux"]["timeOffsets"] = json!({ "moo": { "secs": 1 } });
        },
        "/linux/timeOffsets: \"moo\" is not a clock of a time namespace\n  the clocks are boottime and monotonic",
    ),
    (
        |c| {
            set_namespace(c, "time", Some(json!({ "type": "time" })));
            c["linux"]["timeOffsets"] = json!({ "boottime": { "secs": -1_000_000_000 } });
        },
        "set the clock offsets: numerical result out of range (step S of N, from /linux/timeOffsets)\n  the clocks of the container would begin below zero, or end too soon",
    ),
    (
        |c| {
            set_namespace(c, "user", Some(json!({ "type": "user" })));
            let twice = json!({ "containerID": 0, "hostID": 1, "size": 1 });
            c["linux"]["uidMappings"] = json!([twice, twice]);
            c["linux"]["gidMappings"] = json!([twice]);
        },
        "map user ids: invalid argument (step S of N, from /linux/uidMappings)",
    ),
];
