//! What a container may do with files, ports and other processes, for Landlock (landlock(7)).
//!
//! The runtime specification has no place for it, so it stands in an annotation, as JSON.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The annotation.
pub const LANDLOCK: &str = "run.cuddy.landlock";

/// A set of rules. What is named in none of the lists stays as it is; a list that is there denies all that it does not
/// allow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Landlock {
    /// Whether to go on without what this kernel's Landlock cannot do yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub best_effort: bool,
    /// The only access to files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<PathRule>>,
    /// The only TCP ports that can be listened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind: Option<Vec<u16>>,
    /// The only TCP ports that can be connected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Vec<u16>>,
    /// What does not reach processes outside: `abstract_unix_socket`, `signal`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// Access to a file, or to all below a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRule {
    /// Absolute, in the container.
    pub path: PathBuf,
    /// Rights like `read_file`, or `read`, `write` and `execute` for groups of them.
    pub access: Vec<String>,
}
