//! The two kinds of fields that criu's messages have: numbers, and bytes with their length
//! (protobuf.dev, "Encoding").
//!
//! ```text
//!   field ── tag: number * 8 + kind ── kind 0: number, seven bits a byte, the lowest first
//!                                   └─ kind 2: length as such a number, then the bytes
//! ```

const NUMBER: u64 = 0;
const BYTES: u64 = 2;

/// A message in the making.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub fn number(&mut self, field: u32, value: u64) {
        self.tag(field, NUMBER);
        self.varint(value);
    }

    /// A number that may be negative: as 64 bits, also where the field has 32.
    pub fn signed(&mut self, field: u32, value: i64) {
        self.number(field, value.cast_unsigned());
    }

    pub fn bytes(&mut self, field: u32, value: &[u8]) {
        self.tag(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    pub fn message(&mut self, field: u32, value: &Self) {
        self.bytes(field, &value.0);
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn tag(&mut self, field: u32, kind: u64) {
        self.varint(u64::from(field) << 3 | kind);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A field of a message that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// A number; criu's 32-bit ones that are negative have 64 bits here.
    pub fn as_i32(self) -> Option<i32> {
        match self {
            Self::Number(number) => i32::try_from(number.cast_signed()).ok(),
            Self::Bytes(_) => None,
        }
    }

    pub fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Number(_) => None,
        }
    }

    pub fn as_text(self) -> Option<String> {
        self.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The fields of a message, in their order; `None`: it is cut off, or has a kind that criu does not use.
pub(crate) fn fields(mut bytes: &[u8]) -> Option<Vec<(u32, Value<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let value = match tag & 7 {
            NUMBER => Value::Number(varint(&mut bytes)?),
            BYTES => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Value::Bytes(value)
            }
            _ => return None,
        };
        fields.push((u32::try_from(tag >> 3).ok()?, value));
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_encoding_says() {
        let mut inner = Message::default();
        inner.number(1, 150);
        let mut message = Message::default();
        message.signed(2, -1);
        message.bytes(68, b"hi");
        message.message(3, &inner);
        let expect = [
            &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..],
            &[0xa2, 0x04, 2, b'h', b'i'],
            &[0x1a, 3, 0x08, 0x96, 0x01],
        ];
        assert_eq!(message.as_bytes(), expect.concat());
        let read = fields(message.as_bytes()).unwrap();
        assert_eq!(read[0], (2, Value::Number(u64::MAX)));
        assert_eq!(read[0].1.as_i32(), Some(-1));
        assert_eq!(read[1], (68, Value::Bytes(b"hi")));
        assert_eq!(fields(read[2].1.as_bytes().unwrap()).unwrap(), [(1, Value::Number(150))]);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let cut_number = [0x08, 0x96];
        let too_long = [0x12, 5, b'a'];
        let endless = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        let fixed_width = [0x0d, 0, 0, 0, 0];
        for bytes in [&cut_number[..], &too_long, &endless, &fixed_width] {
            assert_eq!(fields(bytes), None, "{bytes:?}");
        }
    }
}
