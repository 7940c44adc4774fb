//! The names in an archive, made into paths under the root.

use crate::error::Fault;
use crate::limits::{NAME_BYTES, PATH_BYTES};

/// A path under the root: components joined by single slashes, none of them `.` or `..`. Empty is the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootPath(Vec<u8>);

impl RootPath {
    /// Takes an entry's name, or a hard link's target, as tar does: leading slashes are dropped. A `..` is
    /// refused wherever it is, as no tar of a root file system has one. `what` is for the message.
    pub(crate) fn parse(raw: &[u8], what: &'static str) -> Result<Self, Fault> {
        if raw.is_empty() {
            return Err(Fault::BadName(format!("{what} is empty")));
        }
        if raw.contains(&0) {
            return Err(Fault::BadName(format!("{what} contains a NUL byte")));
        }
        let mut path = Vec::with_capacity(raw.len());
        for component in raw.split(|byte| *byte == b'/') {
            match component {
                b"" | b"." => continue,
                b".." => return Err(Fault::DotDot { what }),
                long if long.len() > NAME_BYTES => {
                    let length = long.len();
                    return Err(Fault::BadName(format!(
                        "{what} has a component of {length} bytes; Linux allows {NAME_BYTES}"
                    )));
                }
                _ => {}
            }
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(component);
        }
        if path.len() > PATH_BYTES {
            let length = path.len();
            return Err(Fault::BadName(format!("{what} has {length} bytes; Linux allows {PATH_BYTES}")));
        }
        Ok(Self(path))
    }

    /// The path's bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The parent's path and the last component; none for the root.
    pub(crate) fn split(&self) -> Option<(&[u8], &[u8])> {
        split(&self.0)
    }
}

/// [`RootPath::split`] for a path that is already clean.
pub(crate) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.is_empty() {
        return None;
    }
    Some(match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_under_the_root() {
        let table: &[(&[u8], &[u8])] = &[
            (b"./", b""),
            (b"/", b""),
            (b"./usr/bin/", b"usr/bin"),
            (b"/etc/passwd", b"etc/passwd"),
            (b"//a/./b//c", b"a/b/c"),
            (b"...", b"..."),
            (b"..a/b..", b"..a/b.."),
            (b"\xff\xfe", b"\xff\xfe"),
        ];
        for (raw, expect) in table {
            assert_eq!(RootPath::parse(raw, "the name").unwrap().as_bytes(), *expect);
        }
    }

    #[test]
    fn names_that_no_file_can_have_are_refused() {
        let (long, deep) = ([b'a'; 256], b"a/".repeat(2100));
        for raw in [&b""[..], b"..", b"../x", b"a/../b", b"a/..", b"/..", b"a\0b", &long, &deep] {
            assert!(RootPath::parse(raw, "the name").is_err(), "{}", raw.escape_ascii());
        }
    }
}
