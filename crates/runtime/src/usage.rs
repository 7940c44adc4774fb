//! What a container uses, as the JSON of runc's `events`: names and units are those of runc's `types.Stats`, which other
//! programs read.

use crate::Container;
use cgroup::live::{Cgroup, DeviceStatistics, Error, Statistics};
use cgroup::{List, text};
use serde_json::{Map, Value, json};
use spec::NamespaceKind;

/// Everything that the hierarchies of a container's group count, and what went through its network.
pub(crate) fn of(container: &Container, group: &Cgroup) -> Result<Value, Error> {
    let statistics = group.statistics()?;
    Ok(json!({
        "cpu": cpu(group, &statistics)?,
        "cpuset": cpuset(group)?,
        "memory": memory(group, &statistics)?,
        "pids": pids(&statistics),
        "blkio": block_io(group, &statistics)?,
        "hugetlb": hugetlb(group)?,
        "intel_rdt": {},
        "network_interfaces": interfaces(container),
    }))
}

/// Each interface of the container's network namespace, with the names of runc's `NetworkInterface`. A container in the
/// network of the machine has none of its own.
fn interfaces(container: &Container) -> Value {
    let own = container.record.namespaces.contains(&NamespaceKind::Network);
    let Some(pid) = container.pid().filter(|_| own) else { return Value::Null };
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
    text.lines().filter_map(interface).collect::<Vec<_>>().into()
}

/// A line of `/proc/net/dev` (proc_net(5)): eight numbers of what came in, eight of what went out.
fn interface(line: &str) -> Option<Value> {
    let (name, numbers) = line.split_once(':')?;
    let numbers: Vec<u64> = numbers.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [
        rx_bytes,
        rx_packets,
        rx_errors,
        rx_dropped,
        _,
        _,
        _,
        _,
        tx_bytes,
        tx_packets,
        tx_errors,
        tx_dropped,
        ..,
    ] = numbers[..]
    else {
        return None;
    };
    Some(json!({
        "Name": name.trim(),
        "RxBytes": rx_bytes, "RxPackets": rx_packets, "RxErrors": rx_errors, "RxDropped": rx_dropped,
        "TxBytes": tx_bytes, "TxPackets": tx_packets, "TxErrors": tx_errors, "TxDropped": tx_dropped,
    }))
}

/// Nanoseconds.
fn cpu(group: &Cgroup, statistics: &Statistics) -> Result<Value, Error> {
    let cpu = statistics.cpu.unwrap_or_default();
    let mut usage = json!({ "total": cpu.usage_ns, "kernel": cpu.system_ns, "user": cpu.user_ns });
    if let Some(text) = group.text("cpuacct.usage_percpu")? {
        usage["percpu"] = numbers(text.split_whitespace());
    }
    // The first line names the columns: cpu user system.
    if let Some(text) = group.text("cpuacct.usage_all")? {
        let column = |index| numbers(text.lines().skip(1).filter_map(|line| line.split(' ').nth(index)));
        (usage["percpu_user"], usage["percpu_kernel"]) = (column(1), column(2));
    }
    let mut value = json!({
        "usage": usage,
        "throttling": {
            "periods": cpu.periods,
            "throttledPeriods": cpu.throttled_periods,
            "throttledTime": cpu.throttled_ns,
        },
    });
    pressure(group, "cpu.pressure", &mut value)?;
    Ok(value)
}

fn cpuset(group: &Cgroup) -> Result<Value, Error> {
    let mut value = Map::new();
    for (name, files) in [
        ("cpus", ["cpuset.cpus", "cpuset.cpus.effective"]),
        ("mems", ["cpuset.mems", "cpuset.mems.effective"]),
    ] {
        let mut texts = files.iter().filter_map(|file| group.text(file).transpose());
        let text = texts.find(|text| text.as_ref().is_ok_and(|text| !text.trim().is_empty()));
        if let Some(text) = text.transpose()? {
            value.insert(name.to_owned(), list(&text));
        }
    }
    for (name, file) in [
        ("cpu_exclusive", "cpuset.cpu_exclusive"),
        ("mem_hardwall", "cpuset.mem_hardwall"),
        ("mem_exclusive", "cpuset.mem_exclusive"),
        ("memory_migrate", "cpuset.memory_migrate"),
        ("memory_spread_page", "cpuset.memory_spread_page"),
        ("memory_spread_slab", "cpuset.memory_spread_slab"),
        ("memory_pressure", "cpuset.memory_pressure"),
        ("sched_load_balance", "cpuset.sched_load_balance"),
        ("sched_relax_domain_level", "cpuset.sched_relax_domain_level"),
    ] {
        let number = group.text(file)?.and_then(|text| text.trim().parse::<i64>().ok());
        value.insert(name.to_owned(), number.unwrap_or_default().into());
    }
    Ok(value.into())
}

/// Bytes. As on v1, `swap` is memory and swap together. What runc does not tell: `workingSet` is the usage without page
/// cache that can be taken back at once, `oomKills` how many processes the kernel killed.
fn memory(group: &Cgroup, statistics: &Statistics) -> Result<Value, Error> {
    let Some(stat) = group.text("memory.stat")? else { return Ok(json!({})) };
    let pairs = text::pairs(&stat);
    let raw: Map<String, Value> = pairs.map(|(name, number)| (name.to_owned(), number.into())).collect();
    let cache = raw.get("cache").or(raw.get("file")).cloned().unwrap_or_default();
    let mut value = json!({ "cache": cache });
    if group.text("memory.usage_in_bytes")?.is_some() {
        let entry = |prefix: &str| -> Result<Value, Error> {
            let number = |name: &str| number(group, &format!("{prefix}.{name}"));
            Ok(json!({
                "limit": number("limit_in_bytes")?,
                "usage": number("usage_in_bytes")?,
                "max": number("max_usage_in_bytes")?,
                "failcnt": number("failcnt")?,
            }))
        };
        value["usage"] = entry("memory")?;
        value["swap"] = entry("memory.memsw")?;
        value["kernel"] = entry("memory.kmem")?;
        value["kernelTCP"] = entry("memory.kmem.tcp")?;
    } else {
        let (usage, limit) = (number(group, "memory.current")?, number(group, "memory.max")?);
        let swap_limit = number(group, "memory.swap.max")?;
        let peak = number(group, "memory.peak")?;
        value["usage"] = json!({ "limit": limit, "usage": usage, "max": peak, "failcnt": 0 });
        value["swap"] = json!({
            "limit": swap_limit.saturating_add(limit),
            "usage": number(group, "memory.swap.current")?.saturating_add(usage),
            "failcnt": 0,
        });
        let none = json!({ "limit": 0, "failcnt": 0 });
        (value["kernel"], value["kernelTCP"]) = (none.clone(), none);
    }
    value["raw"] = raw.into();
    if let Some(memory) = &statistics.memory {
        (value["workingSet"], value["oomKills"]) = (memory.working_set.into(), memory.oom_kills.into());
    }
    pressure(group, "memory.pressure", &mut value)?;
    Ok(value)
}

fn pids(statistics: &Statistics) -> Value {
    let pids = statistics.pids.unwrap_or_default();
    json!({ "current": pids.current, "limit": pids.limit.unwrap_or_default() })
}

fn block_io(group: &Cgroup, statistics: &Statistics) -> Result<Value, Error> {
    let devices = statistics.devices.as_deref().unwrap_or_default();
    let entries = |of: fn(&DeviceStatistics) -> [(&'static str, u64); 2]| {
        let entry = |device: &DeviceStatistics| {
            of(device).map(|(op, value)| {
                json!({ "major": device.major, "minor": device.minor, "op": op, "value": value })
            })
        };
        Value::from(devices.iter().flat_map(entry).collect::<Vec<_>>())
    };
    let mut value = json!({});
    if !devices.is_empty() {
        value["ioServiceBytesRecursive"] =
            entries(|device| [("Read", device.read_bytes), ("Write", device.written_bytes)]);
        value["ioServicedRecursive"] = entries(|device| [("Read", device.reads), ("Write", device.writes)]);
    }
    pressure(group, "io.pressure", &mut value)?;
    Ok(value)
}

/// By page size, as `2MB`.
fn hugetlb(group: &Cgroup) -> Result<Value, Error> {
    let sizes = std::fs::read_dir("/sys/kernel/mm/hugepages").into_iter().flatten().flatten();
    let mut value = Map::new();
    for entry in sizes {
        let name = entry.file_name();
        let Some(size) = name.to_str().and_then(page_size) else { continue };
        let file = |name: &str| format!("hugetlb.{size}.{name}");
        if group.text(&file("usage_in_bytes"))?.is_some() {
            let [usage, max, failures] = ["usage_in_bytes", "max_usage_in_bytes", "failcnt"].map(file);
            let (usage, max) = (number(group, &usage)?, number(group, &max)?);
            value.insert(size, json!({ "usage": usage, "max": max, "failcnt": number(group, &failures)? }));
        } else if let Some(events) = group.text(&file("events"))? {
            let usage = number(group, &file("current"))?;
            value.insert(size, json!({ "usage": usage, "failcnt": text::field(&events, "max") }));
        }
    }
    Ok(value.into())
}

/// `hugepages-2048kB` in the words of the controller: `2MB`.
fn page_size(directory: &str) -> Option<String> {
    let kib: u64 = directory.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
    Some(match kib {
        0..1024 => format!("{kib}KB"),
        1024..1_048_576 => format!("{}MB", kib >> 10),
        _ => format!("{}GB", kib >> 20),
    })
}

/// How long processes waited (PSI, `accounting/psi.rst`), where the kernel tells.
fn pressure(group: &Cgroup, file: &str, value: &mut Value) -> Result<(), Error> {
    // Where it is switched off the file is there and cannot be read.
    let Some(text) = group.text(file).ok().flatten() else { return Ok(()) };
    let number =
        |(name, text): (&str, &str)| Some((name.to_owned(), serde_json::from_str::<Value>(text).ok()?));
    let lines =
        text::nested(&text).map(|(kind, words)| (kind.to_owned(), words.filter_map(number).collect()));
    value["psi"] = Value::Object(lines.collect());
    Ok(())
}

/// The number in a file; `max` is the highest there is, as in runc, and a file that is not there 0.
fn number(group: &Cgroup, file: &str) -> Result<u64, Error> {
    Ok(group.text(file)?.and_then(|text| text::number(&text)).unwrap_or_default())
}

fn numbers<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    words.filter_map(|word| word.parse::<u64>().ok()).collect::<Vec<_>>().into()
}

/// `0-2,5` as `[0,1,2,5]`.
fn list(text: &str) -> Value {
    text.parse::<List>().unwrap_or_default().members().collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_kernel_become_json() {
        assert_eq!(list("0-2,5\n"), json!([0, 1, 2, 5]));
        assert_eq!(list("\n"), json!([]));
        for (directory, size) in
            [("hugepages-64kB", "64KB"), ("hugepages-2048kB", "2MB"), ("hugepages-1048576kB", "1GB")]
        {
            assert_eq!(page_size(directory).as_deref(), Some(size));
        }
        let line = "  eth0: 10 2 3 4 5 6 7 8 90 1 11 12 0 0 0 0";
        let expect = json!({
            "Name": "eth0", "RxBytes": 10, "RxPackets": 2, "RxErrors": 3, "RxDropped": 4,
            "TxBytes": 90, "TxPackets": 1, "TxErrors": 11, "TxDropped": 12,
        });
        assert_eq!(interface(line), Some(expect));
        assert_eq!(interface(" face |bytes    packets errs drop fifo"), None);
    }
}
