//! Any sequence of updates leaves the kernel's files as the table renders what was asked for.

use crate::scratch::{Outcome, Scratch, layout};
use libtest_mimic::Trial;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use spec::{BlockIo, Cpu, Memory, Pids, Resources, ThrottleDevice};

pub fn trials() -> Vec<Trial> {
    vec![Trial::test("updates::any_sequence_leaves_what_was_asked_for_last", || {
        Ok(sequences().map_err(|e| e.to_string())?)
    })]
}

fn sequences() -> Outcome {
    let has = Has::new()?;
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let steps = proptest::collection::vec(change(has), 1..8);
    TestRunner::new(config).run(&steps, |steps| {
        let failed = |error: Box<dyn std::error::Error>| TestCaseError::fail(error.to_string());
        follow(&steps).map_err(failed)
    })?;
    Ok(())
}

/// Makes the changes and looks after each of them at everything that was asked for so far.
fn follow(steps: &[Resources]) -> Outcome {
    let scratch = Scratch::new(&Resources::default())?;
    let group = scratch.open()?;
    let mut all = Resources::default();
    for step in steps {
        group.update(step).map_err(|error| format!("{step:?}: {error}"))?;
        merge(&mut all, step);
        let differences = group.differences(&all)?;
        if !differences.is_empty() {
            return Err(format!("after {step:?}: {differences:#?}").into());
        }
    }
    Ok(())
}

/// What this kernel has that others lack.
#[derive(Clone, Copy)]
struct Has {
    swap: bool,
    v1_memory: bool,
    cpuset: bool,
    pids: bool,
    disk: Option<(i64, i64)>,
}

impl Has {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let layout = layout()?;
        let bare = Scratch::new(&Resources::default())?;
        let file = |name: &str| bare.group.directories.iter().any(|directory| directory.join(name).exists());
        Ok(Self {
            swap: file("memory.memsw.limit_in_bytes") || file("memory.swap.max"),
            v1_memory: layout.v1_with("memory").is_some(),
            cpuset: file("cpuset.cpus"),
            pids: file("pids.max"),
            disk: testbed::limits::disk().map(|(_, major, minor)| (major, minor)),
        })
    }
}

fn change(has: Has) -> impl Strategy<Value = Resources> {
    let none = Resources::default;
    let of_cpu = |cpu| Resources { cpu: Some(cpu), ..Resources::default() };
    let of_memory = |memory| Resources { memory: Some(memory), ..Resources::default() };
    let pages = |most: i64| (4096i64..most).prop_map(|pages| pages * 4096);
    // A limit of the sum is given with the limit that it is the sum of, as on v2 it is written as the rest.
    let memory = (pages(20_000), 0..20_000i64, any::<bool>()).prop_map(move |(limit, more, unlimited)| {
        let (limit, swap) = if unlimited { (-1, -1) } else { (limit, limit + more * 4096) };
        of_memory(Memory { limit: Some(limit), swap: has.swap.then_some(swap), ..Memory::default() })
    });
    let soft = (1i64..4096)
        .prop_map(move |pages| of_memory(Memory { reservation: Some(pages * 4096), ..Memory::default() }));
    let swappiness = (0..=100u64).prop_map(move |percent| match has.v1_memory {
        true => of_memory(Memory { swappiness: Some(percent), ..Memory::default() }),
        false => none(),
    });
    let shares = (2..=262_144u64)
        .prop_map(move |shares| of_cpu(Cpu { shares: Some(shares), idle: Some(0), ..Cpu::default() }));
    let idle = Just(of_cpu(Cpu { idle: Some(1), ..Cpu::default() }));
    let quota =
        (1000..=1_000_000i64, 1000..=1_000_000u64, 0..=100u64).prop_map(move |(quota, period, burst)| {
            let burst = quota.cast_unsigned() * burst / 100;
            of_cpu(Cpu { quota: Some(quota), period: Some(period), burst: Some(burst), ..Cpu::default() })
        });
    let no_quota = Just(of_cpu(Cpu { quota: Some(-1), burst: Some(0), ..Cpu::default() }));
    let period =
        (1000..=1_000_000u64).prop_map(move |period| of_cpu(Cpu { period: Some(period), ..Cpu::default() }));
    let cpus =
        Just(if has.cpuset { of_cpu(Cpu { cpus: Some("0".into()), ..Cpu::default() }) } else { none() });
    let pids = (-1..1000i64).prop_map(move |limit| Resources {
        pids: has.pids.then_some(Pids { limit: Some(limit) }),
        ..Resources::default()
    });
    let rates = (0..1_000_000u64, 0..1000u64).prop_map(move |(bytes, operations)| Resources {
        block_io: has.disk.map(|disk| throttled(disk, bytes * 512, operations)),
        ..Resources::default()
    });
    let [memory, soft, swappiness] = [memory.boxed(), soft.boxed(), swappiness.boxed()];
    let cpu = [shares.boxed(), idle.boxed(), quota.boxed(), no_quota.boxed(), period.boxed(), cpus.boxed()];
    let other = [pids.boxed(), rates.boxed()];
    proptest::strategy::Union::new([memory, soft, swappiness].into_iter().chain(cpu).chain(other))
}

fn throttled((major, minor): (i64, i64), bytes: u64, operations: u64) -> BlockIo {
    let rate = |rate| vec![ThrottleDevice { major, minor, rate }];
    BlockIo {
        throttle_read_bps_device: rate(bytes),
        throttle_write_iops_device: rate(operations),
        ..BlockIo::default()
    }
}

/// What is asked for in sum: what the later one does not mention stays.
fn merge(all: &mut Resources, step: &Resources) {
    if let Some(new) = &step.memory {
        let old = all.memory.get_or_insert_default();
        old.limit = new.limit.or(old.limit);
        old.swap = new.swap.or(old.swap);
        old.reservation = new.reservation.or(old.reservation);
        old.swappiness = new.swappiness.or(old.swappiness);
    }
    if let Some(new) = &step.cpu {
        let old = all.cpu.get_or_insert_default();
        old.shares = new.shares.or(old.shares);
        old.idle = new.idle.or(old.idle);
        old.quota = new.quota.or(old.quota);
        old.period = new.period.or(old.period);
        old.burst = new.burst.or(old.burst);
        old.cpus = new.cpus.clone().or(old.cpus.take());
    }
    all.pids = step.pids.or(all.pids);
    all.block_io = step.block_io.clone().or(all.block_io.take());
}
