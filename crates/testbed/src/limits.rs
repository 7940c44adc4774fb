//! Values to try settings of control groups with, the same on every machine and kernel.

use spec::{
    BlockIo, Cpu, HugepageLimit, InterfacePriority, Memory, Network, Pids, Rdma, Resources, ThrottleDevice,
};
use std::fs;

/// The setting that takes a disk with a certain scheduler.
pub const WEIGHTS: &str = "blockIO.weightDevice";

/// Settings that a kernel can be built, or booted, without. The files of all others must exist.
pub const KERNELS_CHOICE: [&str; 5] =
    ["memory.swap", "memory.kernelTCP", "cpu.realtimePeriod", "cpu.realtimeRuntime", "blockIO.weight"];

/// Files of v2 that only `unified` can name, with two values; `{}` stands for a disk.
pub const UNIFIED: [(&str, &str, &str); 8] = [
    ("cgroup.max.depth", "2", "3"),
    ("memory.high", "100M", "max"),
    ("memory.low", "1M", "4096"),
    ("memory.min", "1M", "0"),
    ("memory.oom.group", "1", "0"),
    ("cpu.weight", "50", "10000"),
    ("io.max", "{} rbps=1048576", "{} rbps=max"),
    ("io.latency", "{} target=5000", "{} target=10000"),
];

/// Two values of such a file.
#[must_use]
pub fn unified(file: &str, values: [&str; 2]) -> [Resources; 2] {
    let disk = disk().map_or("0:0".to_owned(), |(_, major, minor)| format!("{major}:{minor}"));
    values.map(|value| Resources {
        unified: [(file.to_owned(), value.replace("{}", &disk))].into(),
        ..Resources::default()
    })
}

/// Two values of a setting of the table in the crate `cgroup`, to be set and changed; or what this machine lacks for it.
///
/// # Errors
/// The machine lacks something.
///
/// # Panics
/// There is no such setting, or the disks of the table have no values here.
pub fn samples(name: &str) -> Result<[Resources; 2], String> {
    const MIB: i64 = 1 << 20;
    let memory = |m: fn(i64) -> Memory| [m(64 * MIB), m(96 * MIB)].map(of_memory);
    let cpu = |a, b| [a, b].map(of_cpu);
    let none = Cpu::default;
    Ok(match name {
        "memory.limit" => memory(|limit| Memory { limit: Some(limit), ..Memory::default() }),
        "memory.swap" => {
            memory(|limit| Memory { limit: Some(limit), swap: Some(2 * limit), ..Memory::default() })
        }
        "memory.reservation" => memory(|limit| Memory { reservation: Some(limit), ..Memory::default() }),
        "memory.kernelTCP" => memory(|limit| Memory { kernel_tcp: Some(limit), ..Memory::default() }),
        "memory.swappiness" => {
            [10, 20].map(|swappiness| of_memory(Memory { swappiness: Some(swappiness), ..Memory::default() }))
        }
        "memory.disableOOMKiller" => [true, false]
            .map(|disable| of_memory(Memory { disable_oom_killer: Some(disable), ..Memory::default() })),
        "cpu.cpus" => {
            cpu(Cpu { cpus: Some("0".into()), ..none() }, Cpu { cpus: Some("0-0".into()), ..none() })
        }
        "cpu.mems" => {
            cpu(Cpu { mems: Some("0".into()), ..none() }, Cpu { mems: Some("0-0".into()), ..none() })
        }
        "cpu.shares" => cpu(Cpu { shares: Some(2), ..none() }, Cpu { shares: Some(262_144), ..none() }),
        "cpu.period" => {
            // Without a quota it is nothing to systemd.
            let of = |period, quota| Cpu { period: Some(period), quota: Some(quota), ..none() };
            cpu(of(50_000, 25_000), of(1_000_000, 200_000))
        }
        // A shorter period does not hold the old quota, nor a smaller quota the old burst.
        "cpu.quota" => cpu(
            Cpu { quota: Some(500_000), period: Some(1_000_000), ..none() },
            Cpu { quota: Some(1000), period: Some(2000), ..none() },
        ),
        "cpu.burst" => cpu(
            Cpu { quota: Some(50_000), burst: Some(50_000), ..none() },
            Cpu { quota: Some(20_000), burst: Some(1000), ..none() },
        ),
        "cpu.idle" => cpu(
            Cpu { shares: Some(100), idle: Some(1), ..none() },
            Cpu { shares: Some(200), idle: Some(0), ..none() },
        ),
        "cpu.realtimePeriod" => cpu(
            Cpu { realtime_period: Some(500_000), ..none() },
            Cpu { realtime_period: Some(600_000), ..none() },
        ),
        "cpu.realtimeRuntime" => {
            cpu(Cpu { realtime_runtime: Some(1000), ..none() }, Cpu { realtime_runtime: Some(0), ..none() })
        }
        "pids.limit" => {
            [5, -1].map(|limit| Resources { pids: Some(Pids { limit: Some(limit) }), ..Resources::default() })
        }
        // The kernel has whole pages.
        "hugepageLimits" | "hugepageLimits (reserved)" => {
            [1 << 21, (2 << 21) + 5000].map(|limit| Resources {
                hugepage_limits: vec![HugepageLimit { page_size: "2MB".into(), limit }],
                ..Resources::default()
            })
        }
        "rdma" => {
            let device = rdma_device().ok_or("this machine has no RDMA device")?;
            [(1, None), (2, Some(3))].map(|(handles, objects)| {
                let limits = Rdma { hca_handles: Some(handles), hca_objects: objects };
                Resources { rdma: [(device.clone(), limits)].into(), ..Resources::default() }
            })
        }
        "network.classID" => [1, 2].map(|class| of_network(Some(class), None)),
        "network.priorities" => [1, 2].map(|priority| of_network(None, Some(priority))),
        name => return samples_of_disks(name),
    })
}

fn samples_of_disks(name: &str) -> Result<[Resources; 2], String> {
    let of = |io| Resources { block_io: Some(io), ..Resources::default() };
    let none = BlockIo::default;
    if name == "blockIO.weight" {
        return Ok([10, 1000].map(|weight| of(BlockIo { weight: Some(weight), ..none() })));
    }
    let Some((_, major, minor)) = disk() else { return Err("this machine has no disk".to_owned()) };
    let rate = |rate| vec![ThrottleDevice { major, minor, rate }];
    let rates = |make: fn(Vec<ThrottleDevice>) -> BlockIo| Ok([1 << 20, 0].map(|n| of(make(rate(n)))));
    match name {
        "blockIO.throttleReadBpsDevice" => {
            rates(|rate| BlockIo { throttle_read_bps_device: rate, ..BlockIo::default() })
        }
        "blockIO.throttleWriteBpsDevice" => {
            rates(|rate| BlockIo { throttle_write_bps_device: rate, ..BlockIo::default() })
        }
        "blockIO.throttleReadIOPSDevice" => {
            rates(|rate| BlockIo { throttle_read_iops_device: rate, ..BlockIo::default() })
        }
        "blockIO.throttleWriteIOPSDevice" => {
            rates(|rate| BlockIo { throttle_write_iops_device: rate, ..BlockIo::default() })
        }
        other => panic!("no sample for {other}: a row of the table is not tested"),
    }
}

/// The first disk: name and device number.
#[must_use]
pub fn disk() -> Option<(String, i64, i64)> {
    let text = fs::read_to_string("/proc/partitions").ok()?;
    text.lines().skip(2).find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [major, minor, _, name] = words[..] else { return None };
        let whole = fs::exists(format!("/sys/block/{name}")).is_ok_and(|exists| exists);
        whole.then(|| Some((name.to_owned(), major.parse().ok()?, minor.parse().ok()?)))?
    })
}

/// The name of any RDMA device.
fn rdma_device() -> Option<String> {
    let device = fs::read_dir("/sys/class/infiniband").ok()?.flatten().next()?;
    device.file_name().into_string().ok()
}

fn of_memory(memory: Memory) -> Resources {
    Resources { memory: Some(memory), ..Resources::default() }
}

fn of_cpu(cpu: Cpu) -> Resources {
    Resources { cpu: Some(cpu), ..Resources::default() }
}

fn of_network(class_id: Option<u32>, priority: Option<u32>) -> Resources {
    let priorities =
        priority.map(|priority| InterfacePriority { name: "lo".into(), priority }).into_iter().collect();
    Resources { network: Some(Network { class_id, priorities }), ..Resources::default() }
}
