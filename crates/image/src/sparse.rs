//! Sparse files: which bytes of the file the archive has, in GNU's four formats.
//!
//! The formats are those of the GNU tar manual, "Storing Sparse Files": the old one in the header block
//! (read by [`header`](crate::header)), and 0.0, 0.1 and 1.0 in extended headers.

use crate::limits::SPARSE_PIECES;

/// A run of bytes that the archive has. What is between two of them is a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where in the file.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

/// The contents of a regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// The runs that the archive has, in order and apart from each other.
    pub pieces: Vec<Piece>,
    /// Bytes of the whole file.
    pub size: u64,
}

impl Content {
    /// A file without holes.
    pub(crate) fn whole(size: u64) -> Self {
        Self { pieces: vec![Piece { offset: 0, length: size }], size }
    }

    /// A file with holes, of which the archive has `stored` bytes.
    pub(crate) fn sparse(pieces: Vec<Piece>, size: u64, stored: u64) -> Result<Self, String> {
        let (mut end, mut sum) = (0u64, 0u64);
        for piece in &pieces {
            if piece.offset < end {
                return Err("the map of the sparse file is not in order".into());
            }
            end = piece
                .offset
                .checked_add(piece.length)
                .filter(|end| *end <= size)
                .ok_or("the map of the sparse file goes beyond its size")?;
            sum += piece.length;
        }
        match sum == stored {
            true => Ok(Self { pieces, size }),
            false => Err(format!("the map of the sparse file has {sum} bytes, the archive {stored}")),
        }
    }
}

/// Adds pieces to a map, up to the most that one may have.
pub(crate) fn extend(map: &mut Vec<Piece>, pieces: impl IntoIterator<Item = Piece>) -> Result<(), String> {
    for piece in pieces {
        if map.len() == SPARSE_PIECES {
            return Err(format!("the map of the sparse file has more than {SPARSE_PIECES} pieces"));
        }
        map.push(piece);
    }
    Ok(())
}

/// Format 0.1: `offset,length,offset,length` in one record.
pub(crate) fn from_list(list: &[u8]) -> Result<Vec<Piece>, String> {
    let numbers = list
        .split(|byte| *byte == b',')
        .filter(|number| !number.is_empty())
        .map(decimal)
        .collect::<Result<Vec<_>, _>>()?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    let mut map = Vec::new();
    extend(&mut map, pairs.iter().map(|&[offset, length]| Piece { offset, length }))?;
    if rest.is_empty() {
        Ok(map)
    } else {
        Err("the map of the sparse file has an odd count of numbers".into())
    }
}

/// Format 1.0: the map comes before the data, as decimal numbers with a line feed each: the count of
/// pieces, then offset and length of each. `next` gives the next byte of the data.
pub(crate) fn from_data<E>(mut next: impl FnMut() -> Result<u8, E>) -> Result<Result<Vec<Piece>, String>, E> {
    let mut line = || -> Result<Result<u64, String>, E> {
        let mut digits = Vec::new();
        loop {
            match next()? {
                b'\n' => return Ok(decimal(&digits)),
                _ if digits.len() == 20 => {
                    return Ok(Err("a number in the map of the sparse file is too long".into()));
                }
                digit => digits.push(digit),
            }
        }
    };
    let count = match line()? {
        Ok(count) if count <= SPARSE_PIECES as u64 => count,
        Ok(_) => return Ok(Err(format!("the map of the sparse file has more than {SPARSE_PIECES} pieces"))),
        Err(reason) => return Ok(Err(reason)),
    };
    let mut map = Vec::new();
    for _ in 0..count {
        match (line()?, line()?) {
            (Ok(offset), Ok(length)) => map.push(Piece { offset, length }),
            (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(map))
}

/// A number in decimal digits.
pub(crate) fn decimal(digits: &[u8]) -> Result<u64, String> {
    let number = || {
        digits.iter().try_fold(0u64, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        })
    };
    number()
        .filter(|_| !digits.is_empty())
        .ok_or_else(|| format!("'{}' is not a number", digits.escape_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(u64, u64)]) -> Vec<Piece> {
        pairs.iter().map(|&(offset, length)| Piece { offset, length }).collect()
    }

    #[test]
    fn maps_are_read_from_lists_and_from_data() {
        assert_eq!(from_list(b"0,512,4096,10"), Ok(map(&[(0, 512), (4096, 10)])));
        assert!(from_list(b"0,512,4096").is_err());
        assert!(from_list(b"0,x").is_err());
        let mut bytes = b"2\n0\n512\n4096\n10\n".iter().copied();
        assert_eq!(from_data(|| bytes.next().ok_or(())), Ok(Ok(map(&[(0, 512), (4096, 10)]))));
        let mut bytes = b"99999999\n".iter().copied();
        assert!(from_data(|| bytes.next().ok_or(())).unwrap().is_err());
    }

    #[test]
    fn maps_that_do_not_fit_their_file_are_refused() {
        assert!(Content::sparse(map(&[(0, 512), (4096, 10)]), 8192, 522).is_ok());
        for (pairs, size, stored) in [
            (&[(0, 512), (256, 10)][..], 8192, 522),
            (&[(0, 512), (8190, 10)], 8192, 522),
            (&[(u64::MAX, 2)], u64::MAX, 2),
            (&[(0, 512)], 8192, 522),
        ] {
            assert!(Content::sparse(map(pairs), size, stored).is_err(), "{pairs:?}");
        }
    }
}
