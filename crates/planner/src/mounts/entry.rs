use super::id_map::{self, Mapping};
use super::options::MountOptions;
use crate::{Draft, Error, rootless};
use plan::{Cause, Follow, MountPoint, Target};
use spec::{Mount, NamespaceKind};
use std::path::{Component, Path, PathBuf};

/// Options of tmpfs, tmpfs(5). Those who write configurations name them also where its directory is shown by a bind mount,
/// which runc and crun took until runc 1.2.
const OF_TMPFS: [&str; 8] = ["mode", "uid", "gid", "size", "nr_blocks", "nr_inodes", "huge", "mpol"];

/// A mount of the configuration, understood.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub field: String,
    pub destination: PathBuf,
    pub fstype: String,
    pub source: Option<PathBuf>,
    pub options: MountOptions,
    pub mapping: Option<Mapping>,
}

/// All of them, in their order.
pub(super) fn entries(draft: &Draft) -> Result<Vec<Entry>, Error> {
    let mounts = draft.config.mounts.iter().enumerate();
    mounts.map(|(index, mount)| Entry::read(draft, index, mount)).collect()
}

impl Entry {
    fn read(draft: &Draft, index: usize, mount: &Mount) -> Result<Self, Error> {
        let field = format!("/mounts/{index}");
        if mount.destination.as_os_str().is_empty() {
            let field = format!("{field}/destination");
            return Err(Error::new(field, "a mount without a destination", "say where it shall appear"));
        }
        let mut options = MountOptions::parse(&mount.options);
        if mount.kind.as_deref() == Some("bind") && options.bind.is_none() {
            options.bind = Some(false);
        }
        let mut entry = Self {
            destination: mount.place(),
            fstype: mount.kind.clone().unwrap_or_default(),
            source: mount.source.clone().filter(|source| !source.as_os_str().is_empty()),
            mapping: id_map::read(draft, &field, mount, &options)?,
            field,
            options,
        };
        entry.check()?;
        entry.check_owner(draft)?;
        entry.show_that_of_machine(draft);
        Ok(entry)
    }

    /// A new file system that shows a namespace is for who owns that. To a user namespace that has none of its own the
    /// machine's is shown. Who is not root sees all that is mounted below it, too: the kernel lets nobody look beneath.
    fn show_that_of_machine(&mut self, draft: &Draft) {
        let (kind, place) = match self.fstype.as_str() {
            "sysfs" => (NamespaceKind::Network, "/sys"),
            "mqueue" => (NamespaceKind::Ipc, "/dev/mqueue"),
            "proc" => (NamespaceKind::Pid, "/proc"),
            _ => return,
        };
        let bound = self.options.bind.is_some() || self.options.remount;
        if bound || draft.namespaces.owns(kind, draft.facts.in_user_namespace()) {
            return;
        }
        let recursive = draft.facts.rootless.is_some();
        self.options.bind = Some(recursive);
        if recursive {
            self.options.recursive = self.options.recursive.then(self.options.own);
        }
        self.options.data.clear();
        self.source = Some(place.into());
    }

    /// Whether a mount of the machine is copied.
    pub fn is_bind(&self) -> bool {
        self.options.bind.is_some() && !self.options.remount
    }

    fn error(&self, field: &str, message: impl Into<String>, hint: &str) -> Error {
        Error::new(format!("{}/{field}", self.field), message, hint)
    }

    fn check(&self) -> Result<(), Error> {
        let options = &self.options;
        if self.is_bind() && self.source.is_none() {
            let hint = "name the file or directory of the machine that shall appear there";
            return Err(self.error("source", "a bind mount without a source", hint));
        }
        if options.bind.is_some()
            && let Some((key, _)) = options.data.iter().find(|(key, _)| !OF_TMPFS.contains(&key.as_str()))
        {
            let message = format!("{key:?} is no option of a bind mount");
            return Err(self.error("options", message, "mount(8) lists the options"));
        }
        if options.bind.is_none() && self.fstype.is_empty() && !options.remount {
            let hint = "give a file system of /proc/filesystems, or the option bind";
            return Err(self.error("type", "neither a type nor a bind mount", hint));
        }
        if options.copy_up && (self.fstype != "tmpfs" || options.bind.is_some() || options.remount) {
            let hint = "drop the option, or make it a mount of type tmpfs";
            return Err(self.error("options", "tmpcopyup is for a new tmpfs alone", hint));
        }
        if self.mapping.is_some() && (options.remount || matches!(self.fstype.as_str(), "cgroup" | "cgroup2"))
        {
            let message = "owners can be mapped in a bind mount and in a new file system, not here";
            return Err(self.error("options", message, "drop idmap and the mappings"));
        }
        if self.is_top() && (options.copy_up || options.remount) {
            let hint = "root.readonly makes the root read-only";
            return Err(self.error("destination", "this cannot be done to the root itself", hint));
        }
        self.check_below_proc()
    }

    /// An owner that has no id in the user namespace of an ordinary user, like the group of terminals where only root is
    /// mapped.
    fn check_owner(&self, draft: &Draft) -> Result<(), Error> {
        let concerned = draft.facts.rootless.is_some() && draft.namespaces.makes(NamespaceKind::User);
        if self.options.bind.is_some() || !concerned {
            return Ok(());
        }
        let lists = [
            ("uid", &draft.linux.uid_mappings, "uidMappings"),
            ("gid", &draft.linux.gid_mappings, "gidMappings"),
        ];
        for (key, mappings, list) in lists {
            let value = self
                .options
                .data
                .iter()
                .find(|(known, _)| known == key)
                .and_then(|(_, value)| value.as_ref());
            let unmapped = |id: &&String| id.parse().is_ok_and(|id| !rootless::maps(mappings, id));
            if let Some(id) = value.filter(unmapped) {
                let message = format!("{key}={id} has no mapping in the user namespace");
                return Err(self.error("options", message, &format!("drop it, or extend {list}")));
            }
        }
        Ok(())
    }

    /// Nothing may lie over /proc but what is known to be harmless: our own writes and the masks rely on it
    /// (CVE-2019-16884, CVE-2025-52881).
    fn check_below_proc(&self) -> Result<(), Error> {
        const HARMLESS: [&str; 12] = [
            "/proc/cpuinfo",
            "/proc/diskstats",
            "/proc/loadavg",
            "/proc/meminfo",
            "/proc/net/dev",
            "/proc/slabinfo",
            "/proc/stat",
            "/proc/swaps",
            "/proc/sys/crypto/fips_enabled",
            "/proc/sys/kernel/ns_last_pid",
            "/proc/sys/kernel/random/boot_id",
            "/proc/uptime",
        ];
        let path = &self.destination;
        let refused = if path == Path::new("/proc") {
            // A bind of the machine's own /proc is what --pid host in a user namespace needs.
            let bound = self.is_bind() && self.source.as_deref() == Some(Path::new("/proc"));
            self.fstype != "proc" && !bound && !self.options.remount
        } else {
            path.starts_with("/proc") && !HARMLESS.iter().any(|harmless| path == Path::new(harmless))
        };
        if refused {
            let message = format!("a mount on {} would let the container forge /proc", path.display());
            return Err(self.error("destination", message, "mount it somewhere else"));
        }
        Ok(())
    }

    /// Whether it covers the root.
    pub fn is_top(&self) -> bool {
        self.destination == Path::new("/")
    }

    pub fn cause(&self, why: &'static str) -> Cause {
        Cause::new(self.field.clone(), why)
    }

    pub fn target(&self, missing: MountPoint) -> Target {
        let follow = match self.fstype.as_str() {
            "proc" | "sysfs" => Follow::Never,
            _ => Follow::InRoot,
        };
        Target::Inside { path: self.destination.clone(), follow, missing }
    }

    /// What the user should know about it.
    pub fn notes(&self, mount: &Mount) -> Vec<String> {
        let mut notes = Vec::new();
        if mount.destination.is_relative() {
            let (given, taken) = (mount.destination.display(), self.destination.display());
            let field = &self.field;
            notes.push(format!(
                "{field}/destination: {given} is not absolute, which is deprecated; {taken} is taken"
            ));
        }
        let options = &self.options;
        let of_files =
            options.superblock.iter().copied().chain(options.data.iter().map(|(key, _)| key.as_str()));
        let shared = "it belongs to the file system, which a bind mount shares";
        let shared = of_files.filter(|_| options.bind.is_some()).map(|option| (option, shared));
        for (option, why) in options.idle.iter().copied().chain(shared) {
            notes.push(format!("{}/options: {option} has no effect: {why}", self.field));
        }
        notes
    }
}

/// A path inside the container in its plain form: absolute, no `.`, no `..`, not the root itself.
pub(crate) fn inside(path: &Path) -> Option<PathBuf> {
    let plain = spec::inside(path);
    let climbs = path.components().any(|component| component == Component::ParentDir);
    (plain != Path::new("/") && !climbs).then_some(plain)
}

/// Whether a mount of the configuration covers `path` with the machine's own tree, so that nothing should
/// be made there.
pub(crate) fn binds_over(draft: &Draft, path: &str) -> bool {
    draft.config.mounts.iter().any(|mount| {
        let bind = mount.kind.as_deref() == Some("bind")
            || mount.options.iter().any(|o| o == "bind" || o == "rbind");
        bind && mount.place() == Path::new(path)
    })
}

/// Whether devices in a user namespace have to be bound: mknod(2) needs the initial one.
pub(crate) fn binds_devices(draft: &Draft) -> bool {
    draft.namespaces.has(NamespaceKind::User) || draft.facts.in_user_namespace()
}
