//! Processor time and placement.

use super::{Ask, Place, Row, Shape, Value, nonzero, plain};
use spec::{Cpu, Resources};

fn ask<T: Into<i128>>(resources: &Resources, pointer: &str, field: fn(&Cpu) -> Option<T>) -> Vec<Ask> {
    let value = resources.cpu.as_ref().and_then(field);
    value.map(|value| Ask::number(pointer, value)).into_iter().collect()
}

fn ask_list(resources: &Resources, pointer: &str, field: fn(&Cpu) -> Option<&String>) -> Vec<Ask> {
    let list = resources.cpu.as_ref().and_then(field).filter(|list| !list.trim().is_empty());
    list.map(|list| Ask::text(pointer, list.trim())).into_iter().collect()
}

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "cpu.cpus",
        why: "the processors that may be run on",
        v1: Some(Place::new("cpuset", "cpuset.cpus", Shape::List, plain)),
        v2: Some(Place::new("cpuset", "cpuset.cpus", Shape::List, plain)),
        systemd: Some("AllowedCPUs"),
        default: None,
        ask: |r| ask_list(r, "/cpu/cpus", |c| c.cpus.as_ref()),
    },
    Row {
        name: "cpu.mems",
        why: "the memory nodes that may be allocated from",
        v1: Some(Place::new("cpuset", "cpuset.mems", Shape::List, plain)),
        v2: Some(Place::new("cpuset", "cpuset.mems", Shape::List, plain)),
        systemd: Some("AllowedMemoryNodes"),
        default: None,
        ask: |r| ask_list(r, "/cpu/mems", |c| c.mems.as_ref()),
    },
    Row {
        name: "cpu.shares",
        why: "share of processor time when others want it too",
        v1: Some(Place::new("cpu", "cpu.shares", Shape::Number, plain)),
        v2: Some(Place::new("cpu", "cpu.weight", Shape::Number, weight_of_shares)),
        systemd: Some("CPUWeight"),
        default: None,
        // An idle group has the least share there is, and the kernel refuses it another.
        ask: |r| ask(r, "/cpu/shares", |c| nonzero(c.shares).filter(|_| c.idle != Some(1))),
    },
    Row {
        name: "cpu.period",
        why: "the time that a quota is for",
        v1: Some(Place::new("cpu", "cpu.cfs_period_us", Shape::Number, plain)),
        v2: Some(Place::new("cpu", "cpu.max", Shape::Words, maximum)),
        systemd: Some("CPUQuotaPeriodUSec"),
        default: None,
        ask: |r| ask(r, "/cpu/period", |c| nonzero(c.period)),
    },
    Row {
        name: "cpu.quota",
        why: "processor time in each period, after which the group waits for the next",
        v1: Some(Place::new("cpu", "cpu.cfs_quota_us", Shape::Number, plain)),
        v2: Some(Place::new("cpu", "cpu.max", Shape::Words, maximum)),
        systemd: Some("CPUQuotaPerSecUSec"),
        default: Some(-1),
        ask: |r| ask(r, "/cpu/quota", |c| nonzero(c.quota)),
    },
    Row {
        name: "cpu.burst",
        why: "unused quota that may be saved up",
        v1: Some(Place::new("cpu", "cpu.cfs_burst_us", Shape::Number, plain)),
        v2: Some(Place::new("cpu", "cpu.max.burst", Shape::Number, plain)),
        systemd: None,
        default: Some(0),
        ask: |r| ask(r, "/cpu/burst", |c| c.burst),
    },
    Row {
        name: "cpu.realtimePeriod",
        why: "the time that a real-time budget is for (needs a kernel with RT_GROUP_SCHED)",
        v1: Some(Place::new("cpu", "cpu.rt_period_us", Shape::Number, plain)),
        v2: None,
        systemd: None,
        default: None,
        ask: |r| ask(r, "/cpu/realtimePeriod", |c| nonzero(c.realtime_period)),
    },
    Row {
        name: "cpu.realtimeRuntime",
        why: "real-time budget in each period; the groups above must have as much (needs RT_GROUP_SCHED)",
        v1: Some(Place::new("cpu", "cpu.rt_runtime_us", Shape::Number, plain)),
        v2: None,
        systemd: None,
        default: None,
        ask: |r| ask(r, "/cpu/realtimeRuntime", |c| nonzero(c.realtime_runtime)),
    },
    Row {
        name: "cpu.idle",
        why: "run only when nothing else wants to",
        v1: Some(Place::new("cpu", "cpu.idle", Shape::Number, plain)),
        v2: Some(Place::new("cpu", "cpu.idle", Shape::Number, plain)),
        systemd: None,
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
