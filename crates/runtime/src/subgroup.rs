//! The cgroups that one more process is started in.

use crate::{Container, Error};
use std::path::{Component, Path, PathBuf};

/// What `exec --cgroup` asks for: a group below the container's, in the hierarchies of these controllers, or in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subgroup {
    /// Controllers of v1; empty: all hierarchies.
    pub controllers: Vec<String>,
    /// The group, from the container's own on.
    pub path: PathBuf,
}

/// Where one more process is started: its group in the v2 hierarchy, and those in v1's.
#[derive(Debug)]
pub(crate) struct Groups {
    pub unified: Option<PathBuf>,
    pub others: Vec<PathBuf>,
}

/// The container's groups with what was asked for in place of them.
pub(crate) fn choose(container: &Container, asked: &[Subgroup]) -> Result<Groups, Error> {
    let mut groups = container.record.cgroups.clone();
    let place = groups.iter().position(|group| Some(group) == container.record.unified.as_ref());
    if asked.is_empty() {
        let unified =
            place.map(|place| groups.remove(place)).map(|group| of_init(container, group)).transpose()?;
        return Ok(Groups { unified, others: groups });
    }
    let layout = host::cgroups()?;
    for Subgroup { controllers, path } in asked {
        let below = inside(path).ok_or_else(|| Error::Subgroup {
            path: path.clone(),
            problem: "bad sub cgroup path: it is not below the container's".to_owned(),
        })?;
        for group in groups.iter_mut().filter(|_| controllers.is_empty()) {
            group.push(&below);
        }
        for controller in controllers {
            let hierarchy = layout.v1_with(controller);
            let group = hierarchy.and_then(|v1| groups.iter_mut().find(|group| group.starts_with(&v1.mount)));
            let group = group.ok_or_else(|| Error::Subgroup {
                path: path.clone(),
                problem: format!("unknown controller {controller}"),
            })?;
            group.push(&below);
        }
    }
    match groups.iter().find(|group| !group.is_dir()) {
        Some(missing) => Err(Error::Subgroup {
            path: missing.clone(),
            problem: "no such file or directory; make it in the container before".to_owned(),
        }),
        None => Ok(Groups { unified: place.map(|place| groups.remove(place)), others: groups }),
    }
}

/// The path without what does not change it; `None`: it leads out.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::ParentDir => inside.pop().then_some(())?,
            _ => {}
        }
    }
    Some(inside)
}

/// A v2 group that gives controllers to groups below it can have no process (cgroups(7), "no internal processes"): systemd
/// in a container makes the container's own group one. A new process is then where the first one is.
fn of_init(container: &Container, group: PathBuf) -> Result<PathBuf, Error> {
    let gives = std::fs::read_to_string(group.join("cgroup.subtree_control")).unwrap_or_default();
    if gives.trim().is_empty() {
        return Ok(group);
    }
    let (Some(v2), Some(pid)) = (host::cgroups()?.v2, container.pid()) else { return Ok(group) };
    let theirs = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let path = theirs.lines().find_map(|line| line.strip_prefix("0::/"));
    Ok(match path.map(|path| v2.mount.join(path)) {
        Some(path) if path.starts_with(&group) => path,
        _ => group,
    })
}

#[cfg(test)]
mod tests {
    use super::inside;
    use std::path::{Path, PathBuf};

    #[test]
    fn a_path_does_not_lead_out() {
        for (path, expect) in [
            ("/", Some("")),
            ("a/b", Some("a/b")),
            ("/a/./b/", Some("a/b")),
            ("a/../b", Some("b")),
            ("..", None),
            ("a/../..", None),
        ] {
            assert_eq!(inside(Path::new(path)), expect.map(PathBuf::from), "{path}");
        }
    }
}
