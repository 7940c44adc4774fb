use serde::{Serialize, Serializer};
use std::fmt;

/// Processors or memory nodes, in the list form of cpuset(7): `0-3,7`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers(Vec<(u32, u32)>);

impl Numbers {
    /// Reads a list whose highest number may be `highest`; `None`: it is none.
    ///
    /// ```
    /// use plan::Numbers;
    /// let list = Numbers::parse("4,0-2,1", 7).expect("a list");
    /// assert_eq!(list.to_string(), "0-2,4");
    /// assert_eq!(list.mask(), [0b1_0111]);
    /// assert_eq!(Numbers::parse("3-1", 7), None);
    /// assert_eq!(Numbers::parse("8", 7), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str, highest: u32) -> Option<Self> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u32>().ok()).flatten().filter(|number| *number <= highest)
        };
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let range = (number(first)?, number(last)?);
            (range.0 <= range.1).then_some(range)
        };
        let mut ranges = text.trim().split(',').map(|part| range(part.trim())).collect::<Option<Vec<_>>>()?;
        ranges.sort_unstable();
        Some(Self(joined(&ranges)))
    }

    /// One bit for each number, 64 in a word, as sched_setaffinity(2) and set_mempolicy(2) take it.
    #[must_use]
    pub fn mask(&self) -> Vec<u64> {
        let words = self.0.last().map_or(0, |(_, last)| *last as usize / 64 + 1);
        let mut mask = vec![0; words];
        for number in self.iter() {
            mask[number as usize / 64] |= 1 << (number % 64);
        }
        mask
    }

    /// The numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Sorted ranges, without overlaps and gaps of nothing.
fn joined(ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if *first <= before.1 + 1 => before.1 = before.1.max(*last),
            _ => joined.push((*first, *last)),
        }
    }
    joined
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_the_kernel_reads_them() {
        let cases = [
            ("0", Some(("0", vec![1]))),
            ("0-3,7", Some(("0-3,7", vec![0x8f]))),
            ("7,0-3", Some(("0-3,7", vec![0x8f]))),
            ("1-2,2-5,6", Some(("1-6", vec![0x7e]))),
            ("64", Some(("64", vec![0, 1]))),
            (" 1 , 2\n", Some(("1-2", vec![6]))),
            ("", None),
            (",", None),
            ("1-", None),
            ("2-1", None),
            ("+1", None),
            ("128", None),
            ("4294967296", None),
            ("bad", None),
        ];
        for (text, expect) in cases {
            let read = Numbers::parse(text, 127).map(|list| (list.to_string(), list.mask()));
            assert_eq!(read, expect.map(|(text, mask)| (text.to_owned(), mask)), "{text:?}");
        }
    }
}
