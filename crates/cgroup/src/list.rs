//! Processors and memory nodes, as the kernel lists them.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Processors or nodes: `0-3,7` (cpuset(7), "List format"). Kept as ranges, in order and apart, so that it is never larger
/// than the text, and that two texts that mean the same are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List(Vec<RangeInclusive<u32>>);

/// The text is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAList;

impl List {
    /// The highest number that there can be: far above what any kernel is built for.
    pub const HIGHEST: u32 = 1 << 16;

    /// The numbers, the lowest first.
    pub fn members(&self) -> impl Iterator<Item = u32> {
        self.0.iter().cloned().flatten()
    }

    /// The highest of them.
    #[must_use]
    pub fn last(&self) -> Option<u32> {
        self.0.last().map(|range| *range.end())
    }

    fn of(mut ranges: Vec<RangeInclusive<u32>>) -> Self {
        ranges.sort_unstable_by_key(|range| *range.start());
        let mut joined: Vec<RangeInclusive<u32>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if *range.start() <= last.end() + 1 => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => joined.push(range),
            }
        }
        Self(joined)
    }
}

impl FromStr for List {
    type Err = NotAList;

    fn from_str(text: &str) -> Result<Self, NotAList> {
        let number = |text: &str| text.trim().parse().map_err(|_| NotAList);
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let range = number(first)?..=number(last)?;
            if range.is_empty() || *range.end() > Self::HIGHEST { Err(NotAList) } else { Ok(range) }
        };
        let parts = text.trim().split(',').filter(|part| !part.is_empty());
        Ok(Self::of(parts.map(range).collect::<Result<_, _>>()?))
    }
}

impl fmt::Display for List {
    /// As the kernel prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}", range.start())?;
            if range.start() < range.end() {
                write!(f, "-{}", range.end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors() {
        for (text, printed, members) in [
            ("0-2,5\n", "0-2,5", &[0, 1, 2, 5][..]),
            ("3", "3", &[3]),
            ("", "", &[]),
            ("\n", "", &[]),
            ("5,0-1,2", "0-2,5", &[0, 1, 2, 5]),
            ("1-3,2,2-4", "1-4", &[1, 2, 3, 4]),
            ("0-3,1", "0-3", &[0, 1, 2, 3]),
        ] {
            let list: List = text.parse().unwrap();
            assert_eq!((list.to_string().as_str(), list.members().collect()), (printed, members.to_vec()));
            assert_eq!(list.last(), members.last().copied());
        }
        for text in ["2-1", "a", "0-", "-1", "0-99999999", "1-2-3"] {
            assert_eq!(text.parse::<List>(), Err(NotAList), "{text}");
        }
    }
}
