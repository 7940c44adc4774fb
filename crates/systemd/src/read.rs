//! Bytes as values. They come from another process: every length is checked, and nothing is believed.

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
    fn numbers_are_aligned() {
        let mut reader = Reader::new(&[9, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!((reader.byte(), reader.uint32(), reader.uint32()), (Ok(9), Ok(1), Err(Malformed)));
    }
}
