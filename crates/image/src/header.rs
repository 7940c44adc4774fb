//! The 512-byte header block of tar: v7, ustar (POSIX.1-1988) and GNU.
//!
//! The layout is that of pax(1), "ustar Interchange Format", and of the GNU tar manual, "Basic Tar
//! Format". The reader is ours because it must hold what a crate for general use does not promise: memory
//! that an archive cannot choose, a missing end marker that is seen, and binary values in extended headers.

use crate::sparse::Piece;

/// Bytes of a header, and the unit to which everything in an archive is padded.
pub(crate) const BLOCK: usize = 512;

/// A block whose checksum is right.
pub(crate) struct Header<'a>(&'a [u8; BLOCK]);

/// Where a field is in the block.
type Field = std::ops::Range<usize>;

const NAME: Field = 0..100;
const MODE: Field = 100..108;
const UID: Field = 108..116;
const GID: Field = 116..124;
const SIZE: Field = 124..136;
const MTIME: Field = 136..148;
const CHECKSUM: Field = 148..156;
const TYPE: usize = 156;
const LINK_NAME: Field = 157..257;
const MAGIC: Field = 257..265;
const PREFIX: Field = 345..500;
/// GNU only: four pieces of a sparse file's map, whether more follow, and the size with its holes.
const GNU_SPARSE: Field = 386..482;
const GNU_MORE_SPARSE: usize = 482;
const GNU_REAL_SIZE: Field = 483..495;
/// The blocks that continue the map: 21 pieces, whether more follow.
const EXTENDED_SPARSE: Field = 0..504;
const EXTENDED_MORE: usize = 504;

impl<'a> Header<'a> {
    /// Takes the block for a header if its checksum says so. Old tars summed signed bytes; both are taken.
    pub(crate) fn parse(block: &'a [u8; BLOCK]) -> Option<Self> {
        let expect = number(&block[CHECKSUM]).ok()?;
        let counted = |at: usize| if CHECKSUM.contains(&at) { b' ' } else { block[at] };
        let unsigned: i64 = (0..BLOCK).map(|at| i64::from(counted(at))).sum();
        let signed: i64 = (0..BLOCK).map(|at| i64::from(counted(at) as i8)).sum();
        (expect == unsigned || expect == signed).then_some(Self(block))
    }

    /// The type flag; NUL is the old way to write `0`.
    pub(crate) fn kind(&self) -> u8 {
        match self.0[TYPE] {
            0 => b'0',
            kind => kind,
        }
    }

    /// The name, with ustar's prefix before it. GNU tar keeps other things where the prefix is.
    pub(crate) fn name(&self) -> Vec<u8> {
        let (name, prefix) = (text(&self.0[NAME]), text(&self.0[PREFIX]));
        match &self.0[MAGIC] {
            b"ustar\x0000" if !prefix.is_empty() => [prefix, b"/", name].concat(),
            _ => name.to_vec(),
        }
    }

    /// The target of a link.
    pub(crate) fn link_name(&self) -> Vec<u8> {
        text(&self.0[LINK_NAME]).to_vec()
    }

    /// Bytes of data that follow the header, without padding.
    pub(crate) fn size(&self) -> Result<u64, String> {
        unsigned(&self.0[SIZE], "size")
    }

    /// The permission bits, with set-user-id, set-group-id and sticky.
    pub(crate) fn mode(&self) -> Result<u32, String> {
        // Some tars leave the file type in.
        unsigned(&self.0[MODE], "mode").map(|mode| (mode & 0o7777) as u32)
    }

    /// The owner's user id.
    pub(crate) fn uid(&self) -> Result<u64, String> {
        unsigned(&self.0[UID], "user id")
    }

    /// The owner's group id.
    pub(crate) fn gid(&self) -> Result<u64, String> {
        unsigned(&self.0[GID], "group id")
    }

    /// Seconds since 1970, before it if negative.
    pub(crate) fn mtime(&self) -> Result<i64, String> {
        number(&self.0[MTIME]).map_err(|()| bad_number("time", &self.0[MTIME]))
    }

    /// GNU's old sparse format: the first pieces of the map, and whether a block with more follows.
    pub(crate) fn sparse(&self) -> Result<(Vec<Piece>, bool), String> {
        Ok((pieces(&self.0[GNU_SPARSE])?, self.0[GNU_MORE_SPARSE] != 0))
    }

    /// GNU's old sparse format: the size of the file with its holes.
    pub(crate) fn real_size(&self) -> Result<u64, String> {
        unsigned(&self.0[GNU_REAL_SIZE], "real size")
    }
}

/// A block that continues the map of GNU's old sparse format: its pieces, and whether another follows.
pub(crate) fn extended_sparse(block: &[u8; BLOCK]) -> Result<(Vec<Piece>, bool), String> {
    Ok((pieces(&block[EXTENDED_SPARSE])?, block[EXTENDED_MORE] != 0))
}

/// Pairs of offset and length, 12 bytes each, up to the first that is unused.
fn pieces(map: &[u8]) -> Result<Vec<Piece>, String> {
    map.chunks_exact(24)
        .take_while(|pair| pair[0] != 0 && pair[12] != 0)
        .map(|pair| {
            let (offset, length) = pair.split_at(12);
            Ok(Piece {
                offset: unsigned(offset, "sparse offset")?,
                length: unsigned(length, "sparse length")?,
            })
        })
        .collect()
}

/// What is before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn unsigned(field: &[u8], what: &str) -> Result<u64, String> {
    number(field).ok().and_then(|number| u64::try_from(number).ok()).ok_or_else(|| bad_number(what, field))
}

fn bad_number(what: &str, field: &[u8]) -> String {
    format!("the {what} is not a number: '{}'", field.escape_ascii())
}

/// Octal digits between spaces and NULs, or, where the first bit is set, a big-endian number in two's
/// complement of which that bit is not part (GNU tar manual, "Extensions to the Archive Format").
fn number(field: &[u8]) -> Result<i64, ()> {
    if field[0] & 0x80 != 0 {
        let negative = field[0] & 0x40 != 0;
        let first = if negative { field[0] } else { field[0] & 0x7f };
        let start = if negative { -1i128 } else { 0 };
        let number = field[1..]
            .iter()
            .fold(start << 8 | i128::from(first), |number, byte| number << 8 | i128::from(*byte));
        return i64::try_from(number).map_err(|_| ());
    }
    let digits = text(field).trim_ascii();
    digits.iter().try_fold(0i64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8).ok_or(()).map(|number| number + i64::from(digit - b'0')),
        _ => Err(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        let table: &[(&[u8], Result<i64, ()>)] = &[
            (b"0000644\0", Ok(0o644)),
            (b"   644 \0", Ok(0o644)),
            (b"\0\0\0\0\0\0\0\0", Ok(0)),
            (b"77777777", Ok(0o77777777)),
            (b"0000648\0", Err(())),
            (b"-1\0\0\0\0\0\0", Err(())),
            (b"\x80\0\0\0\0\0\x01\x00", Ok(256)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", Ok(-1)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Ok(i64::MAX)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", Err(())),
            (b"\x80\x01\0\0\0\0\0\0\0\0\0\0", Err(())),
        ];
        for (field, expect) in table {
            assert_eq!(number(field), *expect, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn a_block_without_its_checksum_is_no_header() {
        assert!(Header::parse(&[0; BLOCK]).is_none());
        let mut header = tar::Header::new_ustar();
        header.set_path("a/b").unwrap();
        header.set_size(7);
        header.set_cksum();
        let mut block = *header.as_bytes();
        assert_eq!(Header::parse(&block).unwrap().name(), b"a/b");
        assert_eq!(Header::parse(&block).unwrap().size(), Ok(7));
        block[0] ^= 1;
        assert!(Header::parse(&block).is_none());
    }
}
