//! Annotations that are properties of the unit: `org.systemd.property.NAME`, with a value in the text form of GVariant
//! (`gvariant-text-format`), as runc reads it: `true`, `'inactive-or-failed'`, `uint64 5`, `['a.service']`, `@as []`.

use crate::Error;
use plan::unit::{Property, Value};
use std::collections::BTreeMap;

const START: &str = "org.systemd.property.";
/// How deep values may be in others.
const DEEPEST: usize = 4;

/// The properties among annotations.
pub(super) fn properties(annotations: &BTreeMap<String, String>) -> Result<Vec<Property>, Error> {
    let ours = annotations.iter().filter_map(|(key, text)| Some((key, key.strip_prefix(START)?, text)));
    ours.map(|(key, name, text)| {
        property(name, text).map_err(|problem| Error::Annotation {
            pointer: format!("/annotations/{key}"),
            value: text.clone(),
            problem,
        })
    })
    .collect()
}

fn property(name: &str, text: &str) -> Result<Property, &'static str> {
    if name.len() < 3 || !name.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err("names no property: that is a word of three letters or more");
    }
    // Over D-Bus, times are in microseconds and are called so.
    let seconds = name.strip_suffix("Sec").filter(|rest| rest.ends_with(|c: char| c.is_ascii_lowercase()));
    match seconds {
        Some(rest) => Ok(Property::new(format!("{rest}USec"), microseconds(text)?)),
        None => Ok(Property::new(name.to_owned(), value(text)?)),
    }
}

const NO_VALUE: &str = "is no value, as true, 5, uint64 5, 'text' or ['text']";

/// Seconds, which may have a fraction.
fn microseconds(text: &str) -> Result<Value, &'static str> {
    const NO_TIME: &str = "is no number of seconds";
    if let Some((whole, fraction)) = text.trim().split_once('.') {
        let digits: String = fraction.chars().chain(['0'; 6]).take(6).collect();
        let (whole, part) = (whole.parse::<u64>().ok(), digits.parse::<u64>().ok());
        let sum = whole.zip(part).and_then(|(whole, part)| whole.checked_mul(1_000_000)?.checked_add(part));
        return sum.map(Value::Uint64).ok_or(NO_TIME);
    }
    let seconds = value(text)?.number().ok_or(NO_TIME)?;
    seconds.checked_mul(1_000_000).map(Value::Uint64).ok_or(NO_TIME)
}

/// Reads a value that is the whole text.
fn value(text: &str) -> Result<Value, &'static str> {
    let mut text = Text { rest: text };
    let value = text.value(None, 0).ok_or(NO_VALUE)?;
    match text.rest.trim().is_empty() {
        true => Ok(value),
        false => Err(NO_VALUE),
    }
}

struct Text<'a> {
    rest: &'a str,
}

impl<'a> Text<'a> {
    /// A value, of the type of this signature where one is known.
    fn value(&mut self, kind: Option<&str>, depth: usize) -> Option<Value> {
        self.rest = self.rest.trim_start();
        if depth > DEEPEST {
            return None;
        }
        match self.rest.chars().next()? {
            '[' => self.array(kind, depth),
            '(' => self.structure(depth),
            '\'' | '"' => Some(Value::Text(self.quoted()?)).filter(|_| kind.is_none_or(|kind| kind == "s")),
            '@' => {
                self.rest = &self.rest[1..];
                let kind = self.word();
                self.value(Some(kind), depth)
            }
            _ => match self.word() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                word => match signature(word) {
                    Some(kind) => self.value(Some(kind), depth),
                    None => number(word, kind.unwrap_or("i")),
                },
            },
        }
    }

    fn array(&mut self, kind: Option<&str>, depth: usize) -> Option<Value> {
        let mut kind = match kind {
            Some(kind) => Some(kind.strip_prefix('a')?.to_owned()),
            None => None,
        };
        let mut elements = Vec::new();
        for element in self.list(']', depth, kind.clone().as_deref())? {
            let signature = element.signature();
            if *kind.get_or_insert_with(|| signature.clone()) != signature {
                return None;
            }
            elements.push(element);
        }
        // An empty array of nothing known has no type.
        Some(Value::Array(kind?.into(), elements))
    }

    fn structure(&mut self, depth: usize) -> Option<Value> {
        let fields = self.list(')', depth, None)?;
        (!fields.is_empty()).then_some(Value::Struct(fields))
    }

    /// What stands between brackets, with commas.
    fn list(&mut self, end: char, depth: usize, kind: Option<&str>) -> Option<Vec<Value>> {
        self.rest = &self.rest[1..];
        let mut values: Vec<Value> = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix(end) {
                self.rest = rest;
                return Some(values);
            }
            if !values.is_empty() {
                self.rest = self.rest.strip_prefix(',')?;
            }
            let first = values.first().map(Value::signature);
            let kind = kind.or(first.as_deref().filter(|_| end == ']'));
            values.push(self.value(kind, depth + 1)?);
        }
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| c.is_whitespace() || "[](),'\"".contains(c));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn quoted(&mut self) -> Option<String> {
        let mut chars = self.rest.char_indices();
        let (_, quote) = chars.next()?;
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                '\\' => text.push(match chars.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    escaped @ ('\\' | '\'' | '"') => escaped,
                    _ => return None,
                }),
                _ => text.push(c),
            }
        }
        None
    }
}

/// The type that a keyword stands for.
fn signature(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "boolean" => "b",
        "byte" => "y",
        "int16" => "n",
        "uint16" => "q",
        "int32" => "i",
        "uint32" => "u",
        "int64" => "x",
        "uint64" => "t",
        "string" => "s",
        _ => return None,
    })
}

fn number(word: &str, kind: &str) -> Option<Value> {
    let number: i128 = match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?.into(),
        None => word.parse().ok()?,
    };
    Some(match kind {
        "y" => Value::Byte(number.try_into().ok()?),
        "n" => Value::Int16(number.try_into().ok()?),
        "q" => Value::Uint16(number.try_into().ok()?),
        "i" => Value::Int32(number.try_into().ok()?),
        "u" => Value::Uint32(number.try_into().ok()?),
        "x" => Value::Int64(number.try_into().ok()?),
        "t" => Value::Uint64(number.try_into().ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_become_properties() {
        for (name, text, expected) in [
            ("CollectMode", "'inactive-or-failed'", Ok("CollectMode s inactive-or-failed")),
            ("CollectMode", "\"it's\"", Ok("CollectMode s 'it'\\''s'")),
            ("DefaultDependencies", "true", Ok("DefaultDependencies b true")),
            ("MemoryHigh", "uint64 5", Ok("MemoryHigh t 5")),
            ("CPUWeight", "@t 0x10", Ok("CPUWeight t 16")),
            ("Number", " -5 ", Ok("Number i -5")),
            ("After", "['a.service', 'b.service']", Ok("After as 2 a.service b.service")),
            ("After", "@as []", Ok("After as 0")),
            ("Pids", "[uint32 1, 2]", Ok("Pids au 2 1 2")),
            ("DeviceAllow", "[('/dev/x', 'rw')]", Ok("DeviceAllow a(ss) 1 /dev/x rw")),
            ("TimeoutStopUSec", "uint64 7", Ok("TimeoutStopUSec t 7")),
            ("TimeoutStopSec", "7", Ok("TimeoutStopUSec t 7000000")),
            ("TimeoutStopSec", "uint16 7", Ok("TimeoutStopUSec t 7000000")),
            ("TimeoutStopSec", "1.25", Ok("TimeoutStopUSec t 1250000")),
            ("TimeoutStopSec", "-1", Err("is no number of seconds")),
            ("TimeoutStopSec", "1.x", Err("is no number of seconds")),
            ("X", "true", Err("names no property: that is a word of three letters or more")),
            ("A_B", "true", Err("names no property: that is a word of three letters or more")),
            ("After", "[]", Err(NO_VALUE)),
            ("After", "['a', 5]", Err(NO_VALUE)),
            ("After", "['a'", Err(NO_VALUE)),
            ("After", "'a", Err(NO_VALUE)),
            ("After", "a", Err(NO_VALUE)),
            ("After", "", Err(NO_VALUE)),
            ("After", "()", Err(NO_VALUE)),
            ("After", "5 5", Err(NO_VALUE)),
            ("After", "byte 256", Err(NO_VALUE)),
            ("After", "uint32 true 5", Err(NO_VALUE)),
            ("After", "[[[[[[['a']]]]]]]", Err(NO_VALUE)),
        ] {
            let read = property(name, text).map(|property| property.to_string());
            assert_eq!(read.as_deref().map_err(|problem| *problem), expected, "{name} {text}");
        }
    }
}
