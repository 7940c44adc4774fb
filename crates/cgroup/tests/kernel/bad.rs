//! Values that cannot be had: each refusal names the field, the value and the kernel's file, on an existing group as
//! when one is made.

use crate::scratch::{Outcome, Scratch};
use cgroup::live::Reading;
use libtest_mimic::Trial;
use spec::{
    BlockIo, Cpu, DeviceRule, HugepageLimit, InterfacePriority, Memory, Network, Pids, Rdma, Resources,
    ThrottleDevice, WeightDevice,
};

/// What is asked for; the field, the value; the kernel's file on v1 and on v2, empty where there is none, and with a bar between
/// those of which a kernel has one.
type Bad = (Resources, &'static str, &'static str, &'static str, &'static str);

pub fn trials() -> Vec<Trial> {
    vec![Trial::test("bad::what_cannot_be_had_names_field_value_and_file", || {
        Ok(all_are_named().map_err(|e| e.to_string())?)
    })]
}

fn all_are_named() -> Outcome {
    let limited = memory(Memory { limit: Some(64 << 20), swap: Some(128 << 20), ..Memory::default() });
    let scratch = Scratch::new(&limited).or_else(|_| Scratch::new(&Resources::default()))?;
    let group = scratch.open()?;
    let (mut named, mut lacking) = (0, Vec::new());
    let before = group.readings()?;
    for (resources, pointer, value, v1, v2) in table() {
        let resources = among_others(resources, &before);
        let Err(error) = group.update(&resources) else {
            return Err(format!("{pointer} {value} was taken").into());
        };
        assert_eq!(group.readings()?, before, "{pointer} {value}");
        let error = error.to_string();
        assert!(error.contains(&format!("/linux/resources{pointer}")), "{pointer} {value}: {error}");
        let lacks = ["exists in cgroup v1 only", "no cgroup controller", "is for cgroup v2"];
        if lacks.iter().any(|words| error.contains(words)) {
            lacking.push(error);
            continue;
        }
        let mut files = v1.split('|').chain(v2.split('|'));
        let file = files.any(|file| !file.is_empty() && error.contains(file));
        assert!(error.contains(value) && file, "{pointer} {value}: {error}");
        named += 1;
    }
    assert!(named >= 20, "only {named}");
    println!("{named} named; lacking here: {lacking:#?}");
    Ok(())
}

/// With limits that can be had, where the group has them: nothing of them is to stay.
fn among_others(mut bad: Resources, readings: &[Reading]) -> Resources {
    let has = |name: &str| readings.iter().any(|reading| reading.name == name);
    if bad.cpu.is_none() && has("cpu.idle") {
        bad.cpu = Some(Cpu { shares: Some(77), quota: Some(50_000), burst: Some(5000), ..Cpu::default() });
    }
    if bad.memory.is_none() && has("memory.limit") {
        bad.memory = Some(Memory { limit: Some(32 << 20), ..Memory::default() });
    }
    if bad.pids.is_none() && has("pids.limit") {
        bad.pids = Some(Pids { limit: Some(99) });
    }
    bad
}

fn memory(memory: Memory) -> Resources {
    Resources { memory: Some(memory), ..Resources::default() }
}

fn cpu(cpu: Cpu) -> Resources {
    Resources { cpu: Some(cpu), ..Resources::default() }
}

fn io(block_io: BlockIo) -> Resources {
    Resources { block_io: Some(block_io), ..Resources::default() }
}

/// Of a disk that no machine has, and of one that is none: 1:3 is /dev/null.
fn rate(major: i64, minor: i64) -> Vec<ThrottleDevice> {
    vec![ThrottleDevice { major, minor, rate: 1000 }]
}

fn weight(major: i64, weight: u16, leaf: Option<u16>) -> Vec<WeightDevice> {
    vec![WeightDevice { major, minor: 0, weight: Some(weight), leaf_weight: leaf }]
}

fn huge(page_size: &str) -> Resources {
    let limit = HugepageLimit { page_size: page_size.into(), limit: 0 };
    Resources { hugepage_limits: vec![limit], ..Resources::default() }
}

fn rdma(device: &str, handles: u32) -> Resources {
    let limits = Rdma { hca_handles: Some(handles), hca_objects: None };
    Resources { rdma: [(device.to_owned(), limits)].into(), ..Resources::default() }
}

fn priority(interface: &str) -> Resources {
    let priorities = vec![InterfacePriority { name: interface.into(), priority: 1 }];
    Resources { network: Some(Network { class_id: None, priorities }), ..Resources::default() }
}

fn device(major: i64, access: &str) -> Resources {
    let (kind, minor, access) = (Some("c".to_owned()), Some(1), Some(access.to_owned()));
    let rule = DeviceRule { allow: true, kind, major: Some(major), minor, access };
    Resources { devices: vec![rule], ..Resources::default() }
}

fn table() -> Vec<Bad> {
    [memory_table(), cpu_table(), io_table(), other_table()].concat()
}

fn memory_table() -> Vec<Bad> {
    let none = Memory::default;
    let (limit, limit_v2) = ("memory.limit_in_bytes", "memory.max");
    let (swap, swap_v2) = ("memory.memsw.limit_in_bytes", "memory.swap.max");
    vec![
        (memory(Memory { limit: Some(-5), ..none() }), "/memory/limit", "-5", limit, limit_v2),
        (memory(Memory { swap: Some(-2), ..none() }), "/memory/swap", "-2", swap, swap_v2),
        (
            memory(Memory { limit: Some(1 << 20), swap: Some(4096), ..none() }),
            "/memory/swap",
            "4096",
            swap,
            swap_v2,
        ),
        // Below the limit that the group has.
        (memory(Memory { swap: Some(8192), ..none() }), "/memory/swap", "8192", swap, swap_v2),
        (
            memory(Memory { reservation: Some(-7), ..none() }),
            "/memory/reservation",
            "-7",
            "memory.soft_limit_in_bytes",
            "memory.low",
        ),
        (
            memory(Memory { swappiness: Some(101), ..none() }),
            "/memory/swappiness",
            "101",
            "memory.swappiness",
            "",
        ),
        (
            memory(Memory { kernel_tcp: Some(-3), ..none() }),
            "/memory/kernelTCP",
            "-3",
            "memory.kmem.tcp.limit_in_bytes",
            "",
        ),
        (
            memory(Memory { use_hierarchy: Some(false), ..none() }),
            "/memory/useHierarchy",
            "false",
            "memory.use_hierarchy",
            "",
        ),
    ]
}

fn cpu_table() -> Vec<Bad> {
    let none = Cpu::default;
    let (quota, max) = ("cpu.cfs_quota_us", "cpu.max");
    vec![
        (cpu(Cpu { shares: Some(1), ..none() }), "/cpu/shares", "1", "cpu.shares", "cpu.weight"),
        (cpu(Cpu { quota: Some(500), ..none() }), "/cpu/quota", "500", quota, max),
        (cpu(Cpu { quota: Some(-2), ..none() }), "/cpu/quota", "-2", quota, max),
        // More than the kernel's 64 bits of nanoseconds.
        (cpu(Cpu { quota: Some(i64::MAX), ..none() }), "/cpu/quota", "9223372036854775807", quota, max),
        (cpu(Cpu { period: Some(5), ..none() }), "/cpu/period", "5", "cpu.cfs_period_us", max),
        (
            cpu(Cpu { quota: Some(5000), burst: Some(5001), ..none() }),
            "/cpu/burst",
            "5001",
            "cpu.cfs_burst_us",
            "cpu.max.burst",
        ),
        (cpu(Cpu { idle: Some(2), ..none() }), "/cpu/idle", "2", "cpu.idle", "cpu.idle"),
        (cpu(Cpu { cpus: Some("900".into()), ..none() }), "/cpu/cpus", "900", "cpuset.cpus", "cpuset.cpus"),
        (cpu(Cpu { cpus: Some("1-0".into()), ..none() }), "/cpu/cpus", "1-0", "cpuset.cpus", "cpuset.cpus"),
        (cpu(Cpu { mems: Some("60".into()), ..none() }), "/cpu/mems", "60", "cpuset.mems", "cpuset.mems"),
        // More than the group above has.
        (
            cpu(Cpu { realtime_runtime: Some(999_999), ..none() }),
            "/cpu/realtimeRuntime",
            "999999",
            "cpu.rt_runtime_us",
            "",
        ),
    ]
}

fn io_table() -> Vec<Bad> {
    let none = BlockIo::default;
    let max = "io.max";
    vec![
        (
            io(BlockIo { weight: Some(5), ..none() }),
            "/blockIO/weight",
            "5",
            "blkio.bfq.weight",
            "io.bfq.weight",
        ),
        (
            io(BlockIo { leaf_weight: Some(500), ..none() }),
            "/blockIO/leafWeight",
            "500",
            "blkio.leaf_weight",
            "",
        ),
        (
            io(BlockIo { weight_device: weight(4000, 500, None), ..none() }),
            "/blockIO/weightDevice/0/weight",
            "4000:0",
            "blkio.bfq.weight_device",
            "io.bfq.weight|io.weight",
        ),
        (
            io(BlockIo { weight_device: weight(8, 500, Some(77)), ..none() }),
            "/blockIO/weightDevice/0/leafWeight",
            "77",
            "blkio.leaf_weight",
            "",
        ),
        (
            io(BlockIo { throttle_read_bps_device: rate(4000, 0), ..none() }),
            "/blockIO/throttleReadBpsDevice/0",
            "4000:0",
            "blkio.throttle.read_bps_device",
            max,
        ),
        (
            io(BlockIo { throttle_write_iops_device: rate(1, 3), ..none() }),
            "/blockIO/throttleWriteIOPSDevice/0",
            "1:3",
            "blkio.throttle.write_iops_device",
            max,
        ),
        (
            io(BlockIo { throttle_write_bps_device: rate(-1, 3), ..none() }),
            "/blockIO/throttleWriteBpsDevice/0",
            "-1:3",
            "blkio.throttle.write_bps_device",
            max,
        ),
    ]
}

fn other_table() -> Vec<Bad> {
    let pids = |limit| Resources { pids: Some(Pids { limit: Some(limit) }), ..Resources::default() };
    let unified = |file: &str, value: &str| Resources {
        unified: [(file.to_owned(), value.to_owned())].into(),
        ..Resources::default()
    };
    let depth = "/unified/cgroup.max.depth";
    vec![
        (pids(-2), "/pids/limit", "-2", "pids.max", "pids.max"),
        (pids(4_194_305), "/pids/limit", "4194305", "pids.max", "pids.max"),
        (huge("3MB"), "/hugepageLimits/0", "0", "hugetlb.3MB.limit_in_bytes", "hugetlb.3MB.max"),
        (huge("2M"), "/hugepageLimits/0/pageSize", "2M", "hugetlb.", "hugetlb."),
        (rdma("no_such0", 1), "/rdma/no_such0", "no_such0 hca_handle=1", "rdma.max", "rdma.max"),
        (priority("no_such0"), "/network/priorities/0", "no_such0 1", "net_prio.ifpriomap", ""),
        (device(5000, "r"), "/devices/0/major", "5000", "devices.allow", "devices.allow"),
        (device(5, "x"), "/devices/0/access", "x", "devices.allow", "devices.allow"),
        (unified("cgroup.max.depth", "-5"), depth, "-5", "cgroup.max.depth", "cgroup.max.depth"),
    ]
}
