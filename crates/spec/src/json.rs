//! JSON documents that others wrote: bounded, and with errors that name the property at fault.
//!
//! serde_json tells where it stopped by line and column. A second look at the text up to there gives the
//! JSON pointer (RFC 6901) of the value. Only a document that is refused is looked at twice, so a good one pays
//! nothing.

use crate::strict::Strict;
use serde::de::DeserializeOwned;
use std::fmt::{self, Write};

/// How many values a document may have; objects and lists count as one besides their members. The longest seccomp
/// profiles have a thousand. Without a bound two bytes of text could ask for a hundred of memory.
pub const MAX_VALUES: usize = 1 << 16;

/// How deep a pointer goes; no property of the specification is half as deep.
const MAX_DEPTH: usize = 16;

/// What is shown of each end of a long text.
const SHOWN: usize = 100;

/// Why a document is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// JSON pointer of the value at fault; empty for the whole document.
    pub pointer: String,
    /// What is wrong, and at which line and column.
    pub message: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for JsonError {}

/// Reads a document of any of the types of this specification, or made of them.
///
/// # Errors
/// The bytes are not JSON, a property has another type than it must have or is there twice, or there are more
/// than [`MAX_VALUES`] values; names the property.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, JsonError> {
    // A value takes two bytes: itself, and what parts it from the next.
    if json.len() > 2 * MAX_VALUES {
        check_count(json)?;
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = T::deserialize(Strict(&mut deserializer));
    let whole = read.and_then(|document| deserializer.end().map(|()| document));
    whole.map_err(|error| located(json, &error))
}

fn check_count(json: &[u8]) -> Result<(), JsonError> {
    let mut scanner = Scanner::new(json);
    while scanner.step() {
        if scanner.values > MAX_VALUES {
            let message = format!("the document has more than {MAX_VALUES} values");
            return Err(JsonError { pointer: scanner.pointer(), message });
        }
    }
    Ok(())
}

fn located(json: &[u8], error: &serde_json::Error) -> JsonError {
    let (line, column) = (error.line(), error.column());
    let position = format!(" at line {line} column {column}");
    let mut short = Shortened::default();
    // Fails where a Display does, and these do not.
    let _ = write!(short, "{error}");
    let text = short.text();
    let what = text.strip_suffix(&position).unwrap_or(&text);
    JsonError { pointer: pointer_at(json, line, column), message: format!("{what}{position}") }
}

/// The value that begins, ends or goes on at the byte that serde_json read last; lines and columns count from one.
fn pointer_at(json: &[u8], line: usize, column: usize) -> String {
    let mut starts =
        std::iter::once(0).chain(json.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1));
    let end = starts.nth(line.saturating_sub(1)).unwrap_or(0).saturating_add(column).min(json.len());
    let mut scanner = Scanner::new(&json[..end]);
    while scanner.step() {}
    scanner.pointer()
}

/// A text cut in the middle, as both ends of a message matter: an error quotes the value at fault, which may be
/// megabytes, with six characters for some.
#[derive(Default)]
struct Shortened {
    head: String,
    tail: std::collections::VecDeque<char>,
    cut: bool,
}

impl fmt::Write for Shortened {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| self.write_char(character))
    }

    fn write_char(&mut self, character: char) -> fmt::Result {
        if self.head.len() < SHOWN {
            self.head.push(character);
            return Ok(());
        }
        if self.tail.len() == SHOWN {
            self.tail.pop_front();
            self.cut = true;
        }
        self.tail.push_back(character);
        Ok(())
    }
}

impl Shortened {
    fn text(self) -> String {
        let gap = if self.cut { "…" } else { "" };
        self.head.chars().chain(gap.chars()).chain(self.tail).collect()
    }
}

fn shortened(text: &str) -> String {
    let mut short = Shortened::default();
    let _ = short.write_str(text);
    short.text()
}

/// Where a reader is in a document. It takes any bytes: what is not JSON only makes the place wrong.
struct Scanner<'a> {
    json: &'a [u8],
    at: usize,
    levels: Vec<Level<'a>>,
    /// How many levels are open beyond [`MAX_DEPTH`].
    deeper: usize,
    values: usize,
}

enum Level<'a> {
    /// The member read last, as it is written; whether the next string names another.
    Object { name: Option<&'a [u8]>, names: bool },
    /// The index of the element read last.
    List { index: Option<usize> },
}

impl<'a> Scanner<'a> {
    fn new(json: &'a [u8]) -> Self {
        Self { json, at: 0, levels: Vec::new(), deeper: 0, values: 0 }
    }

    /// Reads one token; false at the end.
    fn step(&mut self) -> bool {
        let Some(byte) = self.json.get(self.at) else { return false };
        self.at += 1;
        match byte {
            b'{' => self.open(Level::Object { name: None, names: true }),
            b'[' => self.open(Level::List { index: None }),
            b'}' | b']' => self.close(),
            b'"' => self.string(),
            b',' => self.naming(true),
            b':' => self.naming(false),
            byte if byte.is_ascii_whitespace() => {}
            _ => {
                self.value();
                let ends = |byte: &u8| b"{}[]\",: \t\r\n".contains(byte);
                let rest = &self.json[self.at..];
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        true
    }

    fn value(&mut self) {
        self.values += 1;
        if let Some(Level::List { index }) = self.level() {
            *index = Some(index.map_or(0, |index| index + 1));
        }
    }

    fn open(&mut self, level: Level<'a>) {
        self.value();
        if self.levels.len() < MAX_DEPTH { self.levels.push(level) } else { self.deeper += 1 }
    }

    fn close(&mut self) {
        match self.deeper.checked_sub(1) {
            Some(left) => self.deeper = left,
            None => _ = self.levels.pop(),
        }
    }

    /// The innermost one, unless it is too deep to be told.
    fn level(&mut self) -> Option<&mut Level<'a>> {
        if self.deeper == 0 { self.levels.last_mut() } else { None }
    }

    fn naming(&mut self, next: bool) {
        if let Some(Level::Object { names, .. }) = self.level() {
            *names = next;
        }
    }

    fn string(&mut self) {
        let start = self.at;
        let mut escaped = false;
        let closing = |byte: &u8| {
            let closes = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        };
        let rest = &self.json[start..];
        let length = rest.iter().position(closing).unwrap_or(rest.len());
        self.at = (start + length + 1).min(self.json.len());
        match self.level() {
            Some(Level::Object { name, names: true }) => *name = Some(&rest[..length]),
            _ => self.value(),
        }
    }

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for level in &self.levels {
            match level {
                Level::Object { name: Some(name), .. } => {
                    let name = shortened(&String::from_utf8_lossy(name));
                    pointer.push('/');
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Level::List { index: Some(index) } => pointer.push_str(&format!("/{index}")),
                Level::Object { name: None, .. } | Level::List { index: None } => {}
            }
        }
        pointer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    /// What is said of a document that lacks no more than the part given, without the place.
    fn said(part: &str) -> String {
        let json = format!("{{\n\"ociVersion\": \"1\"{part}\n}}");
        let said = from_slice::<Config>(json.as_bytes()).expect_err(part).to_string();
        said.split(" at line ").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn errors_name_the_property() {
        let cases = [
            (
                r#", "process": {"cwd": "/", "args": "sh"}"#,
                "/process/args: invalid type: string \"sh\", expected a sequence",
            ),
            (
                r#", "process": {"cwd": "/", "args": ["a", true, "b"]}"#,
                "/process/args/1: invalid type: boolean `true`, expected a string",
            ),
            (
                r#", "mounts": [{"destination": "/a"}, {"type": "x"}]"#,
                "/mounts/1: missing field `destination`",
            ),
            (
                r#", "linux": {"devices": [{"type": "moo"}]}"#,
                "/linux/devices/0/type: unknown variant `moo`, expected one of `b`, `c`, `u`, `p`",
            ),
            (
                r#", "annotations": {"a/b~c": {}}"#,
                "/annotations/a~1b~0c: invalid type: map, expected a string",
            ),
            (r#", "hostname": "a", "hostname": "b""#, "/hostname: duplicate field `hostname`"),
            (r#", "hostname": nul"#, "/hostname: expected ident"),
            (
                ", \"hostname\": \"a\tb\"",
                "/hostname: control character (\\u0000-\\u001F) found while parsing a string",
            ),
        ];
        for (part, expect) in cases {
            assert_eq!(said(part), expect);
        }
    }

    #[test]
    fn the_whole_document_has_no_pointer() {
        let cases = [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{}", "missing field `ociVersion` at line 1 column 2"),
            ("[] x", "invalid type: sequence, expected struct Config at line 1 column 2"),
        ];
        for (json, expect) in cases {
            assert_eq!(from_slice::<Config>(json.as_bytes()).expect_err(json).to_string(), expect);
        }
    }

    #[test]
    fn a_long_value_is_not_repeated_in_its_error() {
        let long = "\u{7f}".repeat(100_000);
        let said = said(&format!(r#", "process": {{"cwd": "/", "args": "{long}"}}"#));
        assert!(said.len() < 400 && said.starts_with("/process/args: invalid type: string"), "{said}");
        let name = "x".repeat(100_000);
        assert!(
            super::from_slice::<Config>(format!(r#"{{"annotations": {{"{name}": 1}}}}"#).as_bytes())
                .is_err_and(|error| error.to_string().len() < 600)
        );
    }

    #[test]
    fn values_are_counted_and_not_bytes() {
        let config =
            |args: &str| format!(r#"{{"ociVersion": "1", "process": {{"cwd": "/", "args": [{args}]}}}}"#);
        let commas = ",".repeat(3 * MAX_VALUES);
        let many = config(&vec!["\"\""; MAX_VALUES].join(","));
        assert!(from_slice::<Config>(config(&format!("\"{commas}\"")).as_bytes()).is_ok());
        let error = from_slice::<Config>(many.as_bytes()).expect_err("too many");
        assert!(error.pointer.starts_with("/process/args/655"), "{error}");
        assert_eq!(error.message, "the document has more than 65536 values");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(1 << 15);
        let cases = [
            ("annotations", "/annotations: invalid type: sequence"),
            ("x", "/x/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0: "),
        ];
        for (name, expect) in cases {
            let error =
                from_slice::<Config>(format!(r#"{{"{name}": {deep}"#).as_bytes()).expect_err("too deep");
            assert!(error.to_string().starts_with(expect), "{error}");
        }
    }
}
