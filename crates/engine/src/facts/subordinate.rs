//! Ids for `--userns auto`.

use std::fs;

/// How many ids `--userns auto` maps: all that 16-bit programs know, and what distributions delegate.
pub const IDS: u32 = 65536;

/// The first host id of `--userns auto` on a machine that delegates none to root: far above the ids of
/// people, services and the usual delegations, and below 2^31.
pub const FALLBACK_FIRST_ID: u32 = 0x4000_0000;

/// [`IDS`] ids of the host that no user of it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first user id.
    pub uid: u32,
    /// The first group id.
    pub gid: u32,
}

/// What `/etc/subuid` and `/etc/subgid` (subuid(5)) delegate to root, else the fixed range.
pub(super) fn find() -> Range {
    let delegated = |path| fs::read_to_string(path).ok().and_then(|text| delegated_to_root(&text));
    match (delegated("/etc/subuid"), delegated("/etc/subgid")) {
        (Some(uid), Some(gid)) => Range { uid, gid },
        _ => Range { uid: FALLBACK_FIRST_ID, gid: FALLBACK_FIRST_ID },
    }
}

/// The first id of a range for root that is long enough.
fn delegated_to_root(text: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let (first, size): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let last = first.checked_add(IDS)?;
        (matches!(owner, "root" | "0") && size >= IDS && first > 0 && last < u32::MAX).then_some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delegation_is_roots_and_long_enough() {
        let table = [
            ("me:100000:65536\nroot:165536:65536\n", Some(165_536)),
            ("0:200000:100000", Some(200_000)),
            ("root:100000:1000", None),
            ("root:4294960000:65536", None),
            ("root:0:65536", None),
            ("root:x:65536\nroot", None),
            ("", None),
        ];
        for (text, expect) in table {
            assert_eq!(delegated_to_root(text), expect, "{text:?}");
        }
    }
}
