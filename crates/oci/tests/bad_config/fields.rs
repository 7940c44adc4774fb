//! Members that are missing, twice there, or of the wrong kind; and what is not supported yet.

use crate::support::refusal::Bad;
use serde_json::json;

pub(crate) const FIELDS: &[Bad] = &[
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

pub(crate) const UNSUPPORTED: &[Bad] = &[
    (
        |c| c["hooks"] = json!({ "prestart": [{ "path": "x" }] }),
        "/hooks/prestart/0/path: \"x\" is not an absolute path\n  start it with a slash",
    ),
    (
        |c| c["linux"]["intelRdt"] = json!({ "closID": "x" }),
        "/linux/intelRdt: resctrl is not available: this machine has no such file system mounted\n  drop it, or mount resctrl on /sys/fs/resctrl where the processor has such controls",
    ),
];
