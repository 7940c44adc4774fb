//! System call filters.

use crate::support::refusal::Bad;
use serde_json::{Value, json};

/// A filter that allows all but what this rule says, with these other members.
fn filter(config: &mut Value, rule: Value, others: Value) {
    let mut seccomp = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule] });
    seccomp.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    config["linux"]["seccomp"] = seccomp;
}

pub(crate) const FILTERS: &[Bad] = &[
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
