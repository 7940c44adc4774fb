//! How the kernel prints back what was written.

use crate::List;
use std::path::Path;

/// The form of a settings file, as far as comparing a written with a read text needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One number or word. `-1` and `max` are the same.
    Number,
    /// Bytes, which the kernel rounds down to whole pages; no limit reads as `max` or as a huge number.
    Bytes,
    /// CPUs or nodes: `0,1` reads as `0-1`.
    List,
    /// Words in a row, of which the last may be left out when writing: `cpu.max`.
    Words,
    /// A line per device: written `8:0 rbps=5`, read `8:0 rbps=5 wbps=max riops=max wiops=max`. What is
    /// written without a device is the line `default`.
    Lines,
    /// `memory.oom_control` of v1: written `1`, read `oom_kill_disable 1` among other lines.
    OomControl,
}

impl Shape {
    /// Whether a file that reads as `read` holds what was `written`.
    #[must_use]
    pub fn holds(self, written: &str, read: &str) -> bool {
        let (written, read) = (written.trim(), read.trim());
        match self {
            Self::Number => unlimited(written, read) || written == read,
            Self::Bytes => unlimited(written, read) || same_pages(written, read),
            Self::List => written.parse::<List>().is_ok_and(|written| Ok(written) == read.parse()),
            Self::Words => written.split_whitespace().zip(read.split_whitespace()).all(|(w, r)| w == r),
            Self::Lines => line_holds(written, read),
            Self::OomControl => oom_kill_disable(read) == Some(written),
        }
    }

    /// What brings a file that reads as `read` back to that, after `written`.
    #[must_use]
    pub fn back(self, file: &Path, written: &str, read: &str) -> String {
        let (written, read) = (written.trim(), read.trim());
        match self {
            // To write nothing the kernel does not even hear of.
            Self::List if read.is_empty() => "\n".to_owned(),
            Self::Number | Self::Bytes | Self::List | Self::Words => read.to_owned(),
            Self::Lines => line_before(file, written, read),
            Self::OomControl => oom_kill_disable(read).unwrap_or("0").to_owned(),
        }
    }
}

fn oom_kill_disable(read: &str) -> Option<&str> {
    read.lines().find_map(|line| line.strip_prefix("oom_kill_disable "))
}

/// The line for the device, page size or interface that a line is for, as it was before that was written. One that had none
/// had no limit.
fn line_before(file: &Path, written: &str, read: &str) -> String {
    let Some((key, words)) = written.split_once(' ').filter(|(key, _)| *key != "default") else {
        let default = read.lines().find(|line| line.starts_with("default "));
        return default.unwrap_or(read).to_owned();
    };
    let is_for = |line: &&str| line.split_whitespace().next() == Some(key);
    if let Some(line) = read.lines().find(is_for) {
        return line.to_owned();
    }
    let is_weight = file.file_name().is_some_and(|name| name.to_string_lossy().contains("weight"));
    let unset = words.split_whitespace().map(|word| match word.split_once('=') {
        Some((name, _)) => format!("{name}=max"),
        None => if is_weight { "default" } else { "0" }.to_owned(),
    });
    format!("{key} {}", unset.collect::<Vec<_>>().join(" "))
}

fn no_limit(text: &str) -> bool {
    // v1 prints the largest number of whole pages: 9223372036854771712 with pages of 4 KiB.
    let largest = i128::from(i64::MAX - (1 << 16));
    text == "max" || text.parse::<i128>().is_ok_and(|number| number == -1 || number >= largest)
}

fn unlimited(written: &str, read: &str) -> bool {
    no_limit(written) && no_limit(read)
}

fn same_pages(written: &str, read: &str) -> bool {
    let page = rustix::param::page_size() as u64;
    match (bytes(written), read.parse::<u64>()) {
        (Some(written), Ok(read)) => written / page == read / page,
        _ => false,
    }
}

/// `100M` as the kernel reads it (`memparse` in `lib/cmdline.c`): powers of 1024.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let (digits, power) = match text.trim_end_matches(|c: char| c.is_ascii_alphabetic()) {
        digits if digits.len() + 1 == text.len() => {
            let unit = text[digits.len()..].to_ascii_uppercase();
            (digits, "KMGTPE".find(&unit)? + 1)
        }
        digits => (digits, 0),
    };
    if digits.len() + 1 < text.len() {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(1 << (10 * power))
}

fn line_holds(written: &str, read: &str) -> bool {
    let mut words = written.split_whitespace();
    let (key, wanted): (&str, Vec<&str>) = match written.split_once(' ') {
        Some(_) => (words.next().unwrap_or_default(), words.collect()),
        None => ("default", words.collect()),
    };
    let mut lines = read.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    match lines.find(|line| line.first() == Some(&key)) {
        Some(line) => wanted.iter().all(|word| line[1..].contains(word)),
        // No line: no limit, or the file has only the default and prints it bare.
        None => {
            let unset = wanted.iter().all(|word| *word == "0" || word.ends_with("=max") || *word == "max");
            unset || (key == "default" && wanted == [read])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_prints_back_is_recognised() {
        for (shape, written, read, holds) in [
            (Shape::Number, "100", "100\n", true),
            (Shape::Number, "100", "101\n", false),
            (Shape::Number, "-1", "max\n", true),
            (Shape::Bytes, "209715200", "209715200\n", true),
            (Shape::Bytes, "209715201", "209715200\n", true),
            (Shape::Bytes, "209715201", "4096\n", false),
            (Shape::Bytes, "-1", "9223372036854771712\n", true),
            (Shape::Bytes, "max", "max\n", true),
            (Shape::Bytes, "18446744073709551615", "max\n", true),
            (Shape::Bytes, "max", "4096\n", false),
            (Shape::Bytes, "100M", "104857600\n", true),
            (Shape::Bytes, "1g", "1073741824\n", true),
            (Shape::Bytes, "1x", "1073741824\n", false),
            (Shape::Bytes, "1MB", "1048576\n", false),
            (Shape::List, "0,1", "0-1\n", true),
            (Shape::List, "0", "0-1\n", false),
            (Shape::Words, "50000", "50000 100000\n", true),
            (Shape::Words, "50000 200000", "50000 100000\n", false),
            (Shape::Lines, "8:0 1024", "8:0 1024\n8:16 5\n", true),
            (Shape::Lines, "8:0 1024", "8:16 1024\n", false),
            (Shape::Lines, "8:0 0", "", true),
            (Shape::Lines, "8:0 rbps=5", "8:0 rbps=5 wbps=max riops=max wiops=max\n", true),
            (Shape::Lines, "8:0 rbps=max", "", true),
            (Shape::Lines, "100", "default 100\n8:0 5", true),
            (Shape::Lines, "100", "100\n", true),
            (Shape::Lines, "100", "200\n", false),
            (Shape::OomControl, "1", "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n", true),
            (Shape::OomControl, "0", "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n", false),
        ] {
            assert_eq!(shape.holds(written, read), holds, "{shape:?} {written:?} {read:?}");
        }
    }

    #[test]
    fn there_is_a_way_back() {
        for (shape, file, written, read, back) in [
            (Shape::Number, "pids.max", "5", "max\n", "max"),
            (Shape::Bytes, "memory.max", "4096", "1048576\n", "1048576"),
            (Shape::List, "cpuset.cpus", "0", "\n", "\n"),
            (Shape::List, "cpuset.cpus", "0", "0-1\n", "0-1"),
            (Shape::Words, "cpu.max", "5000", "max 100000\n", "max 100000"),
            (
                Shape::Lines,
                "io.max",
                "8:0 rbps=5",
                "8:0 rbps=7 wbps=max riops=max wiops=max\n8:1 rbps=1\n",
                "8:0 rbps=7 wbps=max riops=max wiops=max",
            ),
            (Shape::Lines, "io.max", "8:0 rbps=5", "", "8:0 rbps=max"),
            (Shape::Lines, "blkio.throttle.read_bps_device", "8:0 5", "8:10 5\n", "8:0 0"),
            (Shape::Lines, "blkio.bfq.weight_device", "8:0 5", "", "8:0 default"),
            (Shape::Lines, "io.weight", "5", "default 100\n8:0 7\n", "default 100"),
            (Shape::Lines, "blkio.bfq.weight", "5", "100\n", "100"),
            (Shape::Lines, "net_prio.ifpriomap", "lo 5", "lo 0\neth0 2\n", "lo 0"),
            (Shape::OomControl, "memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\n", "0"),
        ] {
            assert_eq!(shape.back(Path::new(file), written, read), back, "{file} {written:?} {read:?}");
        }
    }
}
