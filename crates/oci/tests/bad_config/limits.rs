//! Kernel parameters and limits.

use crate::support::refusal::Bad;
use crate::support::set_namespace;
use serde_json::json;

pub(crate) const LIMITS: &[Bad] = &[
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
