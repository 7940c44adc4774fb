//! Messages (D-Bus specification, "Message Format").
//!
//! ```text
//!   'l' TYPE FLAGS 1 | length of the body | serial | length of the fields | fields, to a multiple of 8 | body
//! ```

use crate::read::{Malformed, Reader};
use crate::write::Writer;
use plan::unit::Value;

/// What has a length: as much as is read before it is known.
pub(crate) const HEAD: usize = 16;

/// The longest message that is read. The bus allows 128 MiB; what is asked for here has some hundred bytes.
const LONGEST: usize = 1 << 20;

const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

/// Codes of header fields.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SENDER: u8 = 7;
const SIGNATURE: u8 = 8;

/// A method, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method {
    pub(crate) destination: &'static str,
    pub(crate) interface: &'static str,
    pub(crate) name: &'static str,
    /// The signature of its arguments.
    pub(crate) takes: &'static str,
}

/// The bytes of a call.
pub(crate) fn call(serial: u32, method: Method, object: &str, body: &[u8]) -> Vec<u8> {
    let mut message = Writer { bytes: vec![b'l', METHOD_CALL, 0, 1] };
    message.uint32(body.len() as u32);
    message.uint32(serial);
    message.array(8, |fields| {
        let mut field = |code: u8, kind: &str, text: &str| {
            fields.align(8);
            fields.byte(code);
            fields.signature(kind);
            if kind == "g" { fields.signature(text) } else { fields.text(text) }
        };
        field(PATH, "o", object);
        field(DESTINATION, "s", method.destination);
        field(INTERFACE, "s", method.interface);
        field(MEMBER, "s", method.name);
        if !method.takes.is_empty() {
            field(SIGNATURE, "g", method.takes);
        }
    });
    message.align(8);
    message.bytes.extend(body);
    message.bytes
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The answer to the call of this serial.
    Answer(u32),
    /// The answer to it is an error of this name.
    Failure(u32, String),
    /// A signal of this name.
    Signal(String),
    /// A call of ours, or what a later version of the protocol has.
    Other,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    /// Who sent it, where there is a bus.
    pub(crate) sender: Option<String>,
    /// The signature of the body.
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
}

/// The length of a message, by its first [`HEAD`] bytes.
pub(crate) fn length(head: &[u8]) -> Result<usize, Malformed> {
    // Others of this machine write numbers as it does.
    if head.first() != Some(&b'l') {
        return Err(Malformed);
    }
    let mut reader = Reader::new(head);
    let (_start, body, _serial, fields) =
        (reader.uint32()?, reader.uint32()?, reader.uint32()?, reader.uint32()?);
    let fields = (fields as usize).checked_next_multiple_of(8).ok_or(Malformed)?;
    let length =
        fields.checked_add(body as usize).and_then(|rest| rest.checked_add(HEAD)).ok_or(Malformed)?;
    if length > LONGEST { Err(Malformed) } else { Ok(length) }
}

/// Reads a whole message.
pub(crate) fn parse(bytes: &[u8]) -> Result<Message, Malformed> {
    if length(bytes)? != bytes.len() {
        return Err(Malformed);
    }
    let mut reader = Reader::new(bytes);
    let (_endian, kind, _flags, version) = (reader.byte()?, reader.byte()?, reader.byte()?, reader.byte()?);
    let (_body, _serial, fields) = (reader.uint32()?, reader.uint32()?, reader.uint32()? as usize);
    if version != 1 {
        return Err(Malformed);
    }
    let end = HEAD + fields;
    let mut texts: [Option<&str>; 9] = [None; 9];
    let mut reply = None;
    while reader.at() < end {
        reader.align(8)?;
        let code = reader.byte()?;
        match reader.signature()? {
            "s" | "o" => keep(&mut texts, code, reader.text()?),
            "g" => keep(&mut texts, code, reader.signature()?),
            "u" if code == REPLY_SERIAL => reply = Some(reader.uint32()?),
            "u" => drop(reader.uint32()?),
            _ => return Err(Malformed),
        }
    }
    if reader.at() != end {
        return Err(Malformed);
    }
    reader.align(8)?;
    let text = |code: u8| texts[usize::from(code)].map(str::to_owned);
    let kind = match kind {
        METHOD_RETURN => Kind::Answer(reply.ok_or(Malformed)?),
        ERROR => Kind::Failure(reply.ok_or(Malformed)?, text(ERROR_NAME).ok_or(Malformed)?),
        SIGNAL => Kind::Signal(text(MEMBER).ok_or(Malformed)?),
        _ => Kind::Other,
    };
    Ok(Message {
        kind,
        sender: text(SENDER),
        signature: text(SIGNATURE).unwrap_or_default(),
        body: bytes[reader.at()..].to_vec(),
    })
}

/// Fields of codes that nobody knows yet are passed over, as the specification asks.
fn keep<'a>(texts: &mut [Option<&'a str>; 9], code: u8, text: &'a str) {
    if let Some(place) = texts.get_mut(usize::from(code)) {
        *place = Some(text);
    }
}

impl Message {
    /// Reads the body, if it begins with these types.
    pub(crate) fn read<'a, T>(
        &'a self,
        signature: &str,
        values: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        match self.signature.starts_with(signature) {
            true => values(&mut Reader::new(&self.body)),
            false => Err(Malformed),
        }
    }

    /// What a variant holds.
    pub(crate) fn variant(&self) -> Result<Value, Malformed> {
        self.read("v", |reader| {
            let signature = reader.signature()?;
            reader.value(signature)
        })
    }

    /// A variant that holds a text.
    pub(crate) fn variant_text(&self) -> Result<&str, Malformed> {
        self.read("v", |reader| match reader.signature()? {
            "s" | "o" => reader.text(),
            _ => Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests;
