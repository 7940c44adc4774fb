//! Files of v2 that have a property of systemd, for `unified`.

use super::WITH_OOM_POLICY;
use crate::table::{Ask, bytes_of, rows};
use plan::unit::{Property, Value};
use spec::{Cpu, Resources};

/// Files that hold a number or `max`, and are no row of the table.
const NUMBERS: [(&str, &str); 3] =
    [("memory.high", "MemoryHigh"), ("memory.min", "MemoryMin"), ("io.weight", "IOWeight")];

/// The properties of a file. One that is unknown to systemd has none.
pub(crate) fn properties(file: &str, value: &str) -> Vec<Property> {
    let value = value.trim();
    match file {
        "cpu.max" => time(value).unwrap_or_default(),
        "cpuset.cpus" | "cpuset.mems" => {
            let cpu = Cpu {
                cpus: (file == "cpuset.cpus").then(|| value.to_owned()),
                mems: (file == "cpuset.mems").then(|| value.to_owned()),
                ..Cpu::default()
            };
            of_table(&Resources { cpu: Some(cpu), ..Resources::default() })
        }
        "cpu.idle" => {
            let weight = if value == "1" { Value::Uint64(0) } else { Value::INFINITY };
            vec![Property::new("CPUWeight", weight)]
        }
        _ => {
            // `io.weight` may have `default` in front; its lines for devices are no number.
            let value = if file == "io.weight" { value.trim_start_matches("default ") } else { value };
            let number = match value {
                "max" => Some(u64::MAX),
                _ if file.starts_with("memory.") => bytes_of(value),
                _ => value.parse().ok(),
            };
            let name = NUMBERS.iter().find(|(known, _)| *known == file).map(|(_, name)| *name);
            let name = name.or_else(|| NAMED_ALIKE.contains(&file).then(|| property_of(file))?);
            name.zip(number).map(|(name, number)| Property::new(name, number)).into_iter().collect()
        }
    }
}

/// Files of rows that take the number as systemd does.
const NAMED_ALIKE: [&str; 5] = ["cpu.weight", "memory.low", "memory.max", "memory.swap.max", "pids.max"];

fn property_of(file: &str) -> Option<&'static str> {
    let mut places = rows().filter_map(|row| row.v2.as_ref());
    places.find(|place| place.file == file)?.unit.as_ref().map(|property| property.name)
}

/// `QUOTA PERIOD`.
fn time(value: &str) -> Option<Vec<Property>> {
    let mut words = value.split_whitespace();
    let quota = words.next().map(|quota| if quota == "max" { Some(-1) } else { quota.parse().ok() })??;
    let period = words.next().map(|period| period.parse().ok());
    let cpu = Cpu { quota: Some(quota), period: period.flatten(), ..Cpu::default() };
    Some(of_table(&Resources { cpu: Some(cpu), ..Resources::default() }))
}

/// What the table makes of limits on v2.
fn of_table(resources: &Resources) -> Vec<Property> {
    let property = |place: &crate::table::Place, ask: &Ask| {
        let property = place.unit.as_ref()?;
        Some(Property::new(property.name, (property.value)(resources, ask)?))
    };
    rows()
        .filter_map(|row| Some((row, row.v2.as_ref()?)))
        .flat_map(|(row, place)| {
            (row.ask)(resources).into_iter().filter_map(move |ask| property(place, &ask))
        })
        .collect()
}

/// What a unit is told when it starts and never again: `memory.oom.group`.
pub(super) fn at_start(resources: &Resources, version: u32) -> Option<Property> {
    let policy = match resources.unified.get("memory.oom.group")?.trim() {
        "0" => "continue",
        "1" => "kill",
        _ => return None,
    };
    (version >= WITH_OOM_POLICY).then(|| Property::new("OOMPolicy", policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_properties() {
        for (file, value, expected) in [
            ("memory.high", "100\n", "MemoryHigh t 100"),
            ("memory.max", "max", "MemoryMax t 18446744073709551615"),
            ("memory.swap.max", "0", "MemorySwapMax t 0"),
            ("pids.max", "7", "TasksMax t 7"),
            ("cpu.weight", "50", "CPUWeight t 50"),
            ("cpu.max", "50000 100000", "CPUQuotaPeriodUSec t 100000; CPUQuotaPerSecUSec t 500000"),
            ("cpu.max", "max", "CPUQuotaPerSecUSec t 18446744073709551615"),
            ("cpu.idle", "1", "CPUWeight t 0"),
            ("cpuset.cpus", "0,9", "AllowedCPUs ay 2 1 2"),
            ("io.weight", "default 50", "IOWeight t 50"),
            ("io.weight", "8:0 50", ""),
            ("memory.oom.group", "1", ""),
            ("memory.high", "100M", "MemoryHigh t 104857600"),
            ("memory.high", "100MB", ""),
            ("pids.max", "7M", ""),
        ] {
            let texts: Vec<_> = properties(file, value).iter().map(Property::to_string).collect();
            assert_eq!(texts.join("; "), expected, "{file} {value}");
        }
    }
}
