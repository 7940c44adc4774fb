//! A runtime that is not root of the machine: an ordinary user, or root of a user namespace (user_namespaces(7)).

use crate::Error;
use crate::kernel::read;
use plan::facts::{CgroupLayout, CgroupV2, Delegated, Rootless};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::path::{Path, PathBuf};

/// What who is not root of the machine may do; `None` for root, who is asked nothing more.
pub(crate) fn rootless() -> Result<Option<Rootless>, Error> {
    let in_user_namespace = in_user_namespace()?;
    if rustix::process::geteuid().is_root() && !in_user_namespace {
        return Ok(None);
    }
    Ok(Some(Rootless {
        in_user_namespace,
        may_mount: may_mount(),
        setgroups: read("/proc/self/setgroups").is_ok_and(|text| text.trim() == "allow"),
        oom_score_adj: read("/proc/self/oom_score_adj")?.trim().parse().unwrap_or_default(),
        newuidmap: program("newuidmap"),
        newgidmap: program("newgidmap"),
        closed: Vec::new(),
    }))
}

/// Whether this process is in a user namespace that somebody made: only the initial one maps every id to itself.
///
/// # Errors
/// `/proc/self/uid_map` is there and cannot be read.
pub fn in_user_namespace() -> Result<bool, Error> {
    match read("/proc/self/uid_map") {
        Ok(text) => Ok(!is_initial(&text)),
        // A kernel without user namespaces.
        Err(Error::Read { source: Errno::NOENT, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_initial(uid_map: &str) -> bool {
    uid_map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// open_tree(2) asks for CAP_SYS_ADMIN over the mount namespace before it looks at the path, which is none.
fn may_mount() -> bool {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    !matches!(open_tree(CWD, c"", flags), Err(Errno::PERM | Errno::NOSYS))
}

/// A program of the machine, as a shell would find it; the usual directories are looked in where `PATH` has not all of
/// them.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from);
    let directories = std::env::split_paths(&path).filter(|directory| directory.is_absolute()).chain(usual);
    directories
        .map(|directory| directory.join(name))
        .find(|file| allows(file, Access::EXEC_OK) && file.is_file())
}

/// The mount points of those hierarchies in which this process may not make, or not join, the group that is listed.
#[must_use]
pub fn closed(layout: &CgroupLayout, groups: &[PathBuf]) -> Vec<PathBuf> {
    let v1 = layout.v1.iter().map(|hierarchy| (&hierarchy.mount, None));
    let v2 = layout.v2.iter().map(|hierarchy| (&hierarchy.mount, Some(&hierarchy.own)));
    v1.chain(v2)
        .filter(|(mount, own)| {
            let group = groups.iter().find(|group| group.starts_with(mount));
            group
                .is_some_and(|group| !may_make(group) || own.is_some_and(|own| !may_enter(mount, own, group)))
        })
        .map(|(mount, _)| mount.clone())
        .collect()
}

/// The part of the v2 hierarchy in which the group that is listed is made: from the lowest group above it that exists.
#[must_use]
pub fn delegated(v2: &CgroupV2, groups: &[PathBuf]) -> Option<Delegated> {
    let group = groups.iter().find(|group| group.starts_with(&v2.mount))?;
    let above = group.ancestors().skip(1).find(|above| above.exists())?;
    Some(Delegated { group: above.to_owned(), controllers: crate::cgroups::controllers(above)? })
}

/// Whether a group can be made, or one that is there can be used.
fn may_make(group: &Path) -> bool {
    let there = group.ancestors().find(|above| above.exists());
    there.is_some_and(|there| match there == group {
        true => allows(&there.join("cgroup.procs"), Access::WRITE_OK),
        false => allows(there, Access::WRITE_OK | Access::EXEC_OK),
    })
}

/// In v2 who moves a process has to be allowed to move it in all that is common to both groups (cgroups(7),
/// "cgroup delegation containment").
fn may_enter(mount: &Path, own: &Path, group: &Path) -> bool {
    let own = mount.join(own.strip_prefix("/").unwrap_or(own));
    let common = group.ancestors().find(|above| own.starts_with(above));
    common.is_some_and(|common| allows(&common.join("cgroup.procs"), Access::WRITE_OK))
}

/// As the effective user, which access(2) does not ask for.
fn allows(path: &Path, access: Access) -> bool {
    accessat(CWD, path, access, AtFlags::EACCESS).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_initial_namespace_maps_every_id_to_itself() {
        for (text, initial) in [
            ("         0          0 4294967295\n", true),
            ("         0       1000          1\n", false),
            ("         0          0      65536\n", false),
            ("0 1000 1\n1 100000 65536\n", false),
            ("", false),
        ] {
            assert_eq!(is_initial(text), initial, "{text:?}");
        }
    }

    #[test]
    fn a_group_is_closed_where_nobody_may_write() {
        let layout = CgroupLayout {
            v1: vec![plan::facts::CgroupV1 {
                controllers: vec!["pids".into()],
                mount: "/proc/self".into(),
                own: "/".into(),
            }],
            v2: None,
        };
        assert_eq!(closed(&layout, &["/proc/self/web".into()]), layout_mounts(&layout));
        assert_eq!(closed(&layout, &["/elsewhere/web".into()]), Vec::<PathBuf>::new());
    }

    fn layout_mounts(layout: &CgroupLayout) -> Vec<PathBuf> {
        layout.v1.iter().map(|v1| v1.mount.clone()).collect()
    }
}
