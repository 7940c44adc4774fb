//! Bytes as values. They come from another process: every length is checked, and nothing is believed.

use crate::write::alignment;
use plan::unit::Value;

/// What is not as the D-Bus specification has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Bytes that are read from the front, little-endian.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn align(&mut self, to: usize) -> Result<(), Malformed> {
        let at = self.at.checked_next_multiple_of(to).ok_or(Malformed)?;
        self.take(at - self.at).map(drop)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(count).ok_or(Malformed)?;
        let taken = self.bytes.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn uint32(&mut self) -> Result<u32, Malformed> {
        self.align(4)?;
        let bytes = self.take(4)?.try_into().map_err(|_| Malformed)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// A text, or the path of an object.
    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.uint32()? as usize;
        self.terminated(length)
    }

    pub(crate) fn signature(&mut self) -> Result<&'a str, Malformed> {
        let length = self.byte()?.into();
        self.terminated(length)
    }

    /// A value of one type: a basic one, a struct of those, or an array of either, as properties of units are.
    pub(crate) fn value(&mut self, signature: &str) -> Result<Value, Malformed> {
        self.align(alignment(signature))?;
        if let Some(element) = signature.strip_prefix('a') {
            return self.array(element);
        }
        if let Some(fields) = signature.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            let fields = fields.split("").filter(|field| !field.is_empty());
            return fields.map(|field| self.basic(field)).collect::<Result<_, _>>().map(Value::Struct);
        }
        self.basic(signature)
    }

    fn array(&mut self, element: &str) -> Result<Value, Malformed> {
        let length = self.uint32()? as usize;
        self.align(alignment(element))?;
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len()).ok_or(Malformed)?;
        let mut elements = Vec::new();
        while self.at < end {
            let start = self.at;
            elements.push(self.value(element)?);
            if self.at == start {
                return Err(Malformed);
            }
        }
        if self.at == end { Ok(Value::Array(element.to_owned().into(), elements)) } else { Err(Malformed) }
    }

    fn basic(&mut self, signature: &str) -> Result<Value, Malformed> {
        self.align(alignment(signature))?;
        Ok(match signature {
            "y" => Value::Byte(self.byte()?),
            "b" => Value::Bool(self.uint32()? != 0),
            "n" => Value::Int16(i16::from_le_bytes(self.bytes()?)),
            "q" => Value::Uint16(u16::from_le_bytes(self.bytes()?)),
            "i" => Value::Int32(i32::from_le_bytes(self.bytes()?)),
            "u" => Value::Uint32(self.uint32()?),
            "x" => Value::Int64(i64::from_le_bytes(self.bytes()?)),
            "t" => Value::Uint64(u64::from_le_bytes(self.bytes()?)),
            "s" => Value::Text(self.text()?.to_owned()),
            _ => return Err(Malformed),
        })
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    fn terminated(&mut self, length: usize) -> Result<&'a str, Malformed> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| Malformed)?;
        match self.byte()? {
            0 => Ok(text),
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        for (bytes, text) in [
            (&[2, 0, 0, 0, b'a', b'b', 0][..], Ok("ab")),
            (&[0, 0, 0, 0, 0], Ok("")),
            (&[2, 0, 0, 0, b'a', b'b', 1], Err(Malformed)),
            (&[2, 0, 0, 0, b'a', b'b'], Err(Malformed)),
            (&[1, 0, 0, 0, 0xff, 0], Err(Malformed)),
            (&[0xff, 0xff, 0xff, 0xff, b'a', 0], Err(Malformed)),
            (&[1, 0], Err(Malformed)),
        ] {
            assert_eq!(Reader::new(bytes).text(), text, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let pair = Value::Struct(vec!["/dev/block/8:0".into(), 5_u64.into()]);
        for value in [
            Value::Byte(7),
            true.into(),
            Value::Int16(-2),
            Value::Uint32(7),
            Value::Int64(-7),
            Value::INFINITY,
            "ab".into(),
            (&[1_u8, 2][..]).into(),
            Value::Array("(st)".into(), vec![pair.clone(), pair]),
            Value::Array("(st)".into(), vec![]),
            Value::Array("as".into(), vec![Value::Array("s".into(), vec!["a".into()])]),
        ] {
            let mut writer = crate::write::Writer::default();
            writer.value(&value);
            let mut reader = Reader::new(&writer.bytes);
            assert_eq!(reader.value(&value.signature()), Ok(value.clone()));
            assert_eq!(reader.at(), writer.bytes.len(), "{value:?}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (signature, bytes) in [
            ("", &[0; 8][..]),
            ("v", &[0; 8]),
            ("t", &[0; 4]),
            ("at", &[0xff; 8]),
            ("ay", &[9, 0, 0, 0, 1]),
            ("at", &[4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            ("a()", &[1, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("a", &[1, 0, 0, 0, 1]),
        ] {
            assert_eq!(Reader::new(bytes).value(signature), Err(Malformed), "{signature}");
        }
    }

    #[test]
    fn numbers_are_aligned() {
        let mut reader = Reader::new(&[9, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!((reader.byte(), reader.uint32(), reader.uint32()), (Ok(9), Ok(1), Err(Malformed)));
    }
}
