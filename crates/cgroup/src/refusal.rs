//! What to do when the kernel refuses a setting.

use rustix::io::Errno;
use std::path::Path;

/// A line of advice for a value that could not be written to a file of a group, or nothing.
///
/// Errnos are those of the kernel's `kernel/cgroup/cpuset.c`, `mm/memcontrol-v1.c`, `block/blk-throttle.c`,
/// `block/bfq-cgroup.c`, `kernel/sched/core.c` and `kernel/sched/rt.c`.
#[must_use]
pub fn advice(file: &Path, errno: Errno) -> &'static str {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let controller = name.split('.').next().unwrap_or_default();
    match (controller, errno) {
        ("cpuset", Errno::RANGE) => {
            "the machine does not have that many; /sys/devices/system/cpu/possible has its processors"
        }
        ("cpuset", Errno::INVAL | Errno::ACCESS) => {
            "the machine, or the group above, does not have all of these; cpuset.cpus and cpuset.mems of the group \
             above have the list"
        }
        ("devices", Errno::PERM) => {
            "the group above may not use that device, so this one cannot be allowed to"
        }
        ("blkio" | "io", Errno::NODEV) => "the machine has no such disk; /proc/partitions has the list",
        ("blkio" | "io", Errno::OPNOTSUPP) => {
            "the disk is not scheduled by BFQ; write bfq to /sys/block/DISK/queue/scheduler, or leave the weight out"
        }
        ("memory", Errno::BUSY) => "the group uses more than that, and the kernel could not take enough back",
        ("memory", Errno::INVAL) if name.contains("memsw") => {
            "memory and swap together are limited to at least memory.limit"
        }
        ("cpu", Errno::INVAL) if name.contains("rt_") => {
            "the real-time budgets of a group fit into that of the group above; set that one first"
        }
        ("cpu", Errno::INVAL) if name.contains("quota") || name.contains("max") => {
            "a quota is at least 1000 µs, a burst at most the quota, and a share of the group above's quota"
        }
        ("hugetlb" | "rdma" | "net_prio", Errno::INVAL | Errno::NODEV) => {
            "the machine does not have this page size, device or interface"
        }
        ("cgroup", Errno::BUSY) => {
            "cgroup v2 forbids processes in a group that gives controllers to groups below it"
        }
        ("cgroup", Errno::NOENT) => "the group above was not given this controller",
        (_, Errno::BUSY) => "the group holds more than the limit",
        (_, Errno::NOENT) => "this kernel lacks the setting",
        (_, Errno::RANGE) => "the machine does not have that much of it",
        (_, Errno::NODEV) => "the machine has no such device",
        (_, Errno::INVAL) => "the kernel does not accept this value",
        (_, Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
            "the group is not delegated to cuddy: it may be made and not limited"
        }
        _ => "",
    }
}
