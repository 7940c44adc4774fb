//! Block devices.

use super::{Ask, Place, Row, Shape, Value, keyed, limit, nonzero, plain};
use plan::unit::{Property, Value as UnitValue};
use spec::{BlockIo, Resources, ThrottleDevice};

/// The files of the BFQ scheduler exist when it is built in or loaded; `io.weight` is that of the io.cost model.
/// A kernel may have either, both or none.
static IO_WEIGHT: Place = Place::new("io", "io.weight", Shape::Lines, io_weight);
static IO_WEIGHT_DEVICE: Place = Place::new("io", "io.weight", Shape::Lines, io_weight_device);

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "blockIO.weight",
        why: "share of a disk when others want it too (needs the BFQ scheduler or io.cost)",
        v1: Some(Place::new("blkio", "blkio.bfq.weight", Shape::Lines, plain).unit("BlockIOWeight", limit)),
        v2: Some(
            Place::new("io", "io.bfq.weight", Shape::Lines, plain).or(&IO_WEIGHT).unit("IOWeight", weight),
        ),
        default: None,
        ask: |r| {
            let weight = r.block_io.as_ref().and_then(|io| nonzero(io.weight));
            weight.map(|weight| Ask::number("/blockIO/weight", weight)).into_iter().collect()
        },
    },
    Row {
        name: "blockIO.weightDevice",
        why: "share of this disk when others want it too (needs the BFQ scheduler or io.cost)",
        v1: Some(
            Place::new("blkio", "blkio.bfq.weight_device", Shape::Lines, keyed)
                .unit("BlockIODeviceWeight", of_device),
        ),
        v2: Some(
            Place::new("io", "io.bfq.weight", Shape::Lines, keyed)
                .or(&IO_WEIGHT_DEVICE)
                .unit("IODeviceWeight", weight_of_device),
        ),
        default: None,
        ask: ask_weights,
    },
    Row {
        name: "blockIO.throttleReadBpsDevice",
        why: "bytes read from this disk each second",
        v1: Some(
            Place::new("blkio", "blkio.throttle.read_bps_device", Shape::Lines, keyed)
                .unit("BlockIOReadBandwidth", rate_of_device),
        ),
        v2: Some(
            Place::new("io", "io.max", Shape::Lines, |_, ask| rate("rbps", ask))
                .unit("IOReadBandwidthMax", rate_of_device),
        ),
        default: None,
        ask: |r| ask_rates(r, "throttleReadBpsDevice", |io| &io.throttle_read_bps_device),
    },
    Row {
        name: "blockIO.throttleWriteBpsDevice",
        why: "bytes written to this disk each second",
        v1: Some(
            Place::new("blkio", "blkio.throttle.write_bps_device", Shape::Lines, keyed)
                .unit("BlockIOWriteBandwidth", rate_of_device),
        ),
        v2: Some(
            Place::new("io", "io.max", Shape::Lines, |_, ask| rate("wbps", ask))
                .unit("IOWriteBandwidthMax", rate_of_device),
        ),
        default: None,
        ask: |r| ask_rates(r, "throttleWriteBpsDevice", |io| &io.throttle_write_bps_device),
    },
    Row {
        name: "blockIO.throttleReadIOPSDevice",
        why: "reads from this disk each second",
        v1: Some(Place::new("blkio", "blkio.throttle.read_iops_device", Shape::Lines, keyed)),
        v2: Some(
            Place::new("io", "io.max", Shape::Lines, |_, ask| rate("riops", ask))
                .unit("IOReadIOPSMax", rate_of_device),
        ),
        default: None,
        ask: |r| ask_rates(r, "throttleReadIOPSDevice", |io| &io.throttle_read_iops_device),
    },
    Row {
        name: "blockIO.throttleWriteIOPSDevice",
        why: "writes to this disk each second",
        v1: Some(Place::new("blkio", "blkio.throttle.write_iops_device", Shape::Lines, keyed)),
        v2: Some(
            Place::new("io", "io.max", Shape::Lines, |_, ask| rate("wiops", ask))
                .unit("IOWriteIOPSMax", rate_of_device),
        ),
        default: None,
        ask: |r| ask_rates(r, "throttleWriteIOPSDevice", |io| &io.throttle_write_iops_device),
    },
];

fn ask_weights(resources: &Resources) -> Vec<Ask> {
    let devices = resources.block_io.iter().flat_map(|io| &io.weight_device).enumerate();
    devices
        .filter_map(|(index, device)| {
            let pointer = format!("/blockIO/weightDevice/{index}/weight");
            let key = format!("{}:{}", device.major, device.minor);
            Some(Ask::keyed(pointer, key, nonzero(device.weight)?))
        })
        .collect()
}

fn ask_rates(resources: &Resources, name: &str, field: fn(&BlockIo) -> &Vec<ThrottleDevice>) -> Vec<Ask> {
    let devices = resources.block_io.iter().flat_map(field).enumerate();
    devices
        .map(|(index, device)| {
            let key = format!("{}:{}", device.major, device.minor);
            Ask::keyed(format!("/blockIO/{name}/{index}"), key, device.rate)
        })
        .collect()
}

/// A weight from 10 to 1000 as one from 1 to 10000, linearly: `1 + (weight - 10) * 9999 / 990` (runc and crun).
fn io_weight(resources: &Resources, ask: &Ask) -> Result<String, &'static str> {
    let Value::Number(weight) = ask.value else { return plain(resources, ask) };
    Ok((1 + (weight - 10) * 9999 / 990).to_string())
}

fn io_weight_device(resources: &Resources, ask: &Ask) -> Result<String, &'static str> {
    Ok(format!("{} {}", ask.key, io_weight(resources, ask)?))
}

/// `MAJOR:MINOR rbps=N`. The specification has v1's zero for "no limit", which v2 calls `max`.
fn rate(word: &str, ask: &Ask) -> Result<String, &'static str> {
    Ok(match &ask.value {
        Value::Number(0) => format!("{} {word}=max", ask.key),
        Value::Number(rate) => format!("{} {word}={rate}", ask.key),
        Value::Text(text) => format!("{} {word}={text}", ask.key),
    })
}

/// The weight of which systemd makes this `io.bfq.weight`: it takes the usual 100 for 100, and the rest in proportion
/// (`BFQ_WEIGHT` of its `cgroup-util.h`).
fn unit_weight(weight: u64) -> u64 {
    if weight <= 100 { weight } else { 100 + (weight - 100) * 11 }
}

fn weight(resources: &Resources, ask: &Ask) -> Option<UnitValue> {
    Some(UnitValue::Uint64(unit_weight(limit(resources, ask)?.number()?)))
}

fn weight_of_device(resources: &Resources, ask: &Ask) -> Option<UnitValue> {
    for_device(ask, weight(resources, ask)?)
}

fn of_device(resources: &Resources, ask: &Ask) -> Option<UnitValue> {
    for_device(ask, limit(resources, ask)?)
}

/// The specification has v1's zero for "no limit".
fn rate_of_device(resources: &Resources, ask: &Ask) -> Option<UnitValue> {
    match limit(resources, ask)? {
        UnitValue::Uint64(0) => for_device(ask, UnitValue::INFINITY),
        rate => for_device(ask, rate),
    }
}

/// What a property of ours makes systemd write to `io.weight`.
pub(crate) fn io_weight_of(property: &Property) -> Option<String> {
    match (&*property.name, &property.value) {
        ("IOWeight", weight) => Some(weight.to_string()),
        ("IODeviceWeight", UnitValue::Array(_, one)) => {
            // `/dev/block/8:0 100`
            one.first()?.to_string().strip_prefix(BY_NUMBER).map(str::to_owned)
        }
        _ => None,
    }
}

/// `a(ss)`
pub(crate) fn pairs(pairs: Vec<(String, String)>) -> UnitValue {
    let pair = |(first, second)| UnitValue::Struct(vec![UnitValue::Text(first), UnitValue::Text(second)]);
    UnitValue::Array("(ss)".into(), pairs.into_iter().map(pair).collect())
}

/// A device by its numbers.
const BY_NUMBER: &str = "/dev/block/";

/// `a(st)` with one element: systemd knows a device by the numbers in such a path, which need not exist.
fn for_device(ask: &Ask, value: UnitValue) -> Option<UnitValue> {
    let device = UnitValue::Text(format!("{BY_NUMBER}{}", ask.key));
    Some(UnitValue::Array("(st)".into(), vec![UnitValue::Struct(vec![device, value])]))
}
