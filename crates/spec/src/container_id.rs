use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The name of a container: what it is called on the command line, and its directory on disk.
///
/// Made of `A-Z a-z 0-9 _ + - .`, as in runc, at most 255 bytes (the length of a file name), and never
/// `.` or `..`. So it can be a path component without further thought.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerId(String);

/// Why a string cannot name a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The empty string.
    #[error("a container's name cannot be empty")]
    Empty,
    /// Longer than a file name may be.
    #[error("a container's name has at most 255 bytes, not {0}")]
    Long(usize),
    /// `.` or `..`.
    #[error("\"{0}\" names a directory and cannot name a container")]
    Dots(String),
    /// A character outside the set.
    #[error("container name {name:?}: {character:?} is not one of A-Z a-z 0-9 _ + - .")]
    Character {
        /// The name given.
        name: String,
        /// Its first offending character.
        character: char,
    },
}

impl ContainerId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContainerId {
    type Err = InvalidId;

    fn from_str(name: &str) -> Result<Self, InvalidId> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+-.".contains(c);
        if name.is_empty() {
            return Err(InvalidId::Empty);
        }
        if name.len() > 255 {
            return Err(InvalidId::Long(name.len()));
        }
        if name == "." || name == ".." {
            return Err(InvalidId::Dots(name.to_owned()));
        }
        if let Some(character) = name.chars().find(|c| !allowed(*c)) {
            return Err(InvalidId::Character { name: name.to_owned(), character });
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for ContainerId {
    type Error = InvalidId;

    fn try_from(name: String) -> Result<Self, InvalidId> {
        name.parse()
    }
}

impl From<ContainerId> for String {
    fn from(id: ContainerId) -> Self {
        id.0
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_component_and_nothing_more() {
        let long = "x".repeat(256);
        let cases = [
            ("web", true),
            ("web-1.2_3+4", true),
            ("...", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a/b", false),
            ("a\0b", false),
            ("a b", false),
            ("ü", false),
            (&long, false),
            (&long[..255], true),
        ];
        for (name, valid) in cases {
            assert_eq!(name.parse::<ContainerId>().is_ok(), valid, "{name:?}");
        }
    }
}
