//! What is different where the runtime is not root of the machine (user_namespaces(7)).

use crate::namespaces::{self, Namespaces};
use crate::{Draft, Error};
use plan::facts::{CgroupLayout, HostFacts, Rootless};
use plan::{Cause, IdKind, Op};
use spec::{Capability, IdMapping, Linux, NamespaceKind};
use std::path::PathBuf;

/// Refuses a container that only who may mount can make.
pub(crate) fn check(facts: &HostFacts, namespaces: &Namespaces) -> Result<(), Error> {
    if facts.may_mount() || namespaces.has(NamespaceKind::User) {
        return Ok(());
    }
    let hint = "add {\"type\": \"user\"} to /linux/namespaces with uidMappings and gidMappings, as `spec --rootless` does, \
                or run it as root";
    Err(Error::new("/linux/namespaces", "a rootless container requires a user namespace", hint))
}

/// Refuses what only root of the machine can do.
pub(crate) fn refuse(facts: &HostFacts, field: &str, what: &str, hint: &str) -> Result<(), Error> {
    match facts.rootless {
        None => Ok(()),
        Some(_) => Err(Error::new(field, format!("{what} takes root of the machine"), hint)),
    }
}

/// Maps the ids of init's user namespace, of one kind.
///
/// Who may become any user or group writes the map itself. Everybody may map the own id, and nothing more; for the
/// group not before setgroups(2) is denied. For ranges that the administrator has given to the user there are
/// newuidmap(1) and newgidmap(1).
pub(crate) fn map_ids(draft: &mut Draft, kind: IdKind) -> Result<(), Error> {
    let (mappings, field) = match kind {
        IdKind::User => (&draft.linux.uid_mappings, "/linux/uidMappings"),
        IdKind::Group => (&draft.linux.gid_mappings, "/linux/gidMappings"),
    };
    let text = namespaces::id_map(mappings);
    let why = "user_namespaces(7): the maps are written once, by a process of the parent namespace";
    if may_map_any(draft.facts, kind) {
        draft.host(Op::WriteIdMap { kind, text }, field, why);
        return Ok(());
    }
    if is_own(draft.facts, kind, mappings) {
        if kind == IdKind::Group {
            let why = "else who is kept out by a group could leave it; without this the kernel maps no group";
            draft.host(Op::DenySetgroups, field, why);
        }
        draft.host(Op::WriteIdMap { kind, text }, field, "one's own id can be mapped by everybody");
        return Ok(());
    }
    let program = mapper(draft.facts, kind).ok_or_else(|| no_mapper(draft.facts, kind, field))?;
    let why = "more than the own id: it looks in /etc/subuid and /etc/subgid what the user was given";
    draft.plan.host.push(Op::RunIdMapper { kind, program, text }, Cause::new(field, why));
    Ok(())
}

fn may_map_any(facts: &HostFacts, kind: IdKind) -> bool {
    let capability = if kind == IdKind::User { Capability::SETUID } else { Capability::SETGID };
    facts.rootless.is_none() || facts.capabilities.contains(capability)
}

/// Whether a map has the runtime's own id and nothing else. None at all will have been that.
fn is_own(facts: &HostFacts, kind: IdKind, mappings: &[IdMapping]) -> bool {
    let own = if kind == IdKind::User { facts.uid } else { facts.gid };
    mappings.iter().all(|range| range.size == 1 && range.host_id == own) && mappings.len() <= 1
}

fn mapper(facts: &HostFacts, kind: IdKind) -> Option<PathBuf> {
    let Rootless { newuidmap, newgidmap, .. } = facts.rootless.as_ref()?;
    if kind == IdKind::User { newuidmap.clone() } else { newgidmap.clone() }
}

fn no_mapper(facts: &HostFacts, kind: IdKind, field: &'static str) -> Error {
    let (name, own) = match kind {
        IdKind::User => ("newuidmap", facts.uid),
        IdKind::Group => ("newgidmap", facts.gid),
    };
    let message = format!("more than the own id is mapped, and {name} is not installed");
    let hint = format!("install it (Debian: apt-get install uidmap), or map the id {own} alone, with size 1");
    Error::new(field, message, hint)
}

/// The own ids, which root of a user namespace without mappings becomes.
pub(crate) fn own_ids(facts: &HostFacts) -> (u32, u32) {
    let own = |kind, id| if may_map_any(facts, kind) { 0 } else { id };
    (own(IdKind::User, facts.uid), own(IdKind::Group, facts.gid))
}

/// Whether setgroups(2) is denied in the container's user namespace.
pub(crate) fn denies_setgroups(draft: &Draft) -> bool {
    let Some(rootless) = &draft.facts.rootless else { return false };
    let denied_by_us = draft.namespaces.has(NamespaceKind::User)
        && !may_map_any(draft.facts, IdKind::Group)
        && is_own(draft.facts, IdKind::Group, &draft.linux.gid_mappings);
    !rootless.setgroups || denied_by_us
}

/// Whether the container's user namespace has this id. One that is joined is not known.
pub(crate) fn maps(mappings: &[IdMapping], id: u32) -> bool {
    mappings.is_empty()
        || mappings.iter().any(|range| range.container_id <= id && id - range.container_id < range.size)
}

/// The hierarchies in which the runtime may make groups.
pub(crate) fn open_layout(facts: &HostFacts) -> CgroupLayout {
    let Some(rootless) = &facts.rootless else { return facts.cgroups.clone() };
    let is_open = |mount: &PathBuf| !rootless.closed.contains(mount);
    CgroupLayout {
        v1: facts.cgroups.v1.iter().filter(|v1| is_open(&v1.mount)).cloned().collect(),
        v2: facts.cgroups.v2.clone().filter(|v2| is_open(&v2.mount)),
    }
}

/// Refuses limits that nobody would keep, as the runtime may not make the groups that they are written to.
///
/// Device rules are passed over: no user namespace makes a device node, and what is bound is what the user may open.
pub(crate) fn refuse_limits(linux: &Linux, group: &cgroup::Group, open: &CgroupLayout) -> Result<(), Error> {
    let limit = group.settings.iter().find(|setting| {
        let is_limit = setting.pointer.starts_with(cgroup::RESOURCES) && setting.ignore.is_empty();
        is_limit
            && !setting.pointer.starts_with(&format!("{}/devices", cgroup::RESOURCES))
            && !is_in(open, &setting.file)
    });
    let Some(limit) = limit else { return Ok(()) };
    let place = limit.file.parent().unwrap_or(&limit.file).display();
    let message = format!("cannot be set: the cgroup {place} cannot be made by this user");
    let hint = match &linux.cgroups_path {
        Some(_) => {
            "name a cgroup v2 below one that is delegated to the user in /linux/cgroupsPath, and start the \
                    runtime in that one (`systemd-run --user --scope -p Delegate=yes`); or drop the limit"
        }
        None => {
            "start the runtime in a cgroup v2 that is delegated to the user (`systemd-run --user --scope \
                 -p Delegate=yes`), or drop the limit"
        }
    };
    Err(Error::new(limit.pointer.clone(), message, hint))
}

fn is_in(layout: &CgroupLayout, file: &std::path::Path) -> bool {
    let v1 = layout.v1.iter().map(|v1| &v1.mount);
    v1.chain(layout.v2.iter().map(|v2| &v2.mount)).any(|mount| file.starts_with(mount))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(container_id: u32, host_id: u32, size: u32) -> IdMapping {
        IdMapping { container_id, host_id, size }
    }

    #[test]
    fn the_own_id_alone_needs_nobody() {
        let facts = HostFacts { uid: 1000, gid: 100, ..HostFacts::default() };
        let cases = [
            (IdKind::User, vec![range(0, 1000, 1)], true),
            (IdKind::User, vec![range(1000, 1000, 1)], true),
            (IdKind::User, vec![range(0, 100, 1)], false),
            (IdKind::User, vec![range(0, 1000, 2)], false),
            (IdKind::User, vec![range(0, 1000, 1), range(1, 100_000, 10)], false),
            (IdKind::Group, vec![range(0, 100, 1)], true),
            (IdKind::Group, vec![range(0, 1000, 1)], false),
        ];
        for (kind, mappings, own) in cases {
            assert_eq!(is_own(&facts, kind, &mappings), own, "{kind:?} {mappings:?}");
        }
    }
}
