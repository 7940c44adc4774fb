use crate::IdMapping;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};

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
    /// Where it is inside the container, as [`inside`] has it.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        inside(&self.destination)
    }

    /// Whether it shows a tree of the machine; `Some(true)`: with all that is mounted below.
    #[must_use]
    pub fn binds(&self) -> Option<bool> {
        let has = |word: &str| self.options.iter().any(|option| option == word);
        let bind = has("rbind") || has("bind") || self.kind.as_deref() == Some("bind");
        (bind && !has("remount")).then(|| has("rbind"))
    }
}

/// A path inside the container in its plain form: absolute, without `.` and `..`; the root's own `..` is the
/// root. A relative one is relative to `/` (config.md, "Mounts").
#[must_use]
pub fn inside(path: &Path) -> PathBuf {
    let mut plain = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => drop(plain.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_stay_inside() {
        let cases = [
            ("/a/b", "/a/b"),
            ("a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("../../x", "/x"),
            ("/", "/"),
            ("/a/../..", "/"),
        ];
        for (path, expect) in cases {
            assert_eq!(inside(Path::new(path)), Path::new(expect), "{path}");
        }
    }
}
