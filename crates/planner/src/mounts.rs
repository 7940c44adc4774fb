use crate::mount_options::{Change, MountOptions};
use crate::{Draft, Error, namespaces};
use plan::{Attr, Cause, Follow, MountPoint, Op, Propagation, Slot, Target, TreeSource};
use spec::{Mount, NamespaceKind};
use std::path::{Component, Path, PathBuf};

/// A mount of the configuration, understood.
#[derive(Debug, Clone)]
struct Entry {
    field: String,
    destination: PathBuf,
    fstype: String,
    source: Option<PathBuf>,
    options: MountOptions,
}

impl Entry {
    fn read(index: usize, mount: &Mount) -> Result<Self, Error> {
        let field = format!("/mounts/{index}");
        let destination = inside(&mount.destination).ok_or_else(|| {
            let message = format!("{} is no path to mount on", mount.destination.display());
            Error::new(
                format!("{field}/destination"),
                message,
                "give an absolute path below / and without \"..\"",
            )
        })?;
        let mut options = MountOptions::parse(&mount.options);
        if mount.kind.as_deref() == Some("bind") && options.bind.is_none() {
            options.bind = Some(false);
        }
        if !mount.uid_mappings.is_empty() || !mount.gid_mappings.is_empty() {
            options.unsupported.push("idmap".to_owned());
        }
        if let Some(option) = options.unsupported.first() {
            let message = format!("mount option {option:?} is not supported yet");
            return Err(Error::new(format!("{field}/options"), message, "drop the option"));
        }
        let entry = Self {
            fstype: mount.kind.clone().unwrap_or_default(),
            source: mount.source.clone().filter(|source| !source.as_os_str().is_empty()),
            field,
            destination,
            options,
        };
        entry.check()?;
        Ok(entry)
    }

    fn check(&self) -> Result<(), Error> {
        if self.options.bind.is_some() && self.source.is_none() {
            let hint = "name the file or directory of the machine that shall appear there";
            return Err(Error::new(format!("{}/source", self.field), "a bind mount without a source", hint));
        }
        if self.options.bind.is_some()
            && let Some((key, _)) = self.options.data.first()
        {
            let message = format!("{key:?} is no option of a bind mount");
            return Err(Error::new(format!("{}/options", self.field), message, "mount(8) lists the options"));
        }
        if self.options.bind.is_none() && self.fstype.is_empty() {
            let hint = "give a file system of /proc/filesystems, or the option bind";
            return Err(Error::new(format!("{}/type", self.field), "neither a type nor a bind mount", hint));
        }
        self.check_below_proc()
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
        let bound = self.options.bind.is_some();
        let refused = if path == Path::new("/proc") {
            // A bind of the machine's own /proc is what --pid host in a user namespace needs.
            self.fstype != "proc" && !(bound && self.source.as_deref() == Some(Path::new("/proc")))
        } else {
            path.starts_with("/proc") && !HARMLESS.iter().any(|harmless| path == Path::new(harmless))
        };
        if refused {
            let message = format!("a mount on {} would let the container forge /proc", path.display());
            return Err(Error::new(
                format!("{}/destination", self.field),
                message,
                "mount it somewhere else",
            ));
        }
        Ok(())
    }

    fn cause(&self, why: &'static str) -> Cause {
        Cause::new(self.field.clone(), why)
    }

    fn target(&self, missing: MountPoint) -> Target {
        let follow = match self.fstype.as_str() {
            "proc" | "sysfs" => Follow::Never,
            _ => Follow::InRoot,
        };
        Target::Inside { path: self.destination.clone(), follow, missing }
    }
}

/// A path inside the container in its plain form: absolute, no `.`, no `..`, not the root itself.
pub(crate) fn inside(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
        }
    }
    (plain != Path::new("/")).then_some(plain)
}

fn entries(draft: &Draft) -> Result<Vec<Entry>, Error> {
    draft.config.mounts.iter().enumerate().map(|(index, mount)| Entry::read(index, mount)).collect()
}

/// Opens the sources of bind mounts, before propagation is cut: a `shared` mount keeps its peers.
pub(crate) fn sources(draft: &mut Draft) -> Result<(), Error> {
    for entry in entries(draft)? {
        let (Some(recursive), Some(source)) = (entry.options.bind, &entry.source) else { continue };
        let slot = draft.new_mount();
        draft.bound.push(slot);
        let source = TreeSource::Path(draft.bundle.join(source));
        let cause = entry.cause("a copy of the mount, held by descriptor until it has a place");
        draft.sources().push(Op::CloneTree { source, recursive, slot }, cause);
        for op in bind_attributes(&entry.options, slot) {
            let cause =
                entry.cause("set before the mount can be seen, so that it is never more than asked for");
            draft.sources().push(op, cause);
        }
    }
    Ok(())
}

/// What makes a copied mount what the options say.
fn bind_attributes(options: &MountOptions, slot: Slot) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut set = |recursive, Change { set, clear }: Change, propagation| {
        ops.push(Op::SetAttr { slot, recursive, set, clear, propagation });
    };
    // Unless asked for, events of the machine come in and none go out, as for the rest of the tree.
    let (propagation, recursive) = options.propagation.unwrap_or((Propagation::Slave, true));
    if propagation != Propagation::Shared {
        set(recursive, Change::default(), Some(propagation));
    }
    if !options.recursive.is_empty() {
        set(true, options.recursive, None);
    }
    if !options.own.is_empty() {
        set(false, options.own, None);
    }
    ops
}

/// Makes the mounts of the configuration, in its order.
pub(crate) fn mount(draft: &mut Draft) -> Result<(), Error> {
    let mut bound = std::mem::take(&mut draft.bound).into_iter();
    for entry in entries(draft)? {
        if entry.options.bind.is_some() {
            let slot =
                bound.next().ok_or_else(|| Error::new(&*entry.field, "its source was not opened", ""))?;
            let op = Op::Attach { slot, target: entry.target(MountPoint::Same) };
            draft.plan.init.push(
                op,
                entry.cause("by descriptor on both ends: no path is resolved twice (CVE-2021-30465)"),
            );
        } else if entry.fstype == "cgroup" || entry.fstype == "cgroup2" {
            cgroup(draft, &entry);
        } else {
            file_system(draft, &entry);
        }
    }
    Ok(())
}

fn file_system(draft: &mut Draft, entry: &Entry) {
    if entry.fstype == "sysfs" {
        namespaces::network(draft);
    }
    let slot = draft.new_mount();
    let set = entry.options.own.set.with(entry.options.recursive.set);
    let source = entry.source.as_ref().map(|source| source.to_string_lossy().into_owned());
    let op = Op::NewMount {
        fstype: entry.fstype.clone(),
        source,
        options: entry.options.data.clone(),
        attr: set,
        slot,
    };
    draft.plan.init.push(op, entry.cause(why(&entry.fstype)));
    if let Some((propagation, recursive)) = entry.options.propagation {
        let op = Op::SetAttr {
            slot,
            recursive,
            set: Attr::NONE,
            clear: Attr::NONE,
            propagation: Some(propagation),
        };
        draft.plan.init.push(op, entry.cause("a new mount is private; this was asked for"));
    }
    let op = Op::Attach { slot, target: entry.target(MountPoint::Directory) };
    draft.plan.init.push(op, entry.cause("by descriptor: no path is resolved twice (CVE-2021-30465)"));
}

fn why(fstype: &str) -> &'static str {
    match fstype {
        "proc" => "shows the processes of the pid namespace that it is made in",
        "sysfs" => "shows the devices of the network namespace that it is made in",
        "devpts" => "pseudo terminals of the container's own",
        "mqueue" => "message queues of the ipc namespace that it is made in",
        "tmpfs" => "memory, gone with the container",
        _ => "a new file system, not seen until it has a place",
    }
}

/// The container's own cgroups: on v2 one mount, on v1 one for each hierarchy below a tmpfs.
///
/// They are copies of the mounts of the machine, cut at the container's own group: the same as a new
/// `cgroup` file system in the new cgroup namespace, without asking the kernel for one.
fn cgroup(draft: &mut Draft, entry: &Entry) {
    // In the order in which the host sends.
    namespaces::network(draft);
    namespaces::cgroup(draft);
    let attr = entry.options.own.set;
    let groups = draft.cgroup.directories.clone();
    let layout = &draft.facts.cgroups;
    if layout.is_unified() {
        if let Some(group) = groups.first() {
            copy_group(draft, entry, group, entry.target(MountPoint::Directory), attr);
        }
        return;
    }
    let hierarchies: Vec<(PathBuf, PathBuf)> = layout
        .v1
        .iter()
        .map(|hierarchy| &hierarchy.mount)
        .chain(layout.v2.iter().map(|hierarchy| &hierarchy.mount))
        .filter_map(|mount| {
            let group = groups.iter().find(|group| group.starts_with(mount))?;
            Some((mount.file_name()?.into(), group.clone()))
        })
        .collect();
    let slot = draft.new_mount();
    let options = vec![("mode".to_owned(), Some("755".to_owned()))];
    let source = Some("tmpfs".to_owned());
    let op =
        Op::NewMount { fstype: "tmpfs".to_owned(), source, options, attr: attr.without(Attr::RDONLY), slot };
    draft.plan.init.push(op, entry.cause("a directory for each v1 hierarchy"));
    let names = hierarchies.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    draft.plan.init.push(Op::MakeDirectories { slot, names }, entry.cause("where the hierarchies go"));
    if attr.contains(Attr::RDONLY) {
        let op =
            Op::SetAttr { slot, recursive: false, set: Attr::RDONLY, clear: Attr::NONE, propagation: None };
        draft.plan.init.push(op, entry.cause("its directories are made, now it can be read-only"));
    }
    let op = Op::Attach { slot, target: entry.target(MountPoint::Directory) };
    draft.plan.init.push(op, entry.cause("by descriptor: no path is resolved twice (CVE-2021-30465)"));
    for (name, group) in hierarchies {
        let path = entry.destination.join(name);
        let target = Target::Inside { path, follow: Follow::Never, missing: MountPoint::Directory };
        copy_group(draft, entry, &group, target, attr);
    }
}

fn copy_group(draft: &mut Draft, entry: &Entry, group: &Path, target: Target, attr: Attr) {
    let slot = draft.new_mount();
    let source = TreeSource::Path(group.to_owned());
    let why = "the container's own group, as the root of what it sees";
    draft.plan.init.push(Op::CloneTree { source, recursive: false, slot }, entry.cause(why));
    let op = Op::SetAttr {
        slot,
        recursive: false,
        set: attr,
        clear: Attr::NONE,
        propagation: Some(Propagation::Private),
    };
    draft.plan.init.push(op, entry.cause("as the options say, and apart from the machine's mount"));
    draft.plan.init.push(Op::Attach { slot, target }, entry.cause(why));
}

/// Whether a mount of the configuration covers `path` with the machine's own tree, so that nothing should
/// be made there.
pub(crate) fn binds_over(draft: &Draft, path: &str) -> bool {
    draft.config.mounts.iter().any(|mount| {
        let bind = mount.kind.as_deref() == Some("bind")
            || mount.options.iter().any(|o| o == "bind" || o == "rbind");
        bind && inside(&mount.destination).as_deref() == Some(Path::new(path))
    })
}

/// Whether devices in a user namespace have to be bound: mknod(2) needs the initial one.
pub(crate) fn binds_devices(draft: &Draft) -> bool {
    draft.namespaces.has(NamespaceKind::User)
}
