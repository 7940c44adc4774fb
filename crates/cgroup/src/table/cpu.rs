//! Processor time and placement.

use super::{Ask, Place, Row, Shape, Value, limit, nonzero, plain};
use crate::List;
use plan::unit::Value as UnitValue;
use spec::{Cpu, Resources};

fn ask<T: Into<i128>>(resources: &Resources, pointer: &str, field: fn(&Cpu) -> Option<T>) -> Vec<Ask> {
    let value = resources.cpu.as_ref().and_then(field);
    value.map(|value| Ask::number(pointer, value)).into_iter().collect()
}

fn ask_list(resources: &Resources, pointer: &str, field: fn(&Cpu) -> Option<&String>) -> Vec<Ask> {
    let list = resources.cpu.as_ref().and_then(field).filter(|list| !list.trim().is_empty());
    list.map(|list| Ask::text(pointer, list.trim())).into_iter().collect()
}

const PERIOD: &str = "CPUQuotaPeriodUSec";
const QUOTA: &str = "CPUQuotaPerSecUSec";

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "cpu.cpus",
        why: "the processors that may be run on",
        v1: Some(Place::new("cpuset", "cpuset.cpus", Shape::List, plain)),
        v2: Some(Place::new("cpuset", "cpuset.cpus", Shape::List, plain).unit("AllowedCPUs", bits)),
        default: None,
        ask: |r| ask_list(r, "/cpu/cpus", |c| c.cpus.as_ref()),
    },
    Row {
        name: "cpu.mems",
        why: "the memory nodes that may be allocated from",
        v1: Some(Place::new("cpuset", "cpuset.mems", Shape::List, plain)),
        v2: Some(Place::new("cpuset", "cpuset.mems", Shape::List, plain).unit("AllowedMemoryNodes", bits)),
        default: None,
        ask: |r| ask_list(r, "/cpu/mems", |c| c.mems.as_ref()),
    },
    Row {
        name: "cpu.shares",
        why: "share of processor time when others want it too",
        v1: Some(Place::new("cpu", "cpu.shares", Shape::Number, plain).unit("CPUShares", limit)),
        v2: Some(Place::new("cpu", "cpu.weight", Shape::Number, weight_of_shares).unit("CPUWeight", weight)),
        default: None,
        // An idle group has the least share there is, and the kernel refuses it another.
        ask: |r| ask(r, "/cpu/shares", |c| nonzero(c.shares).filter(|_| c.idle != Some(1))),
    },
    Row {
        name: "cpu.period",
        why: "the time that a quota is for",
        v1: Some(Place::new("cpu", "cpu.cfs_period_us", Shape::Number, plain).unit(PERIOD, limit)),
        v2: Some(Place::new("cpu", "cpu.max", Shape::Words, maximum).unit(PERIOD, limit)),
        default: None,
        ask: |r| ask(r, "/cpu/period", |c| nonzero(c.period)),
    },
    Row {
        name: "cpu.quota",
        why: "processor time in each period, after which the group waits for the next",
        v1: Some(Place::new("cpu", "cpu.cfs_quota_us", Shape::Number, plain).unit(QUOTA, quota_of_a_second)),
        v2: Some(Place::new("cpu", "cpu.max", Shape::Words, maximum).unit(QUOTA, quota_of_a_second)),
        default: Some(-1),
        ask: |r| ask(r, "/cpu/quota", |c| nonzero(c.quota)),
    },
    Row {
        name: "cpu.burst",
        why: "unused quota that may be saved up",
        v1: Some(Place::new("cpu", "cpu.cfs_burst_us", Shape::Number, plain)),
        v2: Some(Place::new("cpu", "cpu.max.burst", Shape::Number, plain)),
        default: Some(0),
        ask: |r| ask(r, "/cpu/burst", |c| c.burst),
    },
    Row {
        name: "cpu.realtimePeriod",
        why: "the time that a real-time budget is for (needs a kernel with RT_GROUP_SCHED)",
        v1: Some(Place::new("cpu", "cpu.rt_period_us", Shape::Number, plain)),
        v2: None,
        default: None,
        ask: |r| ask(r, "/cpu/realtimePeriod", |c| nonzero(c.realtime_period)),
    },
    Row {
        name: "cpu.realtimeRuntime",
        why: "real-time budget in each period; the groups above must have as much (needs RT_GROUP_SCHED)",
        v1: Some(Place::new("cpu", "cpu.rt_runtime_us", Shape::Number, plain)),
        v2: None,
        default: None,
        ask: |r| ask(r, "/cpu/realtimeRuntime", |c| nonzero(c.realtime_runtime)),
    },
    Row {
        name: "cpu.idle",
        why: "run only when nothing else wants to",
        v1: Some(Place::new("cpu", "cpu.idle", Shape::Number, plain)),
        v2: Some(Place::new("cpu", "cpu.idle", Shape::Number, plain).unit("CPUWeight", idle)),
        default: Some(0),
        ask: |r| ask(r, "/cpu/idle", |c| c.idle),
    },
];

/// Shares from 2 to 262144 as a weight from 1 to 10000, linearly: `1 + (shares - 2) * 9999 / 262142`.
///
/// This is what runc 1.1 and crun 1.8 write. It makes the default of 1024 shares a weight of 39, not the default
/// of 100; later releases of both (runc 1.3.2, crun 1.23) bend the line so that the defaults meet. The line is
/// taken here because it is what the releases in stable distributions do.
fn weight_of_shares(resources: &Resources, ask: &Ask) -> Result<String, &'static str> {
    let Value::Number(shares) = ask.value else { return plain(resources, ask) };
    Ok((1 + (shares - 2) * 9999 / 262_142).to_string())
}

/// `QUOTA PERIOD`. A quota alone keeps the period that is there, 100000 µs in a new group.
fn maximum(resources: &Resources, _: &Ask) -> Result<String, &'static str> {
    let cpu = resources.cpu.as_ref();
    let quota = match cpu.and_then(|cpu| nonzero(cpu.quota)) {
        Some(quota) if quota > 0 => quota.to_string(),
        _ => "max".to_owned(),
    };
    Ok(match cpu.and_then(|cpu| nonzero(cpu.period)) {
        Some(period) => format!("{quota} {period}"),
        None => quota,
    })
}

fn weight(resources: &Resources, ask: &Ask) -> Option<UnitValue> {
    weight_of_shares(resources, ask).ok()?.parse().ok().map(UnitValue::Uint64)
}

/// A weight of 0 is `idle` (systemd 252). What ends that is a weight: that of the shares, which have a row of their
/// own, or none.
fn idle(resources: &Resources, ask: &Ask) -> Option<UnitValue> {
    let shares = resources.cpu.as_ref().and_then(|cpu| nonzero(cpu.shares));
    match (&ask.value, shares) {
        (Value::Number(1), _) => Some(UnitValue::Uint64(0)),
        (_, None) => Some(UnitValue::INFINITY),
        (_, Some(_)) => None,
    }
}

/// The period that a quota is for where nobody says: the kernel's.
const USUAL_PERIOD: u64 = 100_000;

/// A hundredth of a second, in microseconds.
const PERCENT: u128 = 10_000;

/// Processor time in each second, in microseconds.
fn quota_of_a_second(resources: &Resources, ask: &Ask) -> Option<UnitValue> {
    let Value::Number(quota) = ask.value else { return None };
    let Ok(quota) = u64::try_from(quota) else { return Some(UnitValue::INFINITY) };
    let period = resources.cpu.as_ref().and_then(|cpu| nonzero(cpu.period)).unwrap_or(USUAL_PERIOD);
    // That is what is left of `whole_percent` by the division.
    let second = u128::from(quota) * 1_000_000 / u128::from(period);
    u64::try_from(second.next_multiple_of(PERCENT)).ok().map(UnitValue::Uint64)
}

/// A quota that systemd keeps: it is written to disk in whole percent of a processor, and rounded down when systemd reads
/// that again. As in runc it is rounded up before, in the kernel's file, too, or the two would disagree.
pub(crate) fn whole_percent(cpu: &mut Cpu) {
    let period = nonzero(cpu.period).unwrap_or(USUAL_PERIOD);
    let Some(quota) = cpu.quota.and_then(|quota| u64::try_from(quota).ok()).filter(|quota| *quota > 0) else {
        return;
    };
    let second = (u128::from(quota) * 1_000_000).div_ceil(period.into());
    let rounded = second.next_multiple_of(PERCENT) * u128::from(period) / 1_000_000;
    cpu.quota = i64::try_from(rounded).ok().or(cpu.quota);
}

/// Processors or nodes as bits, the lowest in the first byte.
fn bits(_: &Resources, ask: &Ask) -> Option<UnitValue> {
    let Value::Text(list) = &ask.value else { return None };
    let list: List = list.parse().ok()?;
    let mut bytes = vec![0_u8; list.last()? as usize / 8 + 1];
    list.members().for_each(|member| bytes[member as usize / 8] |= 1 << (member % 8));
    Some(bytes.as_slice().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_rounded_up_to_whole_percent() {
        for (quota, period, rounded) in [
            (50_000, None, 50_000),
            (50_001, None, 51_000),
            (50_500, Some(100_000), 51_000),
            (1000, Some(1_000_000), 10_000),
            (2000, Some(3000), 2010),
            (-1, Some(3000), -1),
            (0, None, 0),
            (i64::MAX, Some(1000), i64::MAX),
        ] {
            let mut cpu = Cpu { quota: Some(quota), period, ..Cpu::default() };
            whole_percent(&mut cpu);
            assert_eq!(cpu.quota, Some(rounded), "{quota} of {period:?}");
        }
    }
}
