//! Configurations that are refused: each message names the field or the step, the cause, and what to do; and nothing is
//! left.

mod support;

use std::process::ExitCode;

use serde_json::{Value, json};
use support::Case;
use support::refusal::{Bad, check};
use support::set_namespace;
use testbed::{Need, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    testbed::main([
        trial("fields", root.clone(), || check(FIELDS)),
        trial("properties that nobody knows are ignored", root.clone(), unknown_properties),
        trial("namespaces", root.clone(), || check(NAMESPACES)),
        trial("mounts and devices", root.clone(), || check(MOUNTS)),
        trial("kernel parameters and limits", root.clone(), || check(LIMITS)),
        trial("scheduling, memory policy and personality", root.clone(), || check(SCHEDULING)),
        trial("privileges", root.clone(), || check(PRIVILEGES)),
        trial("system call filters", root.clone(), || check(FILTERS)),
        trial("what is not supported yet", root, || check(UNSUPPORTED)),
    ])
}

fn add_mount(config: &mut Value, mount: Value) {
    config["mounts"].as_array_mut().expect("the standard configuration has mounts").push(mount);
}

/// config.md, "Extensibility": an unknown property must not be an error. Here is one in every object.
fn unknown_properties() {
    fn extend(value: &mut Value) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(extend),
            Value::Object(properties) => {
                properties.values_mut().for_each(extend);
                properties.insert("org.example.unknown".to_owned(), json!({ "a": [null, 1.5, "b"] }));
            }
            _ => {}
        }
    }
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]).edit(extend);
    case.run().ok();
}

const FIELDS: &[Bad] = &[
    (
        |c| c["process"]["capabilities"]["bounding"] = json!("CAP_KILL"),
        "BUNDLE/config.json: /process/capabilities/bounding: invalid type: string \"CAP_KILL\", expected a sequence at line L column C",
    ),
    (
        |c| c["process"]["terminal"] = json!("no"),
        "BUNDLE/config.json: /process/terminal: invalid type: string \"no\", expected a boolean at line L column C",
    ),
    (
        |c| c["process"]["user"] = json!(7),
        "BUNDLE/config.json: /process/user: invalid type: integer `7`, expected struct User at line L column C",
    ),
    (
        |c| c["root"]["readonly"] = json!(1),
        "BUNDLE/config.json: /root/readonly: invalid type: integer `1`, expected a boolean at line L column C",
    ),
    (
        |c| c["mounts"] = json!({}),
        "BUNDLE/config.json: /mounts: invalid type: map, expected a sequence at line L column C",
    ),
    (
        |c| c["linux"]["namespaces"] = json!("pid"),
        "BUNDLE/config.json: /linux/namespaces: invalid type: string \"pid\", expected a sequence at line L column C",
    ),
    (
        |c| c["linux"]["resources"]["memory"] = json!({ "limit": "64m" }),
        "BUNDLE/config.json: /linux/resources/memory/limit: invalid type: string \"64m\", expected i64 at line L column C",
    ),
    (
        |c| c["linux"]["resources"]["memory"] = json!({ "limit": 18_446_744_073_709_551_615_u64 }),
        "BUNDLE/config.json: /linux/resources/memory/limit: invalid value: integer `18446744073709551615`, expected i64 at line L column C",
    ),
    (
        |c| c["linux"]["sysctl"] = json!({ "net.ipv4.ip_forward": 1 }),
        "BUNDLE/config.json: /linux/sysctl/net.ipv4.ip_forward: invalid type: integer `1`, expected a string at line L column C",
    ),
    (
        |c| drop(c.as_object_mut().unwrap().remove("root")),
        "/root: there is no root\n  name the root file system's directory in root.path",
    ),
    (|c| c["root"]["path"] = json!(""), "/root/path: an empty path\n  name the root file system's directory"),
    (
        |c| c["root"]["path"] = json!("no-such-root"),
        "copy the mount of BUNDLE/no-such-root: no such file or directory (step S of N, from /root/path)\n  the path does not exist on the machine; create it, or correct the source",
    ),
    (
        |c| c["root"]["path"] = json!("config.json"),
        "copy the mount of BUNDLE/config.json: it is not a directory (step S of N, from /root/path)\n  name the directory that shall be the root",
    ),
    (
        |c| drop(c.as_object_mut().unwrap().remove("process")),
        "/process: there is no process\n  say in process.args what shall run",
    ),
    (|c| c["process"]["args"] = json!([]), "/process/args: there is no command\n  say what shall run"),
    (|c| c["process"]["args"] = json!([""]), "/process/args: there is no command\n  say what shall run"),
    (
        |c| c["process"]["args"] = json!("sh"),
        "BUNDLE/config.json: /process/args: invalid type: string \"sh\", expected a sequence at line L column C",
    ),
    (
        |c| c["process"]["args"] = json!(["/bin/probe", "a\0b"]),
        "/process/args/1: a NUL byte inside; the kernel would cut the text there\n  remove it",
    ),
    (
        |c| c["process"]["env"] = json!(["A=\0"]),
        "/process/env/0: a NUL byte inside; the kernel would cut the text there\n  remove it",
    ),
    (
        |c| c["process"]["user"]["uid"] = json!(-1),
        "BUNDLE/config.json: /process/user/uid: invalid value: integer `-1`, expected u32 at line L column C",
    ),
    (
        |c| c["process"]["user"]["uid"] = json!(4_294_967_296_u64),
        "BUNDLE/config.json: /process/user/uid: invalid value: integer `4294967296`, expected u32 at line L column C",
    ),
    (
        |c| c["process"]["cwd"] = json!("tmp"),
        "/process/cwd: working directory \"tmp\" is not an absolute path\n  start it with a slash",
    ),
    (
        |c| c["process"]["cwd"] = json!(""),
        "/process/cwd: working directory \"\" is not an absolute path\n  start it with a slash",
    ),
    (
        |c| c["process"]["cwd"] = json!("/tmp/../.."),
        "/process/cwd: working directory /tmp/../.. contains \"..\"\n  write the path out",
    ),
    (
        |c| c["process"]["cwd"] = json!("/bin/probe"),
        "make directory /bin/probe: not a directory (step S of N, from /process/cwd)\n  choose another path, or remove the file from the root file system",
    ),
    (
        |c| c["ociVersion"] = json!("2.0.0"),
        "/ociVersion: \"2.0.0\" is no version of the specification that cuddy knows\n  write \"1.3.0\"; every 1.x.y is read",
    ),
    (
        |c| c["ociVersion"] = json!("1.0"),
        "/ociVersion: \"1.0\" is no version of the specification that cuddy knows\n  write \"1.3.0\"; every 1.x.y is read",
    ),
    (
        |c| c["process"]["rlimits"] = json!([{ "type": "RLIMIT_MOO", "soft": 1, "hard": 1 }]),
        "/process/rlimits/0/type: unknown resource limit \"RLIMIT_MOO\"\n  `man 2 getrlimit` has the list",
    ),
    (
        |c| c["process"]["rlimits"] = json!([{ "type": "RLIMIT_CPU", "soft": 2, "hard": 1 }]),
        "/process/rlimits/0: soft limit 2 is above hard limit 1\n  lower the soft limit",
    ),
    (
        |c| c["process"]["rlimits"] = json!([{ "type": "RLIMIT_CPU", "soft": -1, "hard": 1 }]),
        "BUNDLE/config.json: /process/rlimits/0/soft: invalid value: integer `-1`, expected u64 at line L column C",
    ),
    (
        |c| c["process"]["rlimits"] = json!([{ "type": "RLIMIT_CPU", "soft": 1, "hard": 1 }, { "type": "RLIMIT_CPU", "soft": 1, "hard": 1 }]),
        "/process/rlimits/1: a second RLIMIT_CPU\n  list each once",
    ),
    (
        |c| c["process"]["oomScoreAdj"] = json!(1001),
        "/process/oomScoreAdj: 1001 is not from -1000 to 1000\n  proc_pid_oom_score_adj(5) has the scale",
    ),
    (
        |c| c["hostname"] = json!("x".repeat(65)),
        "set the host name to \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": invalid argument (step S of N, from /hostname)\n  a name has at most 64 bytes",
    ),
    (
        |c| c["ociVersion"] = json!(1),
        "BUNDLE/config.json: /ociVersion: invalid type: integer `1`, expected a string at line L column C",
    ),
    (
        |c| c["linux"]["maskedPaths"] = json!(["../etc"]),
        "/linux/maskedPaths/0: ../etc is no path below the root\n  give an absolute path without \"..\"",
    ),
    (
        |c| c["linux"]["readonlyPaths"] = json!(["/proc/sys", "/a/../.."]),
        "/linux/readonlyPaths/1: /a/../.. is no path below the root\n  give an absolute path without \"..\"",
    ),
    (
        |c| c["linux"]["rootfsPropagation"] = json!("moo"),
        "/linux/rootfsPropagation: \"moo\" is no propagation\n  shared, slave, private or unbindable",
    ),
    (
        |c| c["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_MOO" }),
        "/linux/seccomp/defaultAction: unknown action \"SCMP_ACT_MOO\"; it is one of SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY\n  config-linux.md, \"Seccomp\", lists what is allowed",
    ),
    (
        |c| c["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_KILL", "errnoRet": 1 }] }),
        "/linux/seccomp/syscalls/0/errnoRet: SCMP_ACT_KILL takes no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do\n  config-linux.md, \"Seccomp\", lists what is allowed",
    ),
    (
        |c| c["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [{ "index": 6, "value": 1, "op": "SCMP_CMP_EQ" }] }] }),
        "/linux/seccomp/syscalls/0/args/0/index: 6 is too high for the index of an argument, which goes from 0 to 5\n  config-linux.md, \"Seccomp\", lists what is allowed",
    ),
    (
        |c| c["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": [{ "index": 0, "value": 1, "op": "SCMP_CMP_MOO" }] }] }),
        "/linux/seccomp/syscalls/0/args/0/op: unknown operator \"SCMP_CMP_MOO\"; it is one of SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ\n  config-linux.md, \"Seccomp\", lists what is allowed",
    ),
];

const NAMESPACES: &[Bad] = &[
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

const MOUNTS: &[Bad] = &[
    (
        |c| add_mount(c, json!({ "destination": "", "type": "tmpfs", "source": "x" })),
        "/mounts/7/destination: a mount without a destination\n  say where it shall appear",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/", "type": "tmpfs", "source": "x", "options": ["tmpcopyup"] }),
            )
        },
        "/mounts/7/destination: this cannot be done to the root itself\n  root.readonly makes the root read-only",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/../proc/x", "type": "tmpfs", "source": "x" })),
        "/mounts/7/destination: a mount on /proc/x would let the container forge /proc\n  mount it somewhere else",
    ),
    (
        |c| add_mount(c, json!({ "type": "tmpfs", "source": "x" })),
        "BUNDLE/config.json: /mounts/7: missing field `destination` at line L column C",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp", "type": "bind" })),
        "/mounts/7/source: a bind mount without a source\n  name the file or directory of the machine that shall appear there",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp", "type": "bind", "source": "/no/such" })),
        "copy the mount of /no/such: no such file or directory (step S of N, from /mounts/7)\n  the path does not exist on the machine; create it, or correct the source",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/tmp", "type": "bind", "source": "/tmp", "options": ["subvol=x"] }),
            )
        },
        "/mounts/7/options: \"subvol\" is no option of a bind mount\n  mount(8) lists the options",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp" })),
        "/mounts/7/type: neither a type nor a bind mount\n  give a file system of /proc/filesystems, or the option bind",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp", "type": "moofs", "source": "x" })),
        "make a new moofs file system of x: no such device (step S of N, from /mounts/7)\n  the kernel has no such file system; /proc/filesystems has the list",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/tmp", "type": "tmpfs", "source": "x", "options": ["moo=1"] }),
            )
        },
        "make a new tmpfs file system of x: invalid argument (the kernel says: tmpfs: Unknown parameter 'moo') (step S of N, from /mounts/7)\n  the file system refuses one of the options",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/tmp", "type": "tmpfs", "source": "x", "options": ["size=moo"] }),
            )
        },
        "make a new tmpfs file system of x: invalid argument (the kernel says: tmpfs: Bad value for 'size') (step S of N, from /mounts/7)\n  the file system refuses one of the options",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/tmp", "type": "bind", "source": "/tmp", "options": ["idmap"] }),
            )
        },
        "/mounts/7/options: an idmapped mount without mappings\n  give uidMappings and gidMappings, or the container a user namespace",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/proc/sys", "type": "tmpfs", "source": "x" })),
        "/mounts/7/destination: a mount on /proc/sys would let the container forge /proc\n  mount it somewhere else",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/bin/probe", "type": "bind", "source": "/tmp" })),
        "mount $mount_N on /bin/probe of the container: there is a file at that path, or on the way to it (step S of N, from /mounts/7)\n  choose another path, or remove the file from the root file system",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp", "type": "bind", "source": "/etc/passwd" })),
        "mount $mount_N on /tmp of the container: the source is a file, and there is a directory at that path (step S of N, from /mounts/7)\n  mount a directory there, or name a path for the file in that directory",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/bin/probe/x", "type": "tmpfs", "source": "x" })),
        "mount $mount_N on /bin/probe/x of the container: there is a file at that path, or on the way to it (step S of N, from /mounts/7)\n  choose another path, or remove the file from the root file system",
    ),
    (
        |c| c["linux"]["devices"] = json!([{ "path": "/../x", "type": "c", "major": 1, "minor": 1 }]),
        "/linux/devices/0/path: /../x is no path of a device\n  give an absolute path without \"..\"",
    ),
    (
        |c| c["linux"]["devices"] = json!([{ "path": "/dev/x", "type": "c" }]),
        "/linux/devices/0: a device without major and minor number\n  only a fifo has no numbers",
    ),
    (
        |c| c["linux"]["devices"] = json!([{ "path": "/dev/x", "type": "x", "major": 1, "minor": 1 }]),
        "BUNDLE/config.json: /linux/devices/0/type: unknown variant `x`, expected one of `b`, `c`, `u`, `p` at line L column C",
    ),
    (
        |c| c["linux"]["devices"] = json!([{ "path": "/bin/probe", "type": "c", "major": 1, "minor": 1 }]),
        "make device /bin/probe: something else is there already (step S of N, from /linux/devices/0)",
    ),
];

const LIMITS: &[Bad] = &[
    (
        |c| c["linux"]["sysctl"] = json!({ "kernel.hostname": "web" }),
        "/linux/sysctl/kernel.hostname: the host name has a field of its own\n  give it as /hostname, and drop the sysctl",
    ),
    (
        |c| c["linux"]["sysctl"] = json!({ "kernel.panic": "1" }),
        "/linux/sysctl/kernel.panic: kernel.panic belongs to the whole machine, not to a namespace\n  set it on the machine with sysctl(8)",
    ),
    (
        |c| {
            set_namespace(c, "network", None);
            c["linux"]["sysctl"] = json!({ "net.ipv4.ip_forward": "1" });
        },
        "/linux/sysctl/net.ipv4.ip_forward: net.ipv4.ip_forward is of the network namespace, and the container has none of its own\n  add the namespace, or drop the sysctl",
    ),
    (
        |c| c["linux"]["sysctl"] = json!({ "net..x": "1" }),
        "/linux/sysctl/net..x: \"net..x\" is no name of a kernel parameter\n  write it like net.ipv4.ip_forward",
    ),
    (
        |c| c["linux"]["sysctl"] = json!({ "../../sys/power/state": "1" }),
        "/linux/sysctl/..~1..~1sys~1power~1state: \"../../sys/power/state\" is no name of a kernel parameter\n  write it like net.ipv4.ip_forward",
    ),
    (
        |c| c["linux"]["sysctl"] = json!({ "net.moo": "1" }),
        "set sysctl net.moo to \"1\": no such file or directory (step S of N, from /linux/sysctl/net.moo)\n  this kernel has no such parameter",
    ),
    (
        |c| c["linux"]["sysctl"] = json!({ "kernel.msgmax": "moo" }),
        "set sysctl kernel.msgmax to \"moo\": invalid argument (step S of N, from /linux/sysctl/kernel.msgmax)\n  the kernel does not accept this value",
    ),
    (
        |c| c["linux"]["resources"]["memory"] = json!({ "limit": -5 }),
        "/linux/resources/memory/limit: -5 is negative; a limit is a number of bytes, or -1 for none (memory.limit_in_bytes, on v2 memory.max)",
    ),
    (
        |c| c["linux"]["resources"]["memory"] = json!({ "limit": 1000, "swap": 999 }),
        "/linux/resources/memory/swap: 999 is less than memory.limit; it limits memory and swap together, so it is at least that (memory.memsw.limit_in_bytes, on v2 memory.swap.max)",
    ),
    (
        |c| c["linux"]["resources"]["memory"] = json!({ "limit": 4096 }),
        "start the program: the init process was killed before it was ready\n  a memory limit below what a start takes does this; the kernel's log says more",
    ),
    (
        |c| c["linux"]["resources"]["cpu"] = json!({ "shares": 1 }),
        "/linux/resources/cpu/shares: 1 is not from 2 to 262144 (cpu.shares, on v2 cpu.weight)",
    ),
    (
        |c| c["linux"]["resources"]["cpu"] = json!({ "quota": 999 }),
        "/linux/resources/cpu/quota: 999 is not a quota: at least 1000 µs in each period, or -1 for no limit (cpu.cfs_quota_us, on v2 cpu.max)",
    ),
    (
        |c| c["linux"]["resources"]["cpu"] = json!({ "cpus": "moo" }),
        "/linux/resources/cpu/cpus: moo is not a list like 0-3,7 (cpuset.cpus)",
    ),
    (
        |c| c["linux"]["resources"]["pids"] = json!({ "limit": -2 }),
        "/linux/resources/pids/limit: -2 is not a number of processes up to 4194304, or -1 for no limit (pids.max)",
    ),
    (
        |c| c["linux"]["resources"]["blockIO"] = json!({ "weight": 5 }),
        "/linux/resources/blockIO/weight: 5 is not from 10 to 1000 (blkio.bfq.weight, on v2 io.bfq.weight)",
    ),
    (
        |c| c["linux"]["resources"]["devices"] = json!([{ "allow": true, "access": "rz" }]),
        "/linux/resources/devices/0/access: \"rz\" is not made of the letters r, w and m (devices.allow and devices.deny)",
    ),
    (
        |c| c["linux"]["resources"]["devices"] = json!([{ "allow": true, "type": "x", "access": "r" }]),
        "/linux/resources/devices/0/type: \"x\" is not one of a, b and c (devices.allow and devices.deny)",
    ),
    (
        |c| c["linux"]["cgroupsPath"] = json!("/a/../b"),
        "/linux/cgroupsPath: \"/a/../b\" has a `..`: a group could leave its place in the tree",
    ),
    (
        |c| c["linux"]["cgroupsPath"] = json!("/"),
        "/linux/cgroupsPath: \"/\" names the root itself; a container needs a group of its own",
    ),
];

const UNSUPPORTED: &[Bad] = &[
    (
        |c| c["hooks"] = json!({ "prestart": [{ "path": "x" }] }),
        "/hooks/prestart/0/path: \"x\" is not an absolute path\n  start it with a slash",
    ),
    (
        |c| c["linux"]["intelRdt"] = json!({ "closID": "x" }),
        "/linux/intelRdt: resctrl is not available: this machine has no such file system mounted\n  drop it, or mount resctrl on /sys/fs/resctrl where the processor has such controls",
    ),
];

const SCHEDULING: &[Bad] = &[
    (
        |c| c["process"]["scheduler"] = json!({}),
        "BUNDLE/config.json: /process/scheduler: missing field `policy` at line L column C",
    ),
    (
        |c| c["process"]["scheduler"] = json!({ "policy": "SCHED_MOO" }),
        "/process/scheduler/policy: unknown scheduling policy \"SCHED_MOO\"\n  it is one of SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE",
    ),
    (
        |c| c["process"]["scheduler"] = json!({ "policy": "SCHED_ISO" }),
        "set the scheduling policy SCHED_ISO: invalid argument (step S of N, from /process/scheduler)\n  the kernel does not have this policy, or its priority is not in range; sched(7) has the list",
    ),
    (
        |c| c["process"]["scheduler"] = json!({ "policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_MOO"] }),
        "/process/scheduler/flags/0: unknown flag \"SCHED_FLAG_MOO\"\n  it is one of SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_UTIL_CLAMP_MIN, SCHED_FLAG_UTIL_CLAMP_MAX",
    ),
    (
        |c| c["process"]["scheduler"] = json!({ "policy": "SCHED_BATCH", "nice": 20 }),
        "/process/scheduler/nice: 20 is not from -20 to 19\n  -20 is the best, 19 the worst",
    ),
    (
        |c| c["process"]["scheduler"] = json!({ "policy": "SCHED_OTHER", "priority": 1 }),
        "/process/scheduler/priority: 1 is a priority for SCHED_FIFO or SCHED_RR, not for SCHED_OTHER\n  drop it, or choose one of these policies",
    ),
    (
        |c| c["process"]["scheduler"] = json!({ "policy": "SCHED_FIFO", "priority": 100 }),
        "/process/scheduler/priority: 100 is not from 1 to 99\n  1 is the lowest, 99 the highest",
    ),
    (
        |c| c["process"]["scheduler"] = json!({ "policy": "SCHED_IDLE", "period": 9 }),
        "/process/scheduler/period: 9 is a time for SCHED_DEADLINE, not for SCHED_IDLE\n  drop it, or choose that policy",
    ),
    (
        |c| {
            c["process"]["scheduler"] =
                json!({ "policy": "SCHED_DEADLINE", "runtime": 1000, "deadline": 2000 })
        },
        "/process/scheduler/runtime: sched_setattr: `SCHED_DEADLINE` runtime 1000 must be between 1024 and 2^63 - 1\n  in nanoseconds, runtime <= deadline <= period",
    ),
    (
        |c| {
            c["process"]["scheduler"] =
                json!({ "policy": "SCHED_DEADLINE", "runtime": 3000, "deadline": 2000 })
        },
        "/process/scheduler/runtime: sched_setattr: `SCHED_DEADLINE` runtime 3000 must be <= deadline 2000\n  in nanoseconds, runtime <= deadline <= period",
    ),
    (
        |c| {
            c["process"]["scheduler"] =
                json!({ "policy": "SCHED_DEADLINE", "runtime": 3000, "deadline": 4000, "period": 3500 })
        },
        "/process/scheduler/deadline: sched_setattr: `SCHED_DEADLINE` deadline 4000 must be <= period 3500\n  in nanoseconds, runtime <= deadline <= period",
    ),
    (
        |c| c["process"]["ioPriority"] = json!({ "class": "IOPRIO_CLASS_MOO", "priority": 1 }),
        "/process/ioPriority/class: unknown I/O scheduling class \"IOPRIO_CLASS_MOO\"\n  it is one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE",
    ),
    (
        |c| c["process"]["ioPriority"] = json!({ "class": "IOPRIO_CLASS_BE", "priority": 8 }),
        "/process/ioPriority/priority: 8 is not from 0 to 7\n  0 is the highest, 7 the lowest",
    ),
    (
        |c| c["linux"]["memoryPolicy"] = json!({ "mode": "MPOL_MOO" }),
        "/linux/memoryPolicy/mode: unknown memory policy \"MPOL_MOO\"\n  it is one of MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL, MPOL_PREFERRED_MANY, MPOL_WEIGHTED_INTERLEAVE",
    ),
    (
        |c| {
            c["linux"]["memoryPolicy"] = json!({ "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_MOO"] })
        },
        "/linux/memoryPolicy/flags/0: unknown flag \"MPOL_F_MOO\"\n  it is one of MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES",
    ),
    (
        |c| c["linux"]["memoryPolicy"] = json!({ "mode": "MPOL_INTERLEAVE" }),
        "/linux/memoryPolicy/nodes: MPOL_INTERLEAVE needs at least one node\n  name it like 0 or 0-3",
    ),
    (
        |c| c["linux"]["memoryPolicy"] = json!({ "mode": "MPOL_LOCAL", "nodes": "0" }),
        "/linux/memoryPolicy/nodes: MPOL_LOCAL takes no nodes\n  drop them",
    ),
    (
        |c| c["linux"]["memoryPolicy"] = json!({ "mode": "MPOL_PREFERRED", "nodes": "10284838" }),
        "/linux/memoryPolicy/nodes: \"10284838\" is not a list like 0-3,7\n  the highest number is 1023",
    ),
    (
        |c| c["linux"]["memoryPolicy"] = json!({ "mode": "MPOL_BIND", "nodes": "1000" }),
        "set the memory policy MPOL_BIND: invalid argument (step S of N, from /linux/memoryPolicy)\n  the kernel does not take this mode with these nodes and flags, or the cpuset has none of the nodes; set_mempolicy(2) has the rules",
    ),
    (
        |c| c["linux"]["memoryPolicy"] = json!({ "mode": "MPOL_PREFERRED", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"] }),
        "/linux/memoryPolicy/flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other\n  name one of them",
    ),
    (
        |c| c["linux"]["personality"] = json!({ "domain": "SOLARIS" }),
        "/linux/personality/domain: unknown execution domain \"SOLARIS\"\n  it is one of LINUX, LINUX32",
    ),
    (
        |c| c["linux"]["personality"] = json!({ "domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"] }),
        "/linux/personality/flags/0: unknown flag \"ADDR_NO_RANDOMIZE\"\n  the specification has none yet",
    ),
];

const PRIVILEGES: &[Bad] = &[
    (
        |c| c["process"]["apparmorProfile"] = json!("web"),
        "/process/apparmorProfile: profile \"web\" cannot be entered: AppArmor is not on in this kernel\n  drop it, or boot with apparmor=1 security=apparmor",
    ),
    (
        |c| c["process"]["apparmorProfile"] = json!("a\nb"),
        "/process/apparmorProfile: \"a\\nb\" is no name\n  write it on one line",
    ),
    (
        |c| c["process"]["selinuxLabel"] = json!("u:r:t:s0"),
        "/process/selinuxLabel: label \"u:r:t:s0\" cannot be entered: SELinux is not on in this kernel\n  drop it, or load a policy",
    ),
    (
        |c| {
            for set in ["bounding", "effective", "inheritable", "permitted", "ambient"] {
                c["process"]["capabilities"][set] = json!(["CAP_UNKNOWN", "UNKNOWN_CAP"]);
            }
        },
        "/process/capabilities: not one of these is a capability: CAP_UNKNOWN, UNKNOWN_CAP\n  capabilities(7) has the list",
    ),
    (
        |c| c["process"]["user"]["umask"] = json!(1000),
        "/process/user/umask: 1000 (01750 in octal) is not from 0 to 0777\n  write it in decimal: 18 is 022",
    ),
];

/// A filter that allows all but what this rule says, with these other members.
fn filter(config: &mut Value, rule: Value, others: Value) {
    let mut seccomp = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule] });
    seccomp.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    config["linux"]["seccomp"] = seccomp;
}

const FILTERS: &[Bad] = &[
    (
        |c| filter(c, json!({ "names": ["mkdir"], "action": "SCMP_ACT_MOO" }), json!({})),
        "/linux/seccomp/syscalls/0/action: unknown action \"SCMP_ACT_MOO\"; it is one of SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY\n  config-linux.md, \"Seccomp\", lists what is allowed",
    ),
    (
        |c| filter(c, json!({ "names": ["mkdir"], "action": "SCMP_ACT_KILL", "errnoRet": 1 }), json!({})),
        "/linux/seccomp/syscalls/0/errnoRet: SCMP_ACT_KILL takes no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do\n  config-linux.md, \"Seccomp\", lists what is allowed",
    ),
    (
        |c| {
            filter(
                c,
                json!({ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO" }),
                json!({ "flags": ["SECCOMP_FILTER_FLAG_MOO"] }),
            )
        },
        "/linux/seccomp/flags/0: unknown flag \"SECCOMP_FILTER_FLAG_MOO\"; it is one of SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\n  config-linux.md, \"Seccomp\", lists what is allowed",
    ),
    (
        |c| filter(c, json!({ "names": ["mkdir"], "action": "SCMP_ACT_NOTIFY" }), json!({})),
        "/linux/seccomp/listenerPath: SCMP_ACT_NOTIFY needs somebody to notify\n  name the socket of a seccomp agent",
    ),
    (
        |c| {
            filter(
                c,
                json!({ "names": ["mkdir"], "action": "SCMP_ACT_NOTIFY" }),
                json!({ "listenerPath": "@agent" }),
            )
        },
        "/linux/seccomp/listenerPath: @agent is not an absolute path\n  name a socket like /run/agent.sock; abstract ones are nobody's",
    ),
    (
        |c| {
            filter(
                c,
                json!({ "names": ["mkdir"], "action": "SCMP_ACT_NOTIFY" }),
                json!({ "listenerPath": "/no/such.sock" }),
            )
        },
        "send the filter's listener to /no/such.sock: failed to connect with seccomp agent: no such file or directory (step S of N, from /linux/seccomp/listenerPath)\n  start the agent before the container",
    ),
    (
        |c| {
            filter(
                c,
                json!({ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO" }),
                json!({ "listenerMetadata": "x" }),
            )
        },
        "/linux/seccomp/listenerMetadata: there is no listenerPath\n  name a socket in listenerPath, or drop it",
    ),
    (
        |c| {
            filter(
                c,
                json!({ "names": ["mkdir", "write"], "action": "SCMP_ACT_NOTIFY" }),
                json!({ "listenerPath": "/a.sock" }),
            )
        },
        "/linux/seccomp/syscalls/0/action: SCMP_ACT_NOTIFY cannot be used for the write syscall, by which its listener is handed over\n  use another action, or leave it out",
    ),
    (
        |c| {
            filter(
                c,
                json!({ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO" }),
                json!({ "defaultAction": "SCMP_ACT_NOTIFY" }),
            )
        },
        "/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be the default, because handing over the listener takes system calls; use it in rules\n  config-linux.md, \"Seccomp\", lists what is allowed",
    ),
];
