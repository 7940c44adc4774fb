//! Memory.

use super::{Ask, Place, Row, Shape, limit, nonzero, or_max, plain};
use plan::unit::Value as UnitValue;
use spec::{Memory, Resources};

fn ask(resources: &Resources, pointer: &str, field: fn(&Memory) -> Option<i64>) -> Vec<Ask> {
    let value = resources.memory.as_ref().and_then(field);
    value.map(|value| Ask::number(pointer, value)).into_iter().collect()
}

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "memory.limit",
        why: "more memory than this and the kernel reclaims, then kills",
        v1: Some(
            Place::new("memory", "memory.limit_in_bytes", Shape::Bytes, plain).unit("MemoryLimit", limit),
        ),
        v2: Some(Place::new("memory", "memory.max", Shape::Bytes, or_max).unit("MemoryMax", limit)),
        default: Some(-1),
        ask: |r| ask(r, "/memory/limit", |m| nonzero(m.limit)),
    },
    Row {
        name: "memory.swap",
        why: "memory and swap together; v2 counts swap alone (needs a kernel that accounts swap)",
        v1: Some(Place::new("memory", "memory.memsw.limit_in_bytes", Shape::Bytes, plain)),
        v2: Some(
            Place::new("memory", "memory.swap.max", Shape::Bytes, swap_alone)
                .unit("MemorySwapMax", swap_limit),
        ),
        default: Some(-1),
        ask: ask_swap,
    },
    Row {
        name: "memory.reservation",
        why: "memory that is reclaimed last when the machine runs short",
        v1: Some(Place::new("memory", "memory.soft_limit_in_bytes", Shape::Bytes, plain)),
        v2: Some(Place::new("memory", "memory.low", Shape::Bytes, or_max).unit("MemoryLow", limit)),
        default: None,
        ask: |r| ask(r, "/memory/reservation", |m| nonzero(m.reservation)),
    },
    Row {
        name: "memory.kernelTCP",
        why: "limit of memory in TCP buffers",
        v1: Some(Place::new("memory", "memory.kmem.tcp.limit_in_bytes", Shape::Bytes, plain)),
        v2: None,
        default: Some(-1),
        ask: |r| ask(r, "/memory/kernelTCP", |m| nonzero(m.kernel_tcp)),
    },
    Row {
        name: "memory.swappiness",
        why: "how eagerly anonymous memory is swapped out",
        v1: Some(Place::new("memory", "memory.swappiness", Shape::Number, plain)),
        v2: None,
        default: None,
        ask: |r| ask(r, "/memory/swappiness", |m| m.swappiness.and_then(|s| i64::try_from(s).ok())),
    },
    Row {
        name: "memory.disableOOMKiller",
        why: "pause processes that are out of memory in place of killing them",
        v1: Some(Place::new("memory", "memory.oom_control", Shape::OomControl, plain)),
        v2: None,
        default: Some(0),
        ask: |r| ask(r, "/memory/disableOOMKiller", |m| m.disable_oom_killer.map(i64::from)),
    },
];

/// The sum of memory and swap. No limit of memory means none of the sum either, or the kernel would refuse the
/// former (v1) and runc does the same.
fn ask_swap(resources: &Resources) -> Vec<Ask> {
    let Some(memory) = &resources.memory else { return Vec::new() };
    match (nonzero(memory.swap), memory.limit) {
        (Some(swap), _) => vec![Ask::number("/memory/swap", swap)],
        (None, Some(-1)) => vec![Ask { implied: true, ..Ask::number("/memory/limit", -1) }],
        (None, _) => Vec::new(),
    }
}

pub(crate) const BELOW_LIMIT: &str =
    "is less than memory.limit; it limits memory and swap together, so it is at least that";

/// v2 limits swap alone, the specification the sum: `memory.swap.max` = swap - limit (runc and crun do so).
fn swap_alone(resources: &Resources, ask: &Ask) -> Result<String, &'static str> {
    let super::Value::Number(sum) = ask.value else { return plain(resources, ask) };
    if sum < 0 {
        return Ok("max".to_owned());
    }
    match resources.memory.as_ref().and_then(|memory| nonzero(memory.limit)) {
        Some(limit) if limit > 0 && sum < i128::from(limit) => Err(BELOW_LIMIT),
        Some(limit) if limit > 0 => Ok((sum - i128::from(limit)).to_string()),
        _ => Err(
            "limits memory and swap together, so cgroup v2 needs a limit of memory to take from it: set memory.limit",
        ),
    }
}

/// The same as a property.
fn swap_limit(resources: &Resources, ask: &Ask) -> Option<UnitValue> {
    let text = swap_alone(resources, ask).ok()?;
    if text == "max" { Some(UnitValue::INFINITY) } else { text.parse().ok().map(UnitValue::Uint64) }
}
