//! Files of control groups: whatever a text is, what is read of it is written and read the same again, and is no larger.

#![no_main]

use std::fmt::Write;

use cgroup::live::DeviceStatistics;
use cgroup::table::Shape;
use cgroup::{List, device, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = String::from_utf8_lossy(bytes);
    let read = read.as_ref();
    flat(read);
    nested(read);
    numbers(read);
    block_devices(read);
    device_rules(read);
    if let Some((written, read)) = read.split_once('\n') {
        compare(written, read);
    }
});

/// As a file would be: a line for each.
fn lines<T>(values: &[T], mut line: impl FnMut(&mut String, &T) -> std::fmt::Result) -> String {
    let mut text = String::new();
    values.iter().for_each(|value| line(&mut text, value).expect("a String takes all"));
    text
}

fn flat(read: &str) {
    let pairs: Vec<_> = text::pairs(read).collect();
    let written = lines(&pairs, |text, (name, number)| writeln!(text, "{name} {number}"));
    assert_eq!(text::pairs(&written).collect::<Vec<_>>(), pairs);
    for (name, number) in &pairs {
        let first = pairs.iter().find(|(other, _)| other == name);
        assert_eq!(Some(text::field(read, name)), first.map(|(_, number)| *number));
        assert!(*number == 0 || text::field(&written, name) > 0 || first.is_some_and(|first| first.1 == 0));
    }
}

fn nested(read: &str) {
    let of = |text: &str| -> Vec<(String, Vec<(String, String)>)> {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        text::nested(text).map(|(key, words)| (key.to_owned(), words.map(own).collect())).collect()
    };
    let all = of(read);
    let written = lines(&all, |text, (key, words)| {
        write!(text, "{key}")?;
        words.iter().try_for_each(|(name, value)| write!(text, " {name}={value}"))?;
        writeln!(text)
    });
    assert_eq!(of(&written), all);
}

fn numbers(read: &str) {
    if let Some(number) = text::number(read) {
        assert_eq!(text::number(&number.to_string()), Some(number));
        assert!(text::limit(read).is_some_and(|limit| limit.is_none_or(|limit| limit == number)));
    }
    let pids: Vec<_> = text::processes(read).collect();
    assert!(pids.iter().all(|pid| *pid > 0));
    let written = lines(&pids, |text, pid| writeln!(text, "{pid}"));
    assert_eq!(text::processes(&written).collect::<Vec<_>>(), pids);
    if let Ok(list) = read.parse::<List>() {
        let printed = list.to_string();
        assert_eq!(printed.parse(), Ok(list.clone()));
        assert!(list.last().is_none_or(|last| last <= List::HIGHEST));
        assert!(list.members().is_sorted_by(|one, next| one < next));
        assert!(Shape::List.holds(read, &printed), "{printed}");
    }
}

fn block_devices(read: &str) {
    let v2 = text::devices_v2(read);
    let written = lines(&v2, |text, device: &DeviceStatistics| {
        let DeviceStatistics { major, minor, read_bytes, written_bytes, reads, writes } = device;
        writeln!(
            text,
            "{major}:{minor} rbytes={read_bytes} wbytes={written_bytes} rios={reads} wios={writes}"
        )
    });
    assert_eq!(text::devices_v2(&written), v2);
    let (bytes, operations) = read.split_once("\n\n").unwrap_or((read, ""));
    let v1 = text::devices_v1(bytes, operations);
    let bytes = lines(&v1, |text, one| {
        let device = format!("{}:{}", one.major, one.minor);
        writeln!(text, "{device} Read {}\n{device} Write {}", one.read_bytes, one.written_bytes)
    });
    let operations = lines(&v1, |text, one| {
        let device = format!("{}:{}", one.major, one.minor);
        writeln!(text, "{device} Read {}\n{device} Write {}", one.reads, one.writes)
    });
    assert_eq!(text::devices_v1(&bytes, &operations), v1);
}

/// `devices.list`: what was allowed is taken away, line by line, and nothing else is.
fn device_rules(read: &str) {
    let change = device::v1::changes(read, &[]).expect("no rules contradict each other");
    assert!(change.lines.len() <= read.lines().count().max(1));
    for line in &change.lines {
        assert_eq!(line.file, "devices.deny");
        assert!(line.rule.as_ref().is_none_or(|rule| rule.to_string() == line.text));
    }
}

fn compare(written: &str, read: &str) {
    for shape in [Shape::Number, Shape::Bytes, Shape::List, Shape::Words, Shape::Lines, Shape::OomControl] {
        let _ = shape.holds(written, read);
    }
    assert!(Shape::Number.holds(read, read) && Shape::Words.holds(read, read));
}
