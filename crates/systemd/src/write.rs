//! Values as bytes (D-Bus specification, "Marshaling").

use plan::unit::{Property, Value};

/// A message in the making, little-endian. Each value stands at a multiple of its alignment.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn uint32(&mut self, number: u32) {
        self.align(4);
        self.bytes.extend(number.to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.uint32(text.len() as u32);
        self.bytes.extend(text.as_bytes());
        self.byte(0);
    }

    pub(crate) fn signature(&mut self, signature: &str) {
        self.byte(signature.len() as u8);
        self.bytes.extend(signature.as_bytes());
        self.byte(0);
    }

    /// An array: its length in bytes, without what aligns its first element.
    pub(crate) fn array(&mut self, alignment: usize, elements: impl FnOnce(&mut Self)) {
        self.uint32(0);
        let length = self.bytes.len();
        self.align(alignment);
        let start = self.bytes.len();
        elements(self);
        let count = (self.bytes.len() - start) as u32;
        self.bytes[length - 4..length].copy_from_slice(&count.to_le_bytes());
    }

    /// `a(sv)`, as the properties of a unit are given.
    pub(crate) fn properties<'a>(&mut self, properties: impl IntoIterator<Item = &'a Property>) {
        self.array(8, |writer| {
            for property in properties {
                writer.align(8);
                writer.text(&property.name);
                writer.signature(&property.value.signature());
                writer.value(&property.value);
            }
        });
    }

    pub(crate) fn value(&mut self, value: &Value) {
        self.align(alignment(&value.signature()));
        match value {
            Value::Byte(byte) => self.byte(*byte),
            Value::Bool(truth) => self.uint32((*truth).into()),
            Value::Int16(number) => self.bytes.extend(number.to_le_bytes()),
            Value::Uint16(number) => self.bytes.extend(number.to_le_bytes()),
            Value::Int32(number) => self.bytes.extend(number.to_le_bytes()),
            Value::Uint32(number) => self.bytes.extend(number.to_le_bytes()),
            Value::Int64(number) => self.bytes.extend(number.to_le_bytes()),
            Value::Uint64(number) => self.bytes.extend(number.to_le_bytes()),
            Value::Text(text) => self.text(text),
            Value::Array(element, elements) => self.array(alignment(element), |writer| {
                elements.iter().for_each(|element| writer.value(element));
            }),
            Value::Struct(fields) => fields.iter().for_each(|field| self.value(field)),
        }
    }
}

/// The alignment of a type, by the first letter of its signature.
pub(crate) fn alignment(signature: &str) -> usize {
    match signature.as_bytes().first() {
        Some(b'n' | b'q') => 2,
        Some(b'b' | b'i' | b'u' | b's' | b'o' | b'a') => 4,
        Some(b'x' | b't' | b'd' | b'(') => 8,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Value, bytes: &[u8]) {
        let mut writer = Writer::default();
        writer.value(&value);
        assert_eq!(writer.bytes, bytes, "{value:?}");
    }

    #[test]
    fn values_as_bytes() {
        check(Value::Byte(7), &[7]);
        check(true.into(), &[1, 0, 0, 0]);
        check(Value::Uint16(0x0102), &[2, 1]);
        check(Value::Int32(-2), &[0xfe, 0xff, 0xff, 0xff]);
        check(Value::INFINITY, &[0xff; 8]);
        check("ab".into(), &[2, 0, 0, 0, b'a', b'b', 0]);
        check((&[1_u8, 2][..]).into(), &[2, 0, 0, 0, 1, 2]);
        // The padding before the first element is not counted.
        check(
            Value::Array("t".into(), vec![1_u64.into()]),
            &[8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        );
        check(Value::Array("t".into(), vec![]), &[0, 0, 0, 0, 0, 0, 0, 0]);
        let pair = |first: &str| Value::Struct(vec![first.into(), 1_u64.into()]);
        check(
            Value::Array("(st)".into(), vec![pair("a"), pair("b")]),
            &[
                &[32, 0, 0, 0, 0, 0, 0, 0][..],
                &[1, 0, 0, 0, b'a', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
                &[1, 0, 0, 0, b'b', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            ]
            .concat(),
        );
    }

    #[test]
    fn properties_are_structs_with_a_variant() {
        let mut writer = Writer::default();
        writer.properties(&[Property::new("A", true), Property::new("B", 5_u64)]);
        let expected = [
            &[48, 0, 0, 0, 0, 0, 0, 0][..],
            &[1, 0, 0, 0, b'A', 0, 1, b'b', 0, 0, 0, 0, 1, 0, 0, 0],
            &[1, 0, 0, 0, b'B', 0, 1, b't', 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0],
        ];
        let mut expected = expected.concat();
        // The last struct ends where its value ends.
        expected[0] = (expected.len() - 8) as u8;
        assert_eq!(writer.bytes, expected);
    }
}
