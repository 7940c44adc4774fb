use super::*;
use crate::settings::{Controllers, settings};
use proptest::prelude::*;
use spec::{
    BlockIo, Cpu, HugepageLimit, InterfacePriority, Memory, Network, Pids, Rdma, ThrottleDevice, WeightDevice,
};
use std::path::PathBuf;

/// A machine with every controller, in one version only.
struct Everything {
    v2: bool,
}

impl Controllers for Everything {
    fn v1(&self, controller: &str) -> Option<PathBuf> {
        (!self.v2).then(|| controller.into())
    }
    fn v2(&self, controller: &str) -> Option<PathBuf> {
        self.v2.then(|| controller.into())
    }
    fn unified(&self) -> Option<PathBuf> {
        self.v2.then(PathBuf::new)
    }
    fn looked(&self) -> String {
        "everywhere".to_owned()
    }
    fn withheld(&self, _: &str) -> Option<(PathBuf, Vec<String>)> {
        None
    }
}

/// `CONTROLLER/FILE VALUE` for each setting; ` or FILE VALUE` for a fallback; or the error.
fn written(resources: &Resources, v2: bool) -> Vec<String> {
    let placed = match settings(resources, &Everything { v2 }) {
        Ok(placed) => placed,
        Err(error) => return vec![error.to_string().split(';').next().unwrap().to_owned()],
    };
    let text = |placed: crate::settings::Placed| {
        let setting = placed.setting;
        let fallback = setting.fallback.map(|f| format!(" or {} {}", f.file.display(), f.value));
        format!("{} {}{}", setting.file.display(), setting.value, fallback.unwrap_or_default())
    };
    placed.into_iter().map(text).collect()
}

fn check(resources: Resources, v1: &[&str], v2: &[&str]) {
    assert_eq!(written(&resources, false), v1, "v1 of {resources:?}");
    assert_eq!(written(&resources, true), v2, "v2 of {resources:?}");
}

const ONLY_V1: &str = "exists in cgroup v1 only, and";

fn memory(memory: Memory) -> Resources {
    Resources { memory: Some(memory), ..Resources::default() }
}

#[test]
fn memory_texts() {
    let none = Memory::default;
    check(
        memory(Memory { limit: Some(100), ..none() }),
        &["memory/memory.limit_in_bytes 100"],
        &["memory/memory.max 100"],
    );
    check(
        memory(Memory { limit: Some(100), swap: Some(300), ..none() }),
        &["memory/memory.limit_in_bytes 100", "memory/memory.memsw.limit_in_bytes 300"],
        &["memory/memory.max 100", "memory/memory.swap.max 200"],
    );
    check(
        memory(Memory { limit: Some(100), swap: Some(-1), ..none() }),
        &["memory/memory.limit_in_bytes 100", "memory/memory.memsw.limit_in_bytes -1"],
        &["memory/memory.max 100", "memory/memory.swap.max max"],
    );
    check(
        memory(Memory { limit: Some(-1), ..none() }),
        &["memory/memory.limit_in_bytes -1", "memory/memory.memsw.limit_in_bytes -1"],
        &["memory/memory.max max", "memory/memory.swap.max max"],
    );
    check(
        memory(Memory { swap: Some(300), ..none() }),
        &["memory/memory.memsw.limit_in_bytes 300"],
        &[
            "/linux/resources/memory/swap: 300 limits memory and swap together, so cgroup v2 needs a limit of memory \
           to take from it: set memory.limit (memory.memsw.limit_in_bytes, on v2 memory.swap.max)",
        ],
    );
    check(
        memory(Memory { reservation: Some(50), ..none() }),
        &["memory/memory.soft_limit_in_bytes 50"],
        &["memory/memory.low 50"],
    );
    check(
        memory(Memory { kernel_tcp: Some(50), ..none() }),
        &["memory/memory.kmem.tcp.limit_in_bytes 50"],
        &[&format!("/linux/resources/memory/kernelTCP: {ONLY_V1} memory is not mounted as v1")],
    );
    check(
        memory(Memory { swappiness: Some(0), ..none() }),
        &["memory/memory.swappiness 0"],
        &[&format!("/linux/resources/memory/swappiness: {ONLY_V1} memory is not mounted as v1")],
    );
    check(
        memory(Memory { disable_oom_killer: Some(true), ..none() }),
        &["memory/memory.oom_control 1"],
        &[&format!("/linux/resources/memory/disableOOMKiller: {ONLY_V1} memory is not mounted as v1")],
    );
    check(
        memory(Memory { disable_oom_killer: Some(false), ..none() }),
        &["memory/memory.oom_control 0"],
        &[],
    );
    check(memory(Memory { limit: Some(0), swap: Some(0), kernel: Some(9), ..none() }), &[], &[]);
}

fn cpu(cpu: Cpu) -> Resources {
    Resources { cpu: Some(cpu), ..Resources::default() }
}

#[test]
fn processor_texts() {
    let none = Cpu::default;
    for (shares, weight) in [(2, 1), (1024, 39), (2048, 79), (262_144, 10_000)] {
        check(
            cpu(Cpu { shares: Some(shares), ..none() }),
            &[&format!("cpu/cpu.shares {shares}")],
            &[&format!("cpu/cpu.weight {weight}")],
        );
    }
    check(
        cpu(Cpu { quota: Some(50_000), period: Some(200_000), ..none() }),
        &["cpu/cpu.cfs_period_us 200000", "cpu/cpu.cfs_quota_us 50000"],
        &["cpu/cpu.max 50000 200000"],
    );
    check(
        cpu(Cpu { quota: Some(50_000), ..none() }),
        &["cpu/cpu.cfs_quota_us 50000"],
        &["cpu/cpu.max 50000"],
    );
    check(cpu(Cpu { quota: Some(-1), ..none() }), &["cpu/cpu.cfs_quota_us -1"], &["cpu/cpu.max max"]);
    check(
        cpu(Cpu { period: Some(50_000), ..none() }),
        &["cpu/cpu.cfs_period_us 50000"],
        &["cpu/cpu.max max 50000"],
    );
    check(
        cpu(Cpu { quota: Some(50_000), burst: Some(1000), ..none() }),
        &["cpu/cpu.cfs_quota_us 50000", "cpu/cpu.cfs_burst_us 1000"],
        &["cpu/cpu.max 50000", "cpu/cpu.max.burst 1000"],
    );
    let idle = Cpu { idle: Some(1), shares: Some(100), ..none() };
    check(cpu(idle), &["cpu/cpu.idle 1"], &["cpu/cpu.idle 1"]);
    check(
        cpu(Cpu { cpus: Some("0-1".into()), mems: Some(" 0".into()), ..none() }),
        &["cpuset/cpuset.cpus 0-1", "cpuset/cpuset.mems 0"],
        &["cpuset/cpuset.cpus 0-1", "cpuset/cpuset.mems 0"],
    );
    check(
        cpu(Cpu { realtime_period: Some(1_000_000), realtime_runtime: Some(950_000), ..none() }),
        &["cpu/cpu.rt_period_us 1000000", "cpu/cpu.rt_runtime_us 950000"],
        &[&format!("/linux/resources/cpu/realtimePeriod: {ONLY_V1} cpu is not mounted as v1")],
    );
    let zeros = Cpu { shares: Some(0), quota: Some(0), period: Some(0), cpus: Some(String::new()), ..none() };
    check(cpu(zeros), &[], &[]);
}

#[test]
fn block_device_texts() {
    let none = BlockIo::default;
    let io = |block_io| Resources { block_io: Some(block_io), ..Resources::default() };
    for (weight, converted) in [(10, 1), (100, 910), (500, 4950), (1000, 10_000)] {
        check(
            io(BlockIo { weight: Some(weight), ..none() }),
            &[&format!("blkio/blkio.bfq.weight {weight}")],
            &[&format!("io/io.bfq.weight {weight} or io/io.weight {converted}")],
        );
    }
    let device = WeightDevice { major: 8, minor: 16, weight: Some(100), leaf_weight: None };
    check(
        io(BlockIo { weight_device: vec![device], ..none() }),
        &["blkio/blkio.bfq.weight_device 8:16 100"],
        &["io/io.bfq.weight 8:16 100 or io/io.weight 8:16 910"],
    );
    let rate = |rate| vec![ThrottleDevice { major: 8, minor: 0, rate }];
    check(
        io(BlockIo {
            throttle_read_bps_device: rate(1),
            throttle_write_bps_device: rate(2),
            throttle_read_iops_device: rate(3),
            throttle_write_iops_device: rate(0),
            ..none()
        }),
        &[
            "blkio/blkio.throttle.read_bps_device 8:0 1",
            "blkio/blkio.throttle.write_bps_device 8:0 2",
            "blkio/blkio.throttle.read_iops_device 8:0 3",
            "blkio/blkio.throttle.write_iops_device 8:0 0",
        ],
        &["io/io.max 8:0 rbps=1", "io/io.max 8:0 wbps=2", "io/io.max 8:0 riops=3", "io/io.max 8:0 wiops=max"],
    );
}

#[test]
fn other_texts() {
    for (limit, text) in [(-1, "max"), (0, "max"), (5, "5")] {
        let pids = Some(Pids { limit: Some(limit) });
        let line = format!("pids/pids.max {text}");
        check(Resources { pids, ..Resources::default() }, &[&line], &[&line]);
    }
    for (size, limit, text) in [
        ("2MB", 4 << 20, "4194304"),
        ("2MB", (6 << 20) - 1, "4194304"),
        ("1GB", 4 << 20, "0"),
        ("64KB", u64::MAX, "18446744073709486080"),
    ] {
        let page = HugepageLimit { page_size: size.into(), limit };
        let line = |file: &str| format!("hugetlb/hugetlb.{size}.{file} {text}");
        check(
            Resources { hugepage_limits: vec![page], ..Resources::default() },
            &[&line("limit_in_bytes"), &line("rsvd.limit_in_bytes")],
            &[&line("max"), &line("rsvd.max")],
        );
    }
    let rdma = Rdma { hca_handles: Some(2), hca_objects: Some(2000) };
    let line = "rdma/rdma.max mlx5_0 hca_handle=2 hca_object=2000";
    check(Resources { rdma: [("mlx5_0".into(), rdma)].into(), ..Resources::default() }, &[line], &[line]);
    let network = |class_id, priorities| Resources {
        network: Some(Network { class_id, priorities }),
        ..Resources::default()
    };
    check(
        network(Some(0x10_0001), vec![]),
        &["net_cls/net_cls.classid 1048577"],
        &[&format!("/linux/resources/network/classID: {ONLY_V1} net_cls is not mounted as v1")],
    );
    check(
        network(None, vec![InterfacePriority { name: "eth0".into(), priority: 5 }]),
        &["net_prio/net_prio.ifpriomap eth0 5"],
        &[&format!("/linux/resources/network/priorities/0: {ONLY_V1} net_prio is not mounted as v1")],
    );
    let unified = [("memory.high".to_owned(), "5M".to_owned())].into();
    check(
        Resources { unified, ..Resources::default() },
        &["/linux/resources/unified/memory.high: is for cgroup v2, which is not mounted"],
        &["memory.high 5M"],
    );
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = rows().map(|row| row.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

proptest! {
    #[test]
    fn more_shares_never_weigh_less(a in 2u64..=262_144, b in 2u64..=262_144) {
        let weight = |shares| {
            let line = &written(&cpu(Cpu { shares: Some(shares), ..Cpu::default() }), true)[0];
            line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
        };
        prop_assert!((1..=10_000).contains(&weight(a)));
        prop_assert!(a > b || weight(a) <= weight(b));
    }

    #[test]
    fn memory_and_swap_of_v2_add_up_to_the_sum(limit in 1i64..1 << 40, swap in 0i64..1 << 40) {
        let resources = memory(Memory { limit: Some(limit), swap: Some(limit + swap), ..Memory::default() });
        let lines = written(&resources, true);
        let number = |line: &str| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap();
        prop_assert_eq!(number(&lines[0]) + number(&lines[1]), limit + swap);
    }
}
