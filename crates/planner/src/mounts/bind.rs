use super::entry::{Entry, entries};
use super::id_map;
use super::options::{Change, MountOptions};
use crate::{Draft, Error, RootSource, root};
use plan::{Cause, MountPoint, Op, Propagation, Slot, TreeSource};
use spec::NamespaceKind;
use std::path::{Component, Path, PathBuf};

/// Makes the id mappings of mounts, before the fork.
pub(crate) fn id_maps(draft: &mut Draft) -> Result<(), Error> {
    for entry in entries(draft)? {
        if let Some(mapping) = &entry.mapping {
            id_map::slot(draft, &mapping.ids, &entry.field);
        }
    }
    Ok(())
}

/// Opens the sources of bind mounts, before propagation is cut: a `shared` mount keeps its peers.
pub(crate) fn sources(draft: &mut Draft) -> Result<(), Error> {
    for entry in entries(draft)? {
        if entry.is_bind() && in_root(draft, &entry).is_none() {
            let slot = draft.new_mount();
            draft.carried.bound.push(slot);
            let source = draft.bundle.join(entry.source.as_deref().unwrap_or(Path::new("")));
            let steps = copy(draft, &entry, TreeSource::Path(source), slot);
            steps.into_iter().for_each(|(op, cause)| draft.sources().push(op, cause));
        }
    }
    Ok(())
}

/// Opens a source at its turn among the mounts: what earlier ones have mounted in the root is a part of it. Links in an
/// image or in a volume are not to lead out of the root (CVE-2024-1753), so it is resolved as the container would.
pub(super) fn source_in_root(draft: &mut Draft, entry: &Entry, path: PathBuf) -> Slot {
    let slot = draft.new_mount();
    let steps = copy(draft, entry, TreeSource::Inside(path), slot);
    steps.into_iter().for_each(|(op, cause)| draft.plan.init.push(op, cause));
    slot
}

/// The source as a path of the container, if it lies in the container's root as a path of the machine. Owners that a user
/// namespace may not map are mapped by the host, which does not see the container's mounts.
pub(super) fn in_root(draft: &Draft, entry: &Entry) -> Option<PathBuf> {
    let source = draft.bundle.join(entry.source.as_deref()?);
    let inside = source.strip_prefix(root::place(draft).ok()?).ok()?;
    let for_host = entry.mapping.is_some() && draft.namespaces.has(NamespaceKind::User);
    let names = inside.components().all(|part| matches!(part, Component::Normal(_)));
    let is_below = names && !inside.as_os_str().is_empty();
    (is_below && !for_host && draft.options.root == RootSource::Configured)
        .then(|| Path::new("/").join(inside))
}

/// What makes a copy of the source that nobody sees yet.
fn copy(draft: &mut Draft, entry: &Entry, source: TreeSource, slot: Slot) -> Vec<(Op, Cause)> {
    let op = Op::CloneTree { source, recursive: entry.options.bind == Some(true), slot };
    let why = "a copy of the mount, held by descriptor until it has a place";
    let mut steps = vec![(op, entry.cause(why))];
    if let Some(op) = set_id_map(draft, entry, slot) {
        steps.push((op, entry.cause("as long as nobody can see it, owners can be mapped")));
    }
    for op in attributes(&entry.options, slot, default_propagation(draft)) {
        let why = "set before the mount can be seen, so that it is never more than asked for";
        steps.push((op, entry.cause(why)));
    }
    steps
}

/// Attaches a bind mount whose source was opened.
pub(super) fn attach(draft: &mut Draft, entry: &Entry, slot: Slot) {
    let op = Op::Attach { slot, target: entry.target(MountPoint::Same) };
    let why = "by descriptor on both ends: no path is resolved twice (CVE-2021-30465)";
    draft.plan.init.push(op, entry.cause(why));
}

pub(super) fn set_id_map(draft: &mut Draft, entry: &Entry, slot: Slot) -> Option<Op> {
    let mapping = entry.mapping.as_ref()?;
    let map = id_map::slot(draft, &mapping.ids, &entry.field);
    Some(Op::SetIdMap { slot, map, recursive: mapping.recursive })
}

/// What a bind mount is that does not say: unless the whole root is to be apart from the machine, events of
/// the machine come in and none go out.
fn default_propagation(draft: &Draft) -> Propagation {
    match draft.linux.rootfs_propagation.as_deref() {
        Some("private" | "rprivate" | "unbindable" | "runbindable") => Propagation::Private,
        _ => Propagation::Slave,
    }
}

/// What makes a copied mount what the options say.
fn attributes(options: &MountOptions, slot: Slot, default: Propagation) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut set = |recursive, Change { set, clear }: Change, propagation| {
        ops.push(Op::SetAttr { slot, recursive, set, clear, propagation });
    };
    let (propagation, recursive) = options.propagation.unwrap_or((default, true));
    if !recursive && options.bind == Some(true) && propagation != Propagation::Shared {
        set(true, Change::default(), Some(default));
    }
    // A shared mount keeps the peers that it has; making it anything else would lose them.
    set(recursive, Change::default(), Some(propagation));
    if !options.recursive.is_empty() {
        set(true, options.recursive, None);
    }
    if !options.own.is_empty() {
        set(false, options.own, None);
    }
    ops
}
