//! `/etc/subuid` and `/etc/subgid`: the ids that a machine gives to its users (subuid(5)).

/// Consecutive ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub first: u32,
    /// How many.
    pub size: u32,
}

impl Span {
    /// The one after the last.
    #[must_use]
    pub fn end(self) -> u64 {
        u64::from(self.first) + u64::from(self.size)
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        u64::from(self.first) < other.end() && u64::from(other.first) < self.end()
    }
}

/// The ranges that are given to one of these names. One with root's own id is none to give away.
#[must_use]
pub fn delegated(text: &str, names: &[&str]) -> Vec<Span> {
    let read = |line: &str| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let span = Span { first: fields.next()?.parse().ok()?, size: fields.next()?.parse().ok()? };
        (names.contains(&owner) && span.first > 0 && span.end() <= u64::from(u32::MAX)).then_some(span)
    };
    text.lines().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delegation_is_for_a_known_name() {
        let span = |first, size| Span { first, size };
        let table: [(&str, &[&str], &[Span]); 6] = [
            ("me:100000:65536\nroot:165536:65536\n", &["root"], &[span(165_536, 65536)]),
            ("0:200000:100000\nroot:1:2", &["root", "0"], &[span(200_000, 100_000), span(1, 2)]),
            ("root:4294960000:65536", &["root"], &[]),
            ("root:0:65536", &["root"], &[]),
            ("root:x:65536\nroot", &["root"], &[]),
            ("", &["root"], &[]),
        ];
        for (text, names, expect) in table {
            assert_eq!(delegated(text, names), expect, "{text:?}");
        }
    }
}
