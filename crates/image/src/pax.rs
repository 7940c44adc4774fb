//! The extended header of pax: records of `length key=value\n` for the entry that follows.
//!
//! pax(1), "pax Extended Header". The length counts the whole record, so a value may hold any bytes.

use crate::sparse::{self, Piece};

/// What an extended header says about its entry; what it leaves out is in the ordinary header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pax {
    pub path: Option<Vec<u8>>,
    pub link_path: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u64>,
    pub gid: Option<u64>,
    pub mtime: Option<Time>,
    /// Extended attributes, name and value, in the order of the archive.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub sparse: Sparse,
}

/// What an extended header says about a sparse file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sparse {
    /// The file's name; the header's is made up so that other tars do not take it for a whole file.
    pub name: Option<Vec<u8>>,
    /// Bytes of the file with its holes.
    pub real_size: Option<u64>,
    /// The map is in front of the data (format 1.0).
    pub map_in_data: bool,
    /// The map, if it is in the header (formats 0.0 and 0.1).
    pub map: Option<Vec<Piece>>,
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time {
    /// Since 1970, before it if negative.
    pub seconds: i64,
    /// Always forward: 0 to 999 999 999.
    pub nanoseconds: u32,
}

impl Pax {
    pub(crate) fn parse(mut bytes: &[u8]) -> Result<Self, String> {
        let mut pax = Self::default();
        let mut major = None;
        // Format 0.0 writes the numbers of a piece as two records.
        let mut offset = None;
        while !bytes.is_empty() {
            let (key, value, rest) = record(bytes).ok_or("an extended header has a malformed record")?;
            bytes = rest;
            let number = || sparse::decimal(value).map_err(|why| format!("{}: {why}", key.escape_ascii()));
            match key {
                b"path" => pax.path = Some(value.to_vec()),
                b"linkpath" => pax.link_path = Some(value.to_vec()),
                b"size" => pax.size = Some(number()?),
                b"uid" => pax.uid = Some(number()?),
                b"gid" => pax.gid = Some(number()?),
                b"mtime" => pax.mtime = Some(time(value).ok_or("mtime: not a time")?),
                b"GNU.sparse.name" => pax.sparse.name = Some(value.to_vec()),
                b"GNU.sparse.size" | b"GNU.sparse.realsize" => pax.sparse.real_size = Some(number()?),
                b"GNU.sparse.major" => major = Some(number()?),
                b"GNU.sparse.map" => pax.sparse.map = Some(sparse::from_list(value)?),
                b"GNU.sparse.offset" => offset = Some(number()?),
                b"GNU.sparse.numbytes" => {
                    let offset = offset.take().ok_or("GNU.sparse.numbytes without its offset")?;
                    let piece = Piece { offset, length: number()? };
                    sparse::extend(pax.sparse.map.get_or_insert_default(), [piece])?;
                }
                _ => {
                    if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                        pax.xattrs.push((name.to_vec(), value.to_vec()));
                    }
                }
            }
        }
        pax.sparse.map_in_data = match major {
            None | Some(0) => false,
            Some(1) => true,
            Some(other) => return Err(format!("sparse format {other} is not known")),
        };
        Ok(pax)
    }
}

/// Splits the first record off: key, value, rest.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(8).position(|byte| *byte == b' ')?;
    let length = usize::try_from(sparse::decimal(&bytes[..space]).ok()?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let body = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    Some((&body[..equals], &body[equals + 1..], rest))
}

/// Seconds in decimal with an optional sign and fraction, of which nine digits count.
fn time(text: &[u8]) -> Option<Time> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let dot = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = (&text[..dot], text.get(dot + 1..).unwrap_or_default());
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = i64::try_from(sparse::decimal(whole).ok()?).ok()?;
    let digit = |at: usize| fraction.get(at).map_or(0, |digit| u32::from(digit - b'0'));
    let nanoseconds = (0..9).fold(0, |number, at| number * 10 + digit(at));
    Some(match (negative, nanoseconds) {
        (false, _) => Time { seconds, nanoseconds },
        (true, 0) => Time { seconds: -seconds, nanoseconds: 0 },
        (true, _) => Time { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_any_bytes() {
        let pax = Pax::parse(b"21 path=a\nb\xff=\0c d ef\n32 SCHILY.xattr.user.x=\n11 z=\x01\0\n");
        let pax = pax.unwrap();
        assert_eq!(pax.path.unwrap(), b"a\nb\xff=\0c d ef");
        assert_eq!(pax.xattrs, [(b"user.x".to_vec(), b"\n11 z=\x01\0".to_vec())]);
    }

    #[test]
    fn broken_records_are_refused() {
        for bytes in [
            &b"x"[..],
            b"9 path=a",
            b"99 path=a\n",
            b"0 path=a\n",
            b"5 a\n",
            b"10 path=abc",
            b"4  =\n\n",
            b"-1 a=b\n",
        ] {
            assert!(Pax::parse(bytes).is_err(), "{}", bytes.escape_ascii());
        }
        assert!(Pax::parse(b"11 size=-1\n").is_err());
    }

    #[test]
    fn times_have_fractions_and_signs() {
        let check = |text: &str, expect: Option<(i64, u32)>| {
            let expect = expect.map(|(seconds, nanoseconds)| Time { seconds, nanoseconds });
            assert_eq!(time(text.as_bytes()), expect, "{text}");
        };
        check("1700000000.25", Some((1_700_000_000, 250_000_000)));
        check("1.0000000019", Some((1, 1)));
        check("-1.25", Some((-2, 750_000_000)));
        check("-3", Some((-3, 0)));
        check("5.", Some((5, 0)));
        check("", None);
        check("1.x", None);
        check("99999999999999999999", None);
    }
}
