//! Every setting of a control group, as one table.
//!
//! A [`Row`] is one setting: what the OCI specification calls it, the file and the text that stand for it in
//! cgroup v1 and v2, and the systemd property that each of them has. Writing, reading back, updating and printing
//! all go through [`rows`], so that a setting cannot mean one thing in one place and another elsewhere.
//!
//! Files and texts are those of the kernel's `admin-guide/cgroup-v1/*.rst` and `admin-guide/cgroup-v2.rst`.

mod block_io;
mod cpu;
mod memory;
mod other;
mod raw;
mod shape;

pub(crate) use block_io::{io_weight_of, pairs};
pub(crate) use cpu::whole_percent;
pub(crate) use memory::BELOW_LIMIT;
pub(crate) use other::huge_page_size;
pub(crate) use raw::shape_of_file;
pub use shape::Shape;
pub(crate) use shape::bytes as bytes_of;

use crate::RESOURCES;
use spec::Resources;

/// One setting.
#[derive(Debug)]
pub struct Row {
    /// Name in the specification, with dots: `memory.limit` is `/linux/resources/memory/limit`.
    pub name: &'static str,
    /// Why somebody sets it, in one line.
    pub why: &'static str,
    /// Where cgroup v1 has it.
    pub v1: Option<Place>,
    /// Where cgroup v2 has it.
    pub v2: Option<Place>,
    /// A value that every group has anyway: asking for it where the setting does not exist is no error.
    pub default: Option<i128>,
    /// What a config asks for, with zero meaning "not asked" where runc takes it so.
    pub ask: fn(&Resources) -> Vec<Ask>,
}

/// A file that a setting is written to.
#[derive(Debug)]
pub struct Place {
    /// Controller that has the file.
    pub controller: &'static str,
    /// Name of the file; `{}` in it stands for [`Ask::key`].
    pub file: &'static str,
    /// How the text reads back.
    pub shape: Shape,
    /// The text that is written. The error says why the value cannot be had.
    pub text: fn(&Resources, &Ask) -> Result<String, &'static str>,
    /// What is written in place of this when the kernel does not have the file.
    pub fallback: Option<&'static Place>,
    /// What systemd calls it.
    pub unit: Option<UnitProperty>,
}

/// The property of a systemd unit that stands for a setting, as in systemd.resource-control(5), in its D-Bus form.
#[derive(Debug)]
pub struct UnitProperty {
    /// Its name.
    pub name: &'static str,
    /// Its value; `None`: what is asked for is no matter of systemd's.
    pub value: fn(&Resources, &Ask) -> Option<plan::unit::Value>,
}

/// One value that a config asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Where it stands, from the resources on: `/memory/limit`.
    pub pointer: String,
    /// Device `MAJOR:MINOR`, page size or interface that it is for; empty for most.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Whether it only follows from another setting: where the kernel lacks the file nothing is lost.
    pub implied: bool,
}

/// A value in the units of the specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Bytes, microseconds, shares, operations; -1 is "no limit" where the specification says so.
    Number(i128),
    /// A list or a text of the kernel's.
    Text(String),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Ask {
    fn number(pointer: &str, value: impl Into<i128>) -> Self {
        Self::keyed(pointer.to_owned(), String::new(), value)
    }

    fn keyed(pointer: String, key: String, value: impl Into<i128>) -> Self {
        Self { pointer, key, value: Value::Number(value.into()), implied: false }
    }

    fn text(pointer: &str, text: &str) -> Self {
        let value = Value::Text(text.to_owned());
        Self { pointer: pointer.to_owned(), key: String::new(), value, implied: false }
    }
}

impl Place {
    const fn new(
        controller: &'static str,
        file: &'static str,
        shape: Shape,
        text: fn(&Resources, &Ask) -> Result<String, &'static str>,
    ) -> Self {
        Self { controller, file, shape, text, fallback: None, unit: None }
    }

    const fn or(self, fallback: &'static Place) -> Self {
        Self { fallback: Some(fallback), ..self }
    }

    const fn unit(
        self,
        name: &'static str,
        value: fn(&Resources, &Ask) -> Option<plan::unit::Value>,
    ) -> Self {
        Self { unit: Some(UnitProperty { name, value }), ..self }
    }

    /// The name of the file for one value.
    #[must_use]
    pub fn file_for(&self, ask: &Ask) -> String {
        self.file.replace("{}", &ask.key)
    }
}

/// All rows, in the order in which a new group is written. The order matters where the kernel checks one
/// setting against another: a limit before the sum of it and swap, a period before its quota, a quota before its
/// burst, shares before `idle` (which locks them).
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [cpu::ROWS, memory::ROWS, block_io::ROWS, other::ROWS].into_iter().flatten()
}

/// The files of the kernel that the setting at a pointer is written to: `memory.limit_in_bytes, on v2 memory.max`.
/// `None`: it is no setting of the table.
pub(crate) fn files_at(pointer: &str) -> Option<String> {
    let place = pointer.strip_prefix(RESOURCES)?.strip_prefix('/')?;
    let is_at = |row: &&Row| {
        let rest = place.strip_prefix(row.name.replace('.', "/").as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let row = match rows().find(is_at) {
        Some(row) => row,
        None if place.starts_with("devices/") => return Some("devices.allow and devices.deny".to_owned()),
        None => return None,
    };
    Some(match (&row.v1, &row.v2) {
        (Some(v1), Some(v2)) if v1.file != v2.file => format!("{}, on v2 {}", v1.file, v2.file),
        (Some(place), _) | (None, Some(place)) => place.file.to_owned(),
        (None, None) => return None,
    })
}

/// The value as it is. For most rows the kernel writes what the specification writes.
fn plain(_: &Resources, ask: &Ask) -> Result<String, &'static str> {
    Ok(ask.value.to_string())
}

/// The value, with `max` for "no limit".
fn or_max(resources: &Resources, ask: &Ask) -> Result<String, &'static str> {
    match ask.value {
        Value::Number(number) if number < 0 => Ok("max".to_owned()),
        _ => plain(resources, ask),
    }
}

/// The number as a property; one that is negative is no limit.
fn limit(_: &Resources, ask: &Ask) -> Option<plan::unit::Value> {
    match ask.value {
        Value::Number(number) if number < 0 => Some(plan::unit::Value::INFINITY),
        Value::Number(number) => u64::try_from(number).ok().map(plan::unit::Value::Uint64),
        Value::Text(_) => None,
    }
}

/// `KEY VALUE`, as files with a line per device or interface take it.
fn keyed(resources: &Resources, ask: &Ask) -> Result<String, &'static str> {
    Ok(format!("{} {}", ask.key, plain(resources, ask)?))
}

/// A number that was given and is not zero. The Go types that most configs are written from cannot tell zero
/// from "left out", and runc takes zero as the latter.
fn nonzero<T: Copy + Default + PartialEq>(value: Option<T>) -> Option<T> {
    value.filter(|value| *value != T::default())
}

#[cfg(test)]
mod tests;
