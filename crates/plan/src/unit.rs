//! Units of systemd: what a manager is told about a container's group.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

/// A manager of systemd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// That of the machine.
    #[default]
    System,
    /// That of the user who runs cuddy.
    User,
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "systemd",
            Self::User => "the user's systemd",
        })
    }
}

/// The unit of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name, `cuddy-web.scope`.
    pub name: String,
    /// Whose it is.
    pub manager: Manager,
    /// Its group, from the root of each hierarchy.
    pub group: PathBuf,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unit {}", self.name)
    }
}

/// A property of a unit, in its D-Bus form (org.freedesktop.systemd1(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: Value,
}

impl Property {
    /// A property.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl fmt::Display for Property {
    /// As busctl(1) takes it: name, signature, value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.name, self.value.signature(), self.value)
    }
}

impl Serialize for Property {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut property = serializer.serialize_struct("Property", 3)?;
        property.serialize_field("name", &self.name)?;
        property.serialize_field("signature", &self.value.signature())?;
        property.serialize_field("value", &self.value)?;
        property.end()
    }
}

/// A value of D-Bus, of those types that properties of units have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are the types of the D-Bus specification")]
pub enum Value {
    Byte(u8),
    Bool(bool),
    Int16(i16),
    Uint16(u16),
    Int32(i32),
    Uint32(u32),
    Int64(i64),
    Uint64(u64),
    Text(String),
    /// The signature of its elements, and them.
    Array(Cow<'static, str>, Vec<Value>),
    Struct(Vec<Value>),
}

impl Value {
    /// No limit, in properties that limit something.
    pub const INFINITY: Self = Self::Uint64(u64::MAX);

    /// Its type (D-Bus specification, "Type system").
    #[must_use]
    pub fn signature(&self) -> String {
        let basic = match self {
            Self::Byte(_) => "y",
            Self::Bool(_) => "b",
            Self::Int16(_) => "n",
            Self::Uint16(_) => "q",
            Self::Int32(_) => "i",
            Self::Uint32(_) => "u",
            Self::Int64(_) => "x",
            Self::Uint64(_) => "t",
            Self::Text(_) => "s",
            Self::Array(element, _) => return format!("a{element}"),
            Self::Struct(fields) => {
                return format!("({})", fields.iter().map(Self::signature).collect::<String>());
            }
        };
        basic.to_owned()
    }

    /// The number, of one that is not negative.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match *self {
            Self::Byte(number) => Some(number.into()),
            Self::Uint16(number) => Some(number.into()),
            Self::Uint32(number) => Some(number.into()),
            Self::Uint64(number) => Some(number),
            Self::Int16(number) => number.try_into().ok(),
            Self::Int32(number) => number.try_into().ok(),
            Self::Int64(number) => number.try_into().ok(),
            Self::Bool(_) | Self::Text(_) | Self::Array(..) | Self::Struct(_) => None,
        }
    }
}

impl fmt::Display for Value {
    /// As busctl(1) takes it: before the elements of an array stands how many they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Int16(number) => number.fmt(f),
            Self::Uint16(number) => number.fmt(f),
            Self::Int32(number) => number.fmt(f),
            Self::Uint32(number) => number.fmt(f),
            Self::Int64(number) => number.fmt(f),
            Self::Uint64(number) => number.fmt(f),
            Self::Text(text) if text.is_empty() || text.contains(|c: char| !is_plain(c)) => {
                write!(f, "'{}'", text.replace('\'', "'\\''"))
            }
            Self::Text(text) => f.write_str(text),
            Self::Array(_, elements) => {
                write!(f, "{}", elements.len())?;
                elements.iter().try_for_each(|element| write!(f, " {element}"))
            }
            Self::Struct(fields) => {
                let fields: Vec<_> = fields.iter().map(Self::to_string).collect();
                f.write_str(&fields.join(" "))
            }
        }
    }
}

/// Whether a shell takes a character as it is.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./:@+,=".contains(c)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(_, values) | Self::Struct(values) => serializer.collect_seq(values),
            Self::Int16(number) => serializer.serialize_i64((*number).into()),
            Self::Int32(number) => serializer.serialize_i64((*number).into()),
            Self::Int64(number) => serializer.serialize_i64(*number),
            unsigned => serializer.serialize_u64(unsigned.number().unwrap_or_default()),
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Uint64(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Array("y".into(), bytes.iter().copied().map(Self::Byte).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_busctl_takes_them() {
        let pair = Value::Struct(vec!["/dev/char/1:3".into(), "rwm".into()]);
        for (value, text) in [
            (Value::from(true), "b true"),
            (Value::from(7_u64), "t 7"),
            ("a b".into(), "s 'a b'"),
            ("it's".into(), "s 'it'\\''s'"),
            ("".into(), "s ''"),
            ((&[3_u8, 1][..]).into(), "ay 2 3 1"),
            (Value::Array("(ss)".into(), vec![]), "a(ss) 0"),
            (Value::Array(pair.signature().into(), vec![pair.clone()]), "a(ss) 1 /dev/char/1:3 rwm"),
        ] {
            assert_eq!(Property::new("X", value).to_string(), format!("X {text}"));
        }
    }

    #[test]
    fn values_in_json() {
        let property = Property::new("AllowedCPUs", &[5_u8][..]);
        let json = serde_json::json!({ "name": "AllowedCPUs", "signature": "ay", "value": [5] });
        assert_eq!(serde_json::to_value(property).unwrap(), json);
    }
}
