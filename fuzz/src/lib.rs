//! What the fuzz targets share: mutations that keep a document JSON, and machines to plan for.
//!
//! Bytes that are changed at random are hardly ever JSON, and JSON at random is hardly ever a configuration. So most
//! mutations here change one value of a document, or graft one from a configuration that has every property.

#![forbid(unsafe_code)]

mod scratch;

pub use scratch::private;

use libfuzzer_sys::fuzzer_mutate;
use plan::facts::{CgroupLayout, CgroupV1, CgroupV2, HostFacts};
use serde_json::{Value, json};
use spec::CapabilitySet;

/// A configuration with every property of the specification.
const EVERYTHING: &str = include_str!("../seeds/config/everything.json");

/// Changes the document in the first `size` bytes of `data`, and returns how many it has then.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(seed | 1);
    let parsed = if random.below(4) > 0 { serde_json::from_slice(&data[..size]).ok() } else { None };
    if let Some(mut document) = parsed {
        change(&mut document, &mut random);
        let json = document.to_string();
        if json.len() <= max_size {
            data[..json.len()].copy_from_slice(json.as_bytes());
            return json.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
}

/// Changes the archive in the first `size` bytes of `data`, and returns how many it has then. Headers get the checksum that
/// they must have (POSIX.1-1988, "ustar"), or hardly any would be read.
pub fn mutate_tar(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    const BLOCK: usize = 512;
    let mut random = Random(seed | 1);
    let mut size = size;
    let blocks = size / BLOCK;
    match random.below(4) {
        // A header in another's place: a name that is there twice, as something else.
        0 if blocks > 1 => {
            let (from, to) = (random.below(blocks) * BLOCK, random.below(blocks) * BLOCK);
            data.copy_within(from..from + BLOCK, to);
        }
        // Of which kind an entry is.
        1 if blocks > 0 => {
            let header = random.below(blocks) * BLOCK;
            data[header + 156] = b"0123456789LKxgSDNV\0"[random.below(19)];
        }
        _ => size = fuzzer_mutate(data, size, max_size),
    }
    for header in data[..size].chunks_exact_mut(BLOCK).filter(|block| block[257..262] == *b"ustar") {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    size
}

/// xorshift: the fuzzer hands in what is random, so that a run can be repeated.
struct Random(u32);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % bound.max(1)
    }
}

fn change(document: &mut Value, random: &mut Random) {
    let (place, other) = (random.below(count(document)), random.below(count(document)));
    let copy = nth(document, &mut other.clone()).cloned().unwrap_or_default();
    let kind = random.below(4);
    if kind == 0 {
        return graft(document, random);
    }
    let Some(value) = nth(document, &mut place.clone()) else { return };
    match (kind, value) {
        (1, value) => *value = interesting(random),
        (2, value) => shrink(value, random),
        (_, Value::Array(list)) => list.push(copy),
        (_, value) => *value = copy,
    }
}

/// Copies a property from the configuration that has all, to the same place.
fn graft(document: &mut Value, random: &mut Random) {
    let everything: Value = serde_json::from_str(EVERYTHING).expect("a document of ours");
    let (mut from, mut to) = (&everything, document);
    while let Value::Object(properties) = from {
        let Some((name, value)) = properties.iter().nth(random.below(properties.len())) else { return };
        if !to.is_object() {
            *to = json!({});
        }
        (from, to) = (value, &mut to[name]);
        if random.below(3) == 0 {
            break;
        }
    }
    *to = from.clone();
}

/// Takes a part away.
fn shrink(value: &mut Value, random: &mut Random) {
    match value {
        Value::Object(properties) => {
            let name = properties.keys().nth(random.below(properties.len())).cloned();
            name.map(|name| properties.remove(&name));
        }
        Value::Array(list) if !list.is_empty() => drop(list.remove(random.below(list.len()))),
        Value::String(text) => _ = text.pop(),
        other => *other = Value::Null,
    }
}

fn interesting(random: &mut Random) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1),
        json!(u32::MAX),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("/"),
        json!("/../.."),
        json!("/proc/self/ns/net"),
        json!("a\0b"),
        json!("\u{10ffff}/\u{7f}"),
        json!("x".repeat(300)),
        json!("0-3,7"),
        json!("18446744073709551616"),
        json!([]),
        json!([""]),
        json!({}),
    ];
    values[random.below(values.len())].clone()
}

/// How many values a document has.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(properties) => properties.values().map(count).sum(),
        _ => 0,
    }
}

/// The n-th of them, in the order that they are read.
fn nth<'a>(value: &'a mut Value, n: &mut usize) -> Option<&'a mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|value| nth(value, n)),
        Value::Object(properties) => properties.values_mut().find_map(|value| nth(value, n)),
        _ => None,
    }
}

/// Hybrid control groups, version 2 alone, and none at all with nobody in particular.
pub fn machines() -> [HostFacts; 3] {
    let machine = |cgroups, uid| HostFacts {
        kernel: (6, 1),
        uid,
        capabilities: CapabilitySet::from_bits(if uid == 0 { 0x1ff_ffff_ffff } else { 0 }),
        last_capability: 40,
        new_mount_api: true,
        cgroups,
        ..HostFacts::default()
    };
    let v1 =
        ["cpu", "memory", "devices", "pids", "blkio", "cpuset", "freezer", "net_cls"].map(|name| CgroupV1 {
            controllers: vec![name.to_owned()],
            mount: format!("/sys/fs/cgroup/{name}").into(),
            own: "/".into(),
        });
    let v2 = |mount: &str, controllers: &[&str]| {
        let controllers = controllers.iter().map(|name| (*name).to_owned()).collect();
        Some(CgroupV2 { mount: mount.into(), controllers, own: "/a/b".into(), delegated: None })
    };
    let all = ["cpu", "cpuset", "io", "memory", "pids", "rdma"];
    [
        machine(CgroupLayout { v1: v1.into(), v2: v2("/sys/fs/cgroup/unified", &["hugetlb"]) }, 0),
        machine(CgroupLayout { v1: vec![], v2: v2("/sys/fs/cgroup", &all) }, 0),
        machine(CgroupLayout::default(), 1000),
    ]
}
