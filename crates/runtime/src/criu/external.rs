//! What of a container is the machine's: criu does not save it but writes down its name, and is told at the restore
//! what has that name then.
//!
//! Names are those of runc, so that images of either can be restored by the other: a bind mount is called by its
//! destination, a masked file `/dev/null`, a joined namespace `extRootNetNS`.

use crate::Error;
use host::mountinfo::Mount;
use plan::NamespaceKind;
use plan::facts::CgroupLayout;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, StatxAttributes, StatxFlags};
use spec::Config;
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What every masked file is.
const MASK: &str = "/dev/null";

/// The devices that every container has, which are bound from the machine in a user namespace.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// A running container, as its files under `/proc` show it.
#[derive(Debug)]
pub(crate) struct Running {
    pub(super) proc: PathBuf,
    root: OwnedFd,
    pub(super) mounts: Vec<Mount>,
}

impl Running {
    /// Looks at the container whose first process has this pid.
    ///
    /// # Errors
    /// It has ended.
    pub fn open(pid: i32) -> io::Result<Self> {
        let proc = PathBuf::from(format!("/proc/{pid}"));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(proc.join("root"), flags, Mode::empty())?;
        let mounts = host::mountinfo::mounts(&std::fs::read_to_string(proc.join("mountinfo"))?);
        Ok(Self { proc, root, mounts })
    }

    /// The mounts that are the machine's: where they are, and their names.
    ///
    /// # Errors
    /// A path of the configuration cannot be looked at.
    pub fn mounts(&self, config: &Config, kinds: &[NamespaceKind]) -> io::Result<Vec<(PathBuf, PathBuf)>> {
        let mut found = BTreeMap::new();
        for mount in &config.mounts {
            let name = mount.place();
            let Some(recursive) = mount.binds() else { continue };
            let Some(top) = self.mount_at(&name)? else { continue };
            if recursive {
                for (point, rest) in below(&self.mounts, &top.point) {
                    if !is_made(config, &name.join(&rest)) {
                        found.insert(point, name.join(rest));
                    }
                }
            }
            found.insert(top.point.clone(), name);
        }
        let linux = config.linux.iter();
        let masked = linux.clone().flat_map(|linux| &linux.masked_paths).map(|path| (path.as_path(), MASK));
        let devices = linux.flat_map(|linux| &linux.devices).map(|device| device.path.as_path());
        let devices = DEVICES.map(Path::new).into_iter().chain(devices).map(|path| (path, ""));
        for (path, name) in masked.chain(devices) {
            let Some(mount) = self.file_mounted_at(path)? else { continue };
            let name = if name.is_empty() { path } else { Path::new(name) };
            found.entry(mount.point.clone()).or_insert_with(|| name.to_owned());
        }
        if !kinds.contains(&NamespaceKind::Cgroup) {
            let cgroups = self.mounts.iter().filter(|mount| mount.fstype.starts_with("cgroup"));
            found.extend(cgroups.map(|mount| (mount.point.clone(), mount.point.clone())));
        }
        Ok(found.into_iter().collect())
    }

    /// The mount whose top is at `path`; `None`: there is none, or nothing at all.
    fn mount_at(&self, path: &Path) -> io::Result<Option<&Mount>> {
        Ok(self.look(path)?.and_then(|(mount, _)| mount))
    }

    fn file_mounted_at(&self, path: &Path) -> io::Result<Option<&Mount>> {
        Ok(self.look(path)?.filter(|(_, directory)| !directory).and_then(|(mount, _)| mount))
    }

    fn look(&self, path: &Path) -> io::Result<Option<(Option<&Mount>, bool)>> {
        let relative = path.strip_prefix("/").unwrap_or(path);
        let file =
            match sys::path::open(&self.root, relative, OFlags::PATH, Mode::empty(), ResolveFlags::IN_ROOT) {
                Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
                file => file?,
            };
        let stat = rustix::fs::statx(&file, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID | StatxFlags::TYPE)?;
        let is_top = stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
        let mount = self.mounts.iter().find(|mount| is_top && mount.id == stat.stx_mnt_id);
        let directory =
            rustix::fs::FileType::from_raw_mode(stat.stx_mode.into()) == rustix::fs::FileType::Directory;
        Ok(Some((mount, directory)))
    }

    /// The namespaces that were joined by path, of those kinds that criu can leave out: `net[INODE]:extRootNetNS`.
    ///
    /// # Errors
    /// The container has ended.
    pub fn namespaces(&self, config: &Config) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for (kind, _) in joined(config).filter(|(kind, _)| planner::INHERITED.contains(kind)) {
            let word = kind.file_name();
            let inode = std::fs::metadata(self.proc.join("ns").join(word))?.ino();
            names.push(format!("{word}[{inode}]:{}", key(kind)));
        }
        Ok(names)
    }
}

/// The mounts of the machine for a restore: their names, and what has that name now.
///
/// # Errors
/// The machine's mounts cannot be read.
pub(crate) fn sources(
    config: &Config,
    bundle: &Path,
    cgroups: &[PathBuf],
    layout: &CgroupLayout,
) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
    let table = Path::new("/proc/self/mountinfo");
    let machine = std::fs::read_to_string(table).map_err(|error| Error::reading(table, error))?;
    let machine = host::mountinfo::mounts(&machine);
    let mut all = vec![(PathBuf::from(MASK), PathBuf::from(MASK))];
    for mount in &config.mounts {
        let name = mount.place();
        if let (Some(recursive), Some(source)) = (mount.binds(), &mount.source) {
            let source = bundle.join(source);
            let source = source.canonicalize().map_err(Error::file("cannot open", &source))?;
            if recursive {
                all.extend(below(&machine, &source).map(|(point, rest)| (name.join(rest), point)));
            }
            all.push((name, source));
        } else if mount.kind.as_deref().is_some_and(|kind| kind.starts_with("cgroup")) {
            all.extend(groups(&name, cgroups, layout));
        }
    }
    let linux = config.linux.iter();
    let masked = linux.clone().flat_map(|linux| &linux.masked_paths);
    all.extend(masked.map(|path| (path.clone(), PathBuf::from(MASK))));
    let devices = linux.flat_map(|linux| &linux.devices).map(|device| device.path.clone());
    let devices = DEVICES.into_iter().map(PathBuf::from).chain(devices);
    all.extend(devices.map(|path| (path.clone(), path)));
    Ok(all)
}

/// The container's groups below a mount of cgroups at `place`, by where each is seen.
fn groups(place: &Path, cgroups: &[PathBuf], layout: &CgroupLayout) -> Vec<(PathBuf, PathBuf)> {
    let group = |mount: &PathBuf| cgroups.iter().find(|group| group.starts_with(mount)).cloned();
    let unified = layout.v2.iter().map(|hierarchy| &hierarchy.mount);
    let whole = unified.clone().filter_map(|mount| Some((place.to_owned(), group(mount)?)));
    let each = layout.v1.iter().map(|hierarchy| &hierarchy.mount).chain(unified);
    let each = each.filter_map(|mount| Some((place.join(mount.file_name()?), group(mount)?)));
    whole.chain(each).collect()
}

/// The namespaces of a configuration that are joined by path.
pub(crate) fn joined(config: &Config) -> impl Iterator<Item = (NamespaceKind, &Path)> {
    let namespaces = config.linux.iter().flat_map(|linux| &linux.namespaces);
    namespaces.filter_map(|namespace| {
        let path = namespace.path.as_deref().filter(|path| !path.as_os_str().is_empty())?;
        Some((namespace.kind, path))
    })
}

/// The name under which a namespace that criu leaves out is given back to it.
pub(crate) fn key(kind: NamespaceKind) -> &'static str {
    match kind {
        NamespaceKind::Pid => "extRootPidNS",
        _ => "extRootNetNS",
    }
}

/// Mounts strictly below a directory: where they are, and that from the directory on.
fn below<'a>(mounts: &'a [Mount], top: &'a Path) -> impl Iterator<Item = (PathBuf, PathBuf)> + 'a {
    mounts.iter().filter_map(move |mount| {
        let rest = mount.point.strip_prefix(top).ok().filter(|rest| !rest.as_os_str().is_empty())?;
        Some((mount.point.clone(), rest.to_owned()))
    })
}

/// Whether the configuration itself makes a mount at `path`, or above it, that is not the machine's.
fn is_made(config: &Config, path: &Path) -> bool {
    let made = config.mounts.iter().filter(|mount| mount.binds().is_none());
    made.map(|mount| mount.place()).any(|made| path.starts_with(made))
}

/// The number of a descriptor, for who opens it through `/proc`.
pub(crate) fn number(descriptor: &OwnedFd) -> i64 {
    descriptor.as_raw_fd().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_bind_mount_is_the_machines_unless_the_configuration_made_it() {
        let mount = |id, point: &str| Mount { id, point: point.into(), fstype: "tmpfs".into() };
        let mounts = [mount(1, "/"), mount(2, "/data"), mount(3, "/data/a/b"), mount(4, "/database")];
        let found: Vec<_> = below(&mounts, Path::new("/data")).collect();
        assert_eq!(found, [(PathBuf::from("/data/a/b"), PathBuf::from("a/b"))]);
        let config: Config = spec::from_slice(
            br#"{"ociVersion": "1.0.0", "mounts": [
                {"destination": "/data", "type": "bind", "source": "/x", "options": ["rbind"]},
                {"destination": "/data/tmp", "type": "tmpfs", "source": "tmpfs"}]}"#,
        )
        .unwrap();
        for (path, made) in [("/data/tmp", true), ("/data/tmp/x", true), ("/data/x", false)] {
            assert_eq!(is_made(&config, Path::new(path)), made, "{path}");
        }
    }
}
