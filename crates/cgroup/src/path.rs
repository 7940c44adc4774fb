//! Where a container's group is below each hierarchy.

use crate::Error;
use spec::ContainerId;
use std::path::{Component, Path, PathBuf};

/// What the names of groups begin with, for containers that do not say where theirs is. There is no group above
/// them all: in each of the v1 hierarchies it would have to be made for the first container and removed after the
/// last, which takes as long as the containers' own.
const DEFAULT_PREFIX: &str = "cuddy-";

/// `cgroupsPath` (config-linux.md, "Cgroups Path"), read and found harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPath {
    /// From the root of each hierarchy; else from the runtime's own group.
    absolute: bool,
    /// Relative, normal components only, at least one.
    path: PathBuf,
}

impl GroupPath {
    /// Reads a `cgroupsPath`. Left out or empty it is `/cuddy-ID`.
    pub fn new(cgroups_path: Option<&str>, id: &ContainerId) -> Result<Self, Error> {
        let Some(text) = cgroups_path.filter(|text| !text.is_empty()) else {
            return Ok(Self { absolute: true, path: format!("{DEFAULT_PREFIX}{id}").into() });
        };
        let refuse = |problem| Err(Error::Path { path: text.to_owned(), problem });
        let mut path = PathBuf::new();
        for component in Path::new(text).components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::ParentDir => {
                    return refuse("has a `..`: a group could leave its place in the tree");
                }
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        if path.as_os_str().is_empty() {
            return refuse("names the root itself; a container needs a group of its own");
        }
        if text.contains(['\0', '\n']) {
            return refuse("has a character that the name of a cgroup cannot have");
        }
        Ok(Self { absolute: text.starts_with('/'), path })
    }

    /// The group of a unit, which systemd has named.
    pub fn of_unit(group: &Path) -> Self {
        Self { absolute: true, path: group.strip_prefix("/").unwrap_or(group).to_owned() }
    }

    /// The group below a hierarchy, from its mount point.
    ///
    /// A relative path starts where runc starts it: in v1 at the runtime's own group; in v2 at the group above
    /// that one, because a v2 group with processes cannot give controllers to groups below it
    /// (cgroups(7), "no internal processes" rule).
    pub fn below(&self, own: &Path, beside_own: bool) -> PathBuf {
        let own = own.strip_prefix("/").unwrap_or(own);
        let base = match (self.absolute, beside_own) {
            (true, _) => Path::new(""),
            (false, true) => own.parent().unwrap_or(Path::new("")),
            (false, false) => own,
        };
        base.join(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_from_the_root_and_relative_from_our_own_group() {
        let id: ContainerId = "web".parse().unwrap();
        for (path, v1, v2) in [
            (None, "cuddy-web", "cuddy-web"),
            (Some(""), "cuddy-web", "cuddy-web"),
            (Some("/a/b"), "a/b", "a/b"),
            (Some("//a/./b/"), "a/b", "a/b"),
            (Some("a/b"), "own/group/a/b", "own/a/b"),
            (Some("./a"), "own/group/a", "own/a"),
        ] {
            let path = GroupPath::new(path, &id).unwrap();
            assert_eq!(path.below(Path::new("/own/group"), false), Path::new(v1), "{path:?}");
            assert_eq!(path.below(Path::new("/own/group"), true), Path::new(v2), "{path:?}");
        }
        let relative = GroupPath::new(Some("a"), &id).unwrap();
        assert_eq!(relative.below(Path::new("/"), true), Path::new("a"));
    }

    #[test]
    fn a_path_that_leaves_the_tree_or_names_no_group_is_refused() {
        for path in ["/a/../b", "..", "a/..", "/", ".", "a\nb"] {
            let error = GroupPath::new(Some(path), &"web".parse().unwrap()).unwrap_err();
            assert!(matches!(error, Error::Path { .. }), "{path}");
        }
    }
}
