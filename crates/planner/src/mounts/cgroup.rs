use super::entry::Entry;
use crate::{Draft, Error, namespaces};
use plan::{Attr, Follow, MountPoint, Op, Propagation, Slot, Target, TreeSource};
use std::path::{Path, PathBuf};

/// The container's own cgroups: on v2 one mount, on v1 one for each hierarchy below a tmpfs.
///
/// They are copies of the mounts of the machine, cut at the container's own group: the same as a new
/// `cgroup` file system in a new cgroup namespace, without asking the kernel for one, and the right thing
/// without such a namespace and in a user namespace, which may not have one.
pub(super) fn mount(draft: &mut Draft, entry: &Entry) -> Result<(), Error> {
    // In the order in which the host sends.
    namespaces::network(draft);
    namespaces::cgroup(draft);
    let attr = entry.options.recursive.then(entry.options.own).set;
    let layout = &draft.facts.cgroups;
    if layout.is_unified() || entry.fstype == "cgroup2" {
        let Some(unified) = &layout.v2 else {
            let hint = "give it the type cgroup, which is for what the machine has";
            return Err(Error::new(
                format!("{}/type", entry.field),
                "this machine has no cgroup v2 hierarchy",
                hint,
            ));
        };
        let group = group_in(draft, &unified.mount, &unified.own);
        copy_group(draft, entry, &group, entry.target(MountPoint::Directory), attr);
        return Ok(());
    }
    let v1 = layout.v1.iter().map(|hierarchy| (&hierarchy.mount, &hierarchy.own));
    let all = v1.chain(layout.v2.iter().map(|hierarchy| (&hierarchy.mount, &hierarchy.own)));
    let hierarchies: Vec<(String, PathBuf)> = all
        .filter_map(|(mount, own)| {
            Some((mount.file_name()?.to_string_lossy().into_owned(), group_in(draft, mount, own)))
        })
        .collect();
    let slot = directory(draft, entry, attr, &hierarchies);
    for (name, group) in &hierarchies {
        let path = entry.destination.join(name);
        let target = Target::Inside { path, follow: Follow::Never, missing: MountPoint::Directory };
        copy_group(draft, entry, group, target, attr);
    }
    link_controllers(draft, entry, &hierarchies);
    if attr.contains(Attr::RDONLY) {
        let (set, clear) = (Attr::RDONLY, Attr::NONE);
        let op = Op::SetAttr { slot, recursive: false, set, clear, propagation: None };
        draft.plan.init.push(op, entry.cause("all that is in it is made, now it can be read-only"));
    }
    Ok(())
}

/// The container's group in the hierarchy mounted at `mount`; the runtime's own where it has none.
fn group_in(draft: &Draft, mount: &Path, own: &Path) -> PathBuf {
    let group = draft.cgroup.directories.iter().find(|group| group.starts_with(mount));
    group.cloned().unwrap_or_else(|| mount.join(own.strip_prefix("/").unwrap_or(own)))
}

/// A tmpfs with a directory for each hierarchy.
fn directory(draft: &mut Draft, entry: &Entry, attr: Attr, hierarchies: &[(String, PathBuf)]) -> Slot {
    let slot = draft.new_mount();
    let mut options = vec![("mode".to_owned(), Some("755".to_owned()))];
    options.extend(super::label(draft));
    let (fstype, source) = ("tmpfs".to_owned(), Some("tmpfs".to_owned()));
    let op = Op::NewMount { fstype, source, options, attr: attr.without(Attr::RDONLY), slot };
    draft.plan.init.push(op, entry.cause("a directory for each v1 hierarchy"));
    let names = hierarchies.iter().map(|(name, _)| name.clone()).collect();
    draft.plan.init.push(Op::MakeDirectories { slot, names }, entry.cause("where the hierarchies go"));
    let op = Op::Attach { slot, target: entry.target(MountPoint::Directory) };
    draft.plan.init.push(op, entry.cause("by descriptor: no path is resolved twice (CVE-2021-30465)"));
    slot
}

/// `cpu` for `cpu,cpuacct` and the like: programs look for a controller by its own name.
fn link_controllers(draft: &mut Draft, entry: &Entry, hierarchies: &[(String, PathBuf)]) {
    for (name, _) in hierarchies.iter().filter(|(name, _)| name.contains(',')) {
        for controller in name.split(',') {
            let path = entry.destination.join(controller);
            let op = Op::MakeSymlink { target: name.clone(), path };
            let cause = entry.cause("a controller is found by its own name, too");
            draft.plan.init.push_tolerant(op, cause, &[plan::Errno::EEXIST]);
        }
    }
}

fn copy_group(draft: &mut Draft, entry: &Entry, group: &Path, target: Target, attr: Attr) {
    let slot = draft.new_mount();
    let source = TreeSource::Path(group.to_owned());
    let why = "the container's own group, as the root of what it sees";
    draft.plan.init.push(Op::CloneTree { source, recursive: false, slot }, entry.cause(why));
    let propagation = entry.options.propagation.map_or(Propagation::Private, |(propagation, _)| propagation);
    let (set, clear) = (attr, Attr::NONE);
    let op = Op::SetAttr { slot, recursive: false, set, clear, propagation: Some(propagation) };
    draft.plan.init.push(op, entry.cause("as the options say, and apart from the machine's mount"));
    draft.plan.init.push(Op::Attach { slot, target }, entry.cause(why));
}
