//! What no kernel accepts, said before anything is changed.

use crate::table::{BELOW_LIMIT, huge_page_size};
use crate::{Error, List, RESOURCES};
use spec::{BlockIo, Cpu, HugepageLimit, Memory, Pids, Resources};

/// Checks every value for what the specification and the kernel allow.
///
/// # Errors
/// The first value that is not allowed, with its place and the rule.
pub fn check(resources: &Resources) -> Result<(), Error> {
    resources.memory.as_ref().map_or(Ok(()), memory)?;
    resources.cpu.as_ref().map_or(Ok(()), cpu)?;
    resources.block_io.as_ref().map_or(Ok(()), block_io)?;
    resources.pids.as_ref().map_or(Ok(()), pids)?;
    hugepages(&resources.hugepage_limits)?;
    for interface in resources.network.iter().flat_map(|network| &network.priorities) {
        word("/network/priorities", &interface.name, "is no name of a network interface")?;
    }
    for device in resources.rdma.keys() {
        word("/rdma", device, "is no name of an RDMA device")?;
    }
    resources.unified.iter().try_for_each(|(file, value)| unified(file, value))
}

fn memory(memory: &Memory) -> Result<(), Error> {
    let limits = [
        ("/memory/limit", memory.limit),
        ("/memory/reservation", memory.reservation),
        ("/memory/swap", memory.swap),
        ("/memory/kernelTCP", memory.kernel_tcp),
    ];
    for (pointer, limit) in limits {
        let bad = limit.filter(|bytes| *bytes < -1);
        refuse_if(pointer, bad, "is negative; a limit is a number of bytes, or -1 for none")?;
    }
    let limit = memory.limit.filter(|limit| *limit != 0);
    let below = |value: Option<i64>| value.filter(|v| *v > 0 && limit.is_some_and(|limit| limit > *v));
    let unbounded = memory.swap.filter(|swap| *swap > 0 && limit == Some(-1));
    refuse_if("/memory/swap", below(memory.swap), BELOW_LIMIT)?;
    refuse_if("/memory/swap", unbounded, "limits memory and swap together, yet memory.limit is unlimited")?;
    let above = memory.reservation.filter(|v| limit.is_some_and(|limit| limit > 0 && *v > limit));
    refuse_if("/memory/reservation", above, "is more than memory.limit, so it would never matter")?;
    // Docker writes -1 as an unsigned number for "as the machine has it", and runc takes it so.
    let swappiness = memory.swappiness.filter(|swappiness| *swappiness > 100 && *swappiness != u64::MAX);
    refuse_if("/memory/swappiness", swappiness, "is not from 0 to 100")?;
    let flat = memory.use_hierarchy.filter(|hierarchy| !hierarchy);
    refuse_if(
        "/memory/useHierarchy",
        flat,
        "cannot be had: since Linux 5.11 memory is always accounted through the tree, and memory.use_hierarchy is 1",
    )
}

/// Shares: `MIN_SHARES` and `MAX_SHARES`; quota: `min_cfs_quota_period` and `max_cfs_quota_period`
/// (`kernel/sched/core.c`). The kernel would clamp shares silently.
fn cpu(cpu: &Cpu) -> Result<(), Error> {
    let shares = cpu.shares.filter(|shares| *shares != 0 && !(2..=262_144).contains(shares));
    refuse_if("/cpu/shares", shares, "is not from 2 to 262144")?;
    let quota = cpu.quota.filter(|quota| *quota < -1 || (1..1000).contains(quota));
    refuse_if("/cpu/quota", quota, "is not a quota: at least 1000 µs in each period, or -1 for no limit")?;
    let period = cpu.period.filter(|period| *period != 0 && !(1000..=1_000_000).contains(period));
    refuse_if("/cpu/period", period, "is not from 1000 to 1000000 µs")?;
    let burst = cpu.burst.filter(|burst| match cpu.quota {
        Some(quota) if quota > 0 => u64::try_from(quota).is_ok_and(|quota| *burst > quota),
        _ => false,
    });
    refuse_if("/cpu/burst", burst, "is more than cpu.quota; a burst is saved from it")?;
    let runtime = cpu.realtime_runtime.filter(|runtime| {
        *runtime < -1 || cpu.realtime_period.is_some_and(|p| p != 0 && i128::from(*runtime) > i128::from(p))
    });
    refuse_if(
        "/cpu/realtimeRuntime",
        runtime,
        "is not a time within cpu.realtimePeriod, or -1 for no limit",
    )?;
    let idle = cpu.idle.filter(|idle| !(0..=1).contains(idle));
    refuse_if("/cpu/idle", idle, "is neither 0 nor 1")?;
    for (pointer, list) in [("/cpu/cpus", &cpu.cpus), ("/cpu/mems", &cpu.mems)] {
        let bad = list.as_ref().filter(|list| list.parse::<List>().is_err());
        refuse_if(pointer, bad, "is not a list like 0-3,7")?;
    }
    Ok(())
}

fn block_io(io: &BlockIo) -> Result<(), Error> {
    const RANGE: &str = "is not from 10 to 1000";
    const NO_LEAVES: &str = "cannot be had: weights of leaves were part of the CFQ scheduler, which Linux 5.0 removed, and with it \
         blkio.leaf_weight";
    let out = |weight: &u16| *weight != 0 && !(10..=1000).contains(weight);
    refuse_if("/blockIO/weight", io.weight.filter(out), RANGE)?;
    refuse_if("/blockIO/leafWeight", io.leaf_weight.filter(|weight| *weight != 0), NO_LEAVES)?;
    for (index, device) in io.weight_device.iter().enumerate() {
        let pointer = format!("/blockIO/weightDevice/{index}");
        refuse_if(&format!("{pointer}/weight"), device.weight.filter(out), RANGE)?;
        let leaf = device.leaf_weight.filter(|weight| *weight != 0);
        refuse_if(&format!("{pointer}/leafWeight"), leaf, NO_LEAVES)?;
        device_number(&pointer, device.major, device.minor)?;
    }
    let throttles = [
        ("throttleReadBpsDevice", &io.throttle_read_bps_device),
        ("throttleWriteBpsDevice", &io.throttle_write_bps_device),
        ("throttleReadIOPSDevice", &io.throttle_read_iops_device),
        ("throttleWriteIOPSDevice", &io.throttle_write_iops_device),
    ];
    for (name, devices) in throttles {
        for (index, device) in devices.iter().enumerate() {
            device_number(&format!("/blockIO/{name}/{index}"), device.major, device.minor)?;
        }
    }
    Ok(())
}

/// Majors have 12 bits, minors 20 (`MINORBITS` in `linux/kdev_t.h`).
fn device_number(pointer: &str, major: i64, minor: i64) -> Result<(), Error> {
    let good = (0..1 << 12).contains(&major) && (0..1 << 20).contains(&minor);
    let bad = (!good).then(|| format!("{major}:{minor}"));
    refuse_if(pointer, bad, "is no device number: a major has 12 bits and a minor 20")
}

fn pids(pids: &Pids) -> Result<(), Error> {
    // PID_MAX_LIMIT, the most that a kernel can have.
    let bad = pids.limit.filter(|limit| !(-1..=4_194_304).contains(limit));
    refuse_if("/pids/limit", bad, "is not a number of processes up to 4194304, or -1 for no limit")
}

fn hugepages(limits: &[HugepageLimit]) -> Result<(), Error> {
    for (index, page) in limits.iter().enumerate() {
        let bad = Some(&page.page_size).filter(|size| huge_page_size(size).is_none());
        refuse_if(&format!("/hugepageLimits/{index}/pageSize"), bad, "is no size like 64KB, 2MB or 1GB")?;
    }
    Ok(())
}

/// A key of `unified` is a file of the group, so it must not be able to name any other.
fn unified(file: &str, value: &str) -> Result<(), Error> {
    let good = file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && file.split_once('.').is_some_and(|(controller, rest)| !controller.is_empty() && !rest.is_empty());
    refuse_if("/unified", (!good).then_some(file), "is no file of a cgroup, like memory.high")?;
    // These move or end processes, or change what the engine itself sets.
    let ours = file.starts_with("cgroup.") && !file.starts_with("cgroup.max.") && file != "cgroup.pressure";
    refuse_if("/unified", ours.then_some(file), "is a file that a container runtime uses itself")?;
    let nul = value.contains('\0').then_some(value);
    refuse_if(&format!("/unified/{file}"), nul, "has a NUL, which no cgroup file takes")
}

fn word(pointer: &str, text: &str, problem: &'static str) -> Result<(), Error> {
    let bad = text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control());
    refuse_if(pointer, bad.then_some(text), problem)
}

fn refuse_if(pointer: &str, bad: Option<impl ToString>, problem: &'static str) -> Result<(), Error> {
    match bad {
        Some(value) => Err(Error::Invalid {
            pointer: format!("{RESOURCES}{pointer}"),
            value: value.to_string(),
            problem,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{InterfacePriority, Network, ThrottleDevice, WeightDevice};

    /// Where the error points to and what it says, `None` when all is well.
    fn refusal(resources: Resources) -> Option<(String, String)> {
        match check(&resources) {
            Ok(()) => None,
            Err(Error::Invalid { pointer, value, .. }) => {
                Some((pointer.strip_prefix(RESOURCES).unwrap().to_owned(), value))
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn expect(resources: Resources, expected: Option<(&str, &str)>) {
        let expected = expected.map(|(pointer, value)| (pointer.to_owned(), value.to_owned()));
        assert_eq!(refusal(resources.clone()), expected, "{resources:?}");
    }

    #[test]
    fn memory_limits() {
        let limit = |limit, swap| Memory { limit: Some(limit), swap: Some(swap), ..Memory::default() };
        for (memory, expected) in [
            (limit(100, 200), None),
            (limit(100, 100), None),
            (limit(0, 0), None),
            (limit(-1, -1), None),
            (limit(100, -1), None),
            (limit(-2, 0), Some(("/memory/limit", "-2"))),
            (limit(100, 99), Some(("/memory/swap", "99"))),
            (limit(-1, 99), Some(("/memory/swap", "99"))),
            (Memory { swappiness: Some(101), ..Memory::default() }, Some(("/memory/swappiness", "101"))),
            (Memory { swappiness: Some(100), ..Memory::default() }, None),
            (Memory { swappiness: Some(u64::MAX), ..Memory::default() }, None),
            (
                Memory { use_hierarchy: Some(false), ..Memory::default() },
                Some(("/memory/useHierarchy", "false")),
            ),
            (Memory { use_hierarchy: Some(true), ..Memory::default() }, None),
            (Memory { reservation: Some(101), ..limit(100, 0) }, Some(("/memory/reservation", "101"))),
            (Memory { kernel: Some(5), ..Memory::default() }, None),
        ] {
            expect(Resources { memory: Some(memory), ..Resources::default() }, expected);
        }
    }

    #[test]
    fn processor_limits() {
        let none = Cpu::default;
        for (cpu, expected) in [
            (Cpu { shares: Some(2), ..none() }, None),
            (Cpu { shares: Some(1), ..none() }, Some(("/cpu/shares", "1"))),
            (Cpu { shares: Some(262_145), ..none() }, Some(("/cpu/shares", "262145"))),
            (Cpu { quota: Some(1000), ..none() }, None),
            (Cpu { quota: Some(-1), ..none() }, None),
            (Cpu { quota: Some(999), ..none() }, Some(("/cpu/quota", "999"))),
            (Cpu { quota: Some(-2), ..none() }, Some(("/cpu/quota", "-2"))),
            (Cpu { period: Some(999), ..none() }, Some(("/cpu/period", "999"))),
            (Cpu { period: Some(1_000_001), ..none() }, Some(("/cpu/period", "1000001"))),
            (Cpu { quota: Some(5000), burst: Some(5001), ..none() }, Some(("/cpu/burst", "5001"))),
            (Cpu { quota: Some(5000), burst: Some(5000), ..none() }, None),
            (
                Cpu { realtime_runtime: Some(11), realtime_period: Some(10), ..none() },
                Some(("/cpu/realtimeRuntime", "11")),
            ),
            (Cpu { idle: Some(2), ..none() }, Some(("/cpu/idle", "2"))),
            (Cpu { cpus: Some("0-1,3".into()), ..none() }, None),
            (Cpu { cpus: Some("0-".into()), ..none() }, Some(("/cpu/cpus", "0-"))),
            (Cpu { mems: Some("all".into()), ..none() }, Some(("/cpu/mems", "all"))),
        ] {
            expect(Resources { cpu: Some(cpu), ..Resources::default() }, expected);
        }
    }

    #[test]
    fn block_device_limits() {
        let weight = |weight| WeightDevice { major: 8, minor: 0, weight, leaf_weight: None };
        let rate = |major, minor| vec![ThrottleDevice { major, minor, rate: 1 }];
        let none = BlockIo::default;
        for (io, expected) in [
            (BlockIo { weight: Some(10), ..none() }, None),
            (BlockIo { weight: Some(9), ..none() }, Some(("/blockIO/weight", "9"))),
            (BlockIo { weight: Some(1001), ..none() }, Some(("/blockIO/weight", "1001"))),
            (BlockIo { leaf_weight: Some(10), ..none() }, Some(("/blockIO/leafWeight", "10"))),
            (
                BlockIo { weight_device: vec![weight(Some(5))], ..none() },
                Some(("/blockIO/weightDevice/0/weight", "5")),
            ),
            (BlockIo { throttle_read_bps_device: rate(8, 0), ..none() }, None),
            (
                BlockIo { throttle_read_bps_device: rate(-1, 0), ..none() },
                Some(("/blockIO/throttleReadBpsDevice/0", "-1:0")),
            ),
            (
                BlockIo { throttle_write_iops_device: rate(8, 1 << 20), ..none() },
                Some(("/blockIO/throttleWriteIOPSDevice/0", "8:1048576")),
            ),
        ] {
            expect(Resources { block_io: Some(io), ..Resources::default() }, expected);
        }
    }

    #[test]
    fn the_rest() {
        let pids = |limit| Resources { pids: Some(Pids { limit: Some(limit) }), ..Resources::default() };
        let page = |size: &str| Resources {
            hugepage_limits: vec![HugepageLimit { page_size: size.into(), limit: 0 }],
            ..Resources::default()
        };
        let file = |file: &str| Resources {
            unified: [(file.to_owned(), "1".to_owned())].into(),
            ..Resources::default()
        };
        let priority = |name: &str| Resources {
            network: Some(Network {
                priorities: vec![InterfacePriority { name: name.into(), priority: 1 }],
                class_id: None,
            }),
            ..Resources::default()
        };
        for (resources, expected) in [
            (pids(-1), None),
            (pids(0), None),
            (pids(-2), Some(("/pids/limit", "-2"))),
            (pids(4_194_305), Some(("/pids/limit", "4194305"))),
            (page("2MB"), None),
            (page("2M"), Some(("/hugepageLimits/0/pageSize", "2M"))),
            (page("../MB"), Some(("/hugepageLimits/0/pageSize", "../MB"))),
            (page("0MB"), Some(("/hugepageLimits/0/pageSize", "0MB"))),
            (file("memory.high"), None),
            (file("../memory.high"), Some(("/unified", "../memory.high"))),
            (file("memory"), Some(("/unified", "memory"))),
            (file("cgroup.procs"), Some(("/unified", "cgroup.procs"))),
            (file("cgroup.max.depth"), None),
            (priority("eth0"), None),
            (priority("eth0 9"), Some(("/network/priorities", "eth0 9"))),
        ] {
            expect(resources, expected);
        }
    }
}
