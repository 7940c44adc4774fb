//! Scheduling, memory policy and personality.

use crate::support::refusal::Bad;
use serde_json::json;

pub(crate) const SCHEDULING: &[Bad] = &[
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
