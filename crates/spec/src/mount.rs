use crate::IdMapping;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One entry of `mounts` (config.md, "Mounts").
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// Absolute path inside the container.
    pub destination: PathBuf,
    /// File system type, as in `/proc/filesystems`; `bind` with an option `bind` or `rbind`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// A device, a name, or for bind mounts a path: absolute or relative to the bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
    /// Options in the form of fstab(5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// User id mapping of an idmapped mount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uid_mappings: Vec<IdMapping>,
    /// Group id mapping of an idmapped mount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gid_mappings: Vec<IdMapping>,
}

impl Mount {
    /// Whether it shows a tree of the machine; `Some(true)`: with all that is mounted below.
    #[must_use]
    pub fn binds(&self) -> Option<bool> {
        let has = |word: &str| self.options.iter().any(|option| option == word);
        let bind = has("rbind") || has("bind") || self.kind.as_deref() == Some("bind");
        (bind && !has("remount")).then(|| has("rbind"))
    }
}
