//! The control group hierarchies, where they are mounted, and the group of this process in each.
//!
//! cgroups(7) leaves mount points to the administrator, yet all but a few machines use one of three layouts:
//!
//! - v2 only: `/sys/fs/cgroup` is the v2 hierarchy;
//! - v1: `/sys/fs/cgroup` is a tmpfs with a directory per hierarchy, named after its controllers;
//! - hybrid: v1, and a v2 hierarchy at `/sys/fs/cgroup/unified`.
//!
//! These are looked for first, each candidate proven by the magic number of its file system. What is not found
//! there is searched for in mountinfo.

use crate::Error;
use crate::kernel::read;
use crate::membership::{self, Hierarchy, Membership};
use crate::mountinfo::{self, CgroupMount};
use plan::facts::{CgroupLayout, CgroupV1, CgroupV2};
use rustix::fs::{Access, StatFs, access, statfs};
use std::path::{Component, Path, PathBuf};

const USUAL: &str = "/sys/fs/cgroup";
/// `CGROUP_SUPER_MAGIC` of `linux/magic.h`.
const V1_MAGIC: u64 = 0x0027_e0eb;
/// `CGROUP2_SUPER_MAGIC` of `linux/magic.h`.
const V2_MAGIC: u64 = 0x6367_7270;

/// How control groups are mounted on this machine, and where this process is in them.
///
/// # Errors
/// `/proc/self/cgroup`, `/proc/self/mountinfo` or `cgroup.controllers` cannot be read or made sense of.
pub fn cgroups() -> Result<CgroupLayout, Error> {
    let text = read(membership::FILE)?;
    let memberships = membership::parse(&text)?;
    let found: Vec<_> = memberships.into_iter().map(|m| (usual_place(&m), m)).collect();
    let mounts = if found.iter().all(|(place, _)| place.is_some()) {
        Vec::new()
    } else {
        mountinfo::cgroup_mounts(&read("/proc/self/mountinfo")?)
    };
    let mut layout = CgroupLayout::default();
    for (place, membership) in found {
        // A hierarchy that exists and is mounted nowhere here cannot be used.
        let Some(place) = place.or_else(|| mounted_place(&membership, &mounts)) else { continue };
        match membership.hierarchy {
            Hierarchy::V1(controllers) => {
                layout.v1.push(CgroupV1 { controllers, mount: place.mount, own: place.own });
            }
            Hierarchy::V2 => {
                let controllers = read(place.mount.join("cgroup.controllers"))?;
                let controllers = controllers.split_whitespace().map(str::to_owned).collect();
                layout.v2 =
                    Some(CgroupV2 { mount: place.mount, controllers, own: place.own, delegated: None });
            }
        }
    }
    Ok(layout)
}

/// The controllers that a v2 group was given.
pub(crate) fn controllers(group: &Path) -> Option<Vec<String>> {
    let text = read(group.join("cgroup.controllers")).ok()?;
    Some(text.split_whitespace().map(str::to_owned).collect())
}

/// A hierarchy in the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    mount: PathBuf,
    /// The group of this process, from the mount point.
    own: PathBuf,
}

/// Looks for a hierarchy where the usual layouts have it.
fn usual_place(membership: &Membership) -> Option<Place> {
    let (candidates, magic) = match &membership.hierarchy {
        Hierarchy::V2 => (vec![PathBuf::from(USUAL), Path::new(USUAL).join("unified")], V2_MAGIC),
        Hierarchy::V1(controllers) => (v1_candidates(controllers), V1_MAGIC),
    };
    let mount = candidates.into_iter().find(|candidate| is_filesystem(candidate, magic))?;
    let own = normal(&membership.group);
    // Where only a part of the hierarchy is mounted, as in a container without a cgroup namespace, the group
    // has another path from the mount point, and mountinfo knows which.
    let reachable = own == Path::new("/") || access(below(&mount, &own), Access::EXISTS).is_ok();
    reachable.then_some(Place { mount, own })
}

/// The directories that a v1 hierarchy may be mounted on: all controllers joined, each alone, and for a named
/// hierarchy its name.
fn v1_candidates(controllers: &[String]) -> Vec<PathBuf> {
    let base = Path::new(USUAL);
    let directory = |name: &str| base.join(name.strip_prefix("name=").unwrap_or(name));
    let mut candidates = vec![directory(&controllers.join(","))];
    if controllers.len() > 1 {
        candidates.extend(controllers.iter().map(|name| directory(name)));
    }
    candidates
}

/// Looks for a hierarchy among all mounts. The one mounted from the highest group is taken, the last of equals:
/// it hides the others.
fn mounted_place(membership: &Membership, mounts: &[CgroupMount]) -> Option<Place> {
    let same = |mount: &&CgroupMount| match (&mount.v1, &membership.hierarchy) {
        (None, Hierarchy::V2) => true,
        (Some(mounted), Hierarchy::V1(controllers)) => {
            mounted.len() == controllers.len() && controllers.iter().all(|c| mounted.contains(c))
        }
        _ => false,
    };
    let mount = mounts.iter().filter(same).rev().min_by_key(|mount| mount.root.components().count())?;
    Some(Place { mount: mount.point.clone(), own: from_mount(&mount.root, &membership.group) })
}

/// The path of `group` from a mount that shows the hierarchy from `root` on. A group that the mount does not
/// show cannot be named; the topmost group that it shows stands in for it.
fn from_mount(root: &Path, group: &Path) -> PathBuf {
    match group.strip_prefix(root) {
        Ok(rest) => normal(&Path::new("/").join(rest)),
        Err(_) => "/".into(),
    }
}

/// A path from the root of a hierarchy; one that leaves the cgroup namespace (`/../..`) becomes the root.
fn normal(group: &Path) -> PathBuf {
    if group.components().any(|part| part == Component::ParentDir) { "/".into() } else { group.to_owned() }
}

fn below(mount: &Path, group: &Path) -> PathBuf {
    mount.join(group.strip_prefix("/").unwrap_or(group))
}

fn is_filesystem(path: &Path, magic: u64) -> bool {
    statfs(path).is_ok_and(|StatFs { f_type, .. }| u64::try_from(f_type) == Ok(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v1(controllers: &[&str], group: &str) -> Membership {
        let controllers = controllers.iter().map(|&c| c.to_owned()).collect();
        Membership { hierarchy: Hierarchy::V1(controllers), group: group.into() }
    }

    fn v2(group: &str) -> Membership {
        Membership { hierarchy: Hierarchy::V2, group: group.into() }
    }

    #[test]
    fn v1_hierarchies_are_looked_for_by_their_controllers() {
        for (controllers, expect) in [
            (&["memory"][..], &["memory"][..]),
            (&["cpu", "cpuacct"], &["cpu,cpuacct", "cpu", "cpuacct"]),
            (&["name=systemd"], &["systemd"]),
        ] {
            let controllers: Vec<_> = controllers.iter().map(|&c| c.to_owned()).collect();
            let expect: Vec<_> = expect.iter().map(|e| Path::new(USUAL).join(e)).collect();
            assert_eq!(v1_candidates(&controllers), expect);
        }
    }

    #[test]
    fn mountinfo_finds_what_is_elsewhere() {
        let mounts = mountinfo::cgroup_mounts(
            "1 0 0:1 / /cg/cpu rw - cgroup cgroup rw,cpuacct,cpu\n\
             2 0 0:2 /docker/abc /cg/two\\040words rw - cgroup2 cgroup2 rw\n\
             3 0 0:3 / /cg/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
             4 0 0:4 /a /part rw - cgroup cgroup rw,pids\n\
             5 0 0:4 / /whole rw - cgroup cgroup rw,pids\n\
             6 0 0:4 /a/b /less rw - cgroup cgroup rw,pids\n",
        );
        for (membership, expect) in [
            (v1(&["cpu", "cpuacct"], "/x"), Some(("/cg/cpu", "/x"))),
            (v1(&["cpu"], "/x"), None),
            (v1(&["name=systemd"], "/"), Some(("/cg/systemd", "/"))),
            (v1(&["pids"], "/a/b"), Some(("/whole", "/a/b"))),
            (v1(&["memory"], "/"), None),
            (v2("/docker/abc"), Some(("/cg/two words", "/"))),
            (v2("/docker/abc/d"), Some(("/cg/two words", "/d"))),
            (v2("/elsewhere"), Some(("/cg/two words", "/"))),
            (v2("/../.."), Some(("/cg/two words", "/"))),
        ] {
            let expect = expect.map(|(mount, own)| Place { mount: mount.into(), own: own.into() });
            assert_eq!(mounted_place(&membership, &mounts), expect, "{membership:?}");
        }
    }

    #[test]
    fn a_mount_from_outside_the_namespace_shows_an_unnamed_group() {
        for (root, group, expect) in [
            ("/", "/a", "/a"),
            ("/a", "/a", "/"),
            ("/a", "/a/b", "/b"),
            ("/../..", "/", "/"),
            ("/..", "/../x", "/x"),
            ("/", "/../x", "/"),
        ] {
            assert_eq!(from_mount(Path::new(root), Path::new(group)), Path::new(expect), "{root} {group}");
        }
    }
}
