//! What the kernel writes in the files of a group, as values. The formats are those of `admin-guide/cgroup-v2.rst`
//! ("Format") and of `admin-guide/cgroup-v1/*.rst`.
//!
//! The kernel adds lines and words to these files with every version. So what is not understood is passed over, and
//! nothing here fails.

use crate::live::DeviceStatistics;

/// Flat keyed: a name and a number in each line, as in `memory.stat`, `cpu.stat` and `memory.events`.
pub fn pairs(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| {
        let (name, number) = line.split_once(' ')?;
        Some((name, number.trim().parse().ok()?))
    })
}

/// The number of this name in a flat keyed text; 0 where there is none.
#[must_use]
pub fn field(text: &str, name: &str) -> u64 {
    pairs(text).find(|(known, _)| *known == name).map_or(0, |(_, number)| number)
}

/// Nested keyed: what each line is about, and its words `NAME=VALUE`, as in `io.stat` and `cpu.pressure`.
pub fn nested(text: &str) -> impl Iterator<Item = (&str, impl Iterator<Item = (&str, &str)>)> {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.filter_map(|word| word.split_once('='))))
    })
}

/// One number, or `max`, which is the highest there is.
#[must_use]
pub fn number(text: &str) -> Option<u64> {
    match text.trim() {
        "max" => Some(u64::MAX),
        text => text.parse().ok(),
    }
}

/// A limit; no limit is `max`, and in v1's memory controller a number of whole pages that no machine has.
#[must_use]
pub fn limit(text: &str) -> Option<Option<u64>> {
    const NO_LIMIT: u64 = i64::MAX as u64 - (1 << 16);
    number(text).map(|limit| Some(limit).filter(|limit| *limit < NO_LIMIT))
}

/// A pid in each line; 0 is one that the reader's pid namespace cannot see.
pub fn processes(text: &str) -> impl Iterator<Item = i32> {
    text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid > 0)
}

/// `blkio.throttle.io_service_bytes_recursive` and `blkio.throttle.io_serviced_recursive`: lines `8:0 Read 4096`.
#[must_use]
pub fn devices_v1(bytes: &str, operations: &str) -> Vec<DeviceStatistics> {
    let mut devices = Vec::new();
    for (text, is_bytes) in [(bytes, true), (operations, false)] {
        for line in text.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let [device, what, number] = words[..] else { continue };
            let (Some(numbers), Ok(number)) = (device_number(device), number.parse()) else { continue };
            let device = entry(&mut devices, numbers);
            match (what, is_bytes) {
                ("Read", true) => device.read_bytes = number,
                ("Write", true) => device.written_bytes = number,
                ("Read", false) => device.reads = number,
                ("Write", false) => device.writes = number,
                _ => {}
            }
        }
    }
    devices
}

/// `io.stat`: lines `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
#[must_use]
pub fn devices_v2(text: &str) -> Vec<DeviceStatistics> {
    let mut devices = Vec::new();
    for (device, words) in nested(text) {
        let Some(numbers) = device_number(device) else { continue };
        let device = entry(&mut devices, numbers);
        for (name, number) in words {
            let Ok(number) = number.parse() else { continue };
            match name {
                "rbytes" => device.read_bytes = number,
                "wbytes" => device.written_bytes = number,
                "rios" => device.reads = number,
                "wios" => device.writes = number,
                _ => {}
            }
        }
    }
    devices
}

fn entry(devices: &mut Vec<DeviceStatistics>, (major, minor): (u32, u32)) -> &mut DeviceStatistics {
    let at = devices.iter().position(|device| (device.major, device.minor) == (major, minor));
    let at = at.unwrap_or_else(|| {
        devices.push(DeviceStatistics { major, minor, ..DeviceStatistics::default() });
        devices.len() - 1
    });
    &mut devices[at]
}

fn device_number(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_of_both_versions_read_alike() {
        let expect =
            DeviceStatistics { major: 8, minor: 0, read_bytes: 10, written_bytes: 20, reads: 1, writes: 2 };
        let bytes = "8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:0 Total 30\nTotal 30\n";
        assert_eq!(devices_v1(bytes, "8:0 Read 1\n8:0 Write 2\nTotal 3\n"), [expect]);
        assert_eq!(devices_v2("8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n"), [expect]);
        assert_eq!(devices_v2(""), []);
        assert_eq!(devices_v1("Total 0\n", ""), []);
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "oom 1\noom_kill 2\noom_group_kill 3\n";
        for (name, expect) in [("oom", 1), ("oom_kill", 2), ("oom_group_kill", 3), ("max", 0)] {
            assert_eq!(field(text, name), expect, "{name}");
        }
    }

    #[test]
    fn limits_of_both_versions() {
        for (text, expect) in [
            ("max\n", Some(None)),
            ("4096\n", Some(Some(4096))),
            ("9223372036854771712\n", Some(None)),
            ("18446744073709551615", Some(None)),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(limit(text), expect, "{text:?}");
        }
    }

    #[test]
    fn pressure_is_nested() {
        let lines = nested("some avg10=0.00 total=12\nfull avg10=1.50 x total=0\n\n");
        let lines: Vec<_> = lines.map(|(kind, words)| (kind, words.collect::<Vec<_>>())).collect();
        let some = ("some", vec![("avg10", "0.00"), ("total", "12")]);
        assert_eq!(lines, [some, ("full", vec![("avg10", "1.50"), ("total", "0")])]);
    }

    #[test]
    fn processes_of_elsewhere_are_passed_over() {
        assert_eq!(processes("12\n0\n7\n-3\nx\n").collect::<Vec<_>>(), [12, 7]);
    }
}
