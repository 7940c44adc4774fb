//! Mounts in `/proc/PID/mountinfo` (proc_pid_mountinfo(5)).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// A mount of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Its number, `stx_mnt_id` of statx(2).
    pub id: u64,
    /// Where it is mounted, from the root of the process whose file it is.
    pub point: PathBuf,
    /// What kind of file system it is.
    pub fstype: String,
}

/// All mounts in the text of a mountinfo file, in its order. Lines that are not understood are passed over.
#[must_use]
pub fn mounts(mountinfo: &str) -> Vec<Mount> {
    let mount =
        |line: Line| Mount { id: line.id, point: unescape(line.point), fstype: line.fstype.to_owned() };
    mountinfo.lines().filter_map(Line::read).map(mount).collect()
}

/// A mount of a control group hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupMount {
    /// The group that is seen at the mount point, from the root of the hierarchy or of the cgroup namespace.
    pub root: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
    /// Controllers of a v1 hierarchy, with a named one as `name=systemd`; `None`: this is v2.
    pub v1: Option<Vec<String>>,
}

/// The control group mounts in the text of a mountinfo file. Those of other file systems, and lines that are not
/// understood, are passed over.
#[must_use]
pub fn cgroup_mounts(mountinfo: &str) -> Vec<CgroupMount> {
    let mount = |line: Line| {
        let v1 = match line.fstype {
            "cgroup2" => None,
            "cgroup" => {
                Some(line.options.split(',').filter(|o| is_controller(o)).map(str::to_owned).collect())
            }
            _ => return None,
        };
        Some(CgroupMount { root: unescape(line.root), point: unescape(line.point), v1 })
    };
    mountinfo.lines().filter_map(Line::read).filter_map(mount).collect()
}

/// The first mount point of a file system of this type.
#[must_use]
pub fn find(mountinfo: &str, fstype: &str) -> Option<PathBuf> {
    let found = mountinfo.lines().filter_map(Line::read).find(|line| line.fstype == fstype);
    found.map(|line| unescape(line.point))
}

/// The fields of a line: `35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory`.
struct Line<'a> {
    id: u64,
    root: &'a str,
    point: &'a str,
    fstype: &'a str,
    /// Of the file system, not of the mount.
    options: &'a str,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let (mut mount, mut filesystem) = (mount.split(' '), filesystem.split(' '));
        let id = mount.next()?.parse().ok()?;
        let (root, point) = (mount.nth(2)?, mount.next()?);
        let (fstype, options) = (filesystem.next()?, filesystem.nth(1)?);
        Some(Self { id, root, point, fstype, options })
    }
}

/// Whether a mount option of a v1 hierarchy names a controller. The rest are flags (cgroup_v1 documentation
/// of the kernel, "Basic usage").
fn is_controller(option: &str) -> bool {
    const FLAGS: [&str; 8] =
        ["rw", "ro", "noprefix", "clone_children", "xattr", "cpuset_v2_mode", "favordynmods", "none"];
    !FLAGS.contains(&option) && !option.starts_with("release_agent=")
}

/// Undoes the escapes of mountinfo: space, tab, newline and backslash are written in octal, like `\040`.
fn unescape(field: &str) -> PathBuf {
    let bytes = field.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let octal = match bytes[at] {
            b'\\' => field.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok()),
            _ => None,
        };
        out.push(octal.unwrap_or(bytes[at]));
        at += if octal.is_some() { 4 } else { 1 };
    }
    PathBuf::from(OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mount_has_a_number_and_a_place() {
        let text = "24 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\ngarbage\n\
                    99 24 0:5 /x /a\\040b rw - tmpfs none rw\n";
        let mount = |id, point: &str, fstype: &str| Mount { id, point: point.into(), fstype: fstype.into() };
        assert_eq!(mounts(text), [mount(24, "/", "ext4"), mount(99, "/a b", "tmpfs")]);
    }

    #[test]
    fn lines_are_read_and_other_file_systems_passed_over() {
        let v1 = |root: &str, point: &str, controllers: &[&str]| CgroupMount {
            root: root.into(),
            point: point.into(),
            v1: Some(controllers.iter().map(|&c| c.to_owned()).collect()),
        };
        let v2 = |root: &str, point: &str| CgroupMount { root: root.into(), point: point.into(), v1: None };
        for (line, expect) in [
            ("24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw", vec![]),
            (
                "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
                vec![v1("/", "/sys/fs/cgroup/memory", &["memory"])],
            ),
            (
                "36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 master:2 - cgroup cgroup rw,cpu,cpuacct",
                vec![v1("/", "/sys/fs/cgroup/cpu,cpuacct", &["cpu", "cpuacct"])],
            ),
            (
                "30 29 0:26 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,name=systemd",
                vec![v1("/", "/sys/fs/cgroup/systemd", &["name=systemd"])],
            ),
            (
                "30 29 0:26 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,release_agent=/lib/systemd/agent,name=systemd",
                vec![v1("/", "/sys/fs/cgroup/systemd", &["name=systemd"])],
            ),
            (
                "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
                vec![v2("/", "/sys/fs/cgroup/unified")],
            ),
            (
                "99 98 0:38 /docker/abc /my\\040groups/a\\134b rw - cgroup2 none rw,nsdelegate",
                vec![v2("/docker/abc", "/my groups/a\\b")],
            ),
            ("99 98 0:38 /../.. /sys/fs/cgroup rw - cgroup2 cgroup rw", vec![v2("/../..", "/sys/fs/cgroup")]),
            ("99 98 0:38 / /ends\\04 rw - cgroup2 cgroup rw", vec![v2("/", "/ends\\04")]),
            ("garbage", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(cgroup_mounts(line), expect, "{line}");
        }
    }
}
