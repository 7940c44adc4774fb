use super::options::MountOptions;
use crate::{Draft, Error, namespaces, rootless};
use plan::{Op, Slot};
use spec::{IdMapping, Mount, NamespaceKind};

/// How the owners of a mount are mapped (config.md, "Mounts", `idmap` and `uidMappings`).
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    /// Where the ids come from.
    pub ids: Ids,
    /// For all mounts below, too.
    pub recursive: bool,
}

/// Ids of the file system, and what they are shown as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ids {
    /// These ranges, in the form of `/proc/PID/uid_map`.
    Listed { users: String, groups: String },
    /// Those of the user namespace that the container joins.
    Joined,
}

/// What an entry asks for; `None`: owners are shown as they are.
pub(super) fn read(
    draft: &Draft,
    field: &str,
    mount: &Mount,
    options: &MountOptions,
) -> Result<Option<Mapping>, Error> {
    let (users, groups) = (&mount.uid_mappings, &mount.gid_mappings);
    if !draft.facts.may_mount() && (options.id_map.is_some() || !users.is_empty() || !groups.is_empty()) {
        let hint = "drop idmap and the mappings, or run it as root";
        rootless::refuse(draft.facts, &format!("{field}/options"), "to map the owners of files", hint)?;
    }
    let Some(option) = &options.id_map else {
        // The option SHOULD be there, so that runtimes which do not know the mappings refuse the mount.
        if users.is_empty() && groups.is_empty() {
            return Ok(None);
        }
        return Ok(Some(Mapping { ids: listed(field, users, groups)?, recursive: false }));
    };
    let ids = if !users.is_empty() || !groups.is_empty() {
        listed(field, users, groups)?
    } else if let Some(text) = &option.inline {
        let (users, groups) = inline(draft, field, text)?;
        listed(field, &users, &groups)?
    } else {
        of_container(draft, field)?
    };
    Ok(Some(Mapping { ids, recursive: option.recursive }))
}

fn listed(field: &str, users: &[IdMapping], groups: &[IdMapping]) -> Result<Ids, Error> {
    for (list, name, other) in [(users, "uidMappings", "gidMappings"), (groups, "gidMappings", "uidMappings")]
    {
        if list.is_empty() {
            let message = format!("{other} without {name}");
            return Err(Error::new(format!("{field}/{name}"), message, "an idmapped mount needs both"));
        }
    }
    Ok(Ids::Listed { users: namespaces::id_map(users), groups: namespaces::id_map(groups) })
}

fn of_container(draft: &Draft, field: &str) -> Result<Ids, Error> {
    if draft.namespaces.makes(NamespaceKind::User) {
        return listed(field, &draft.linux.uid_mappings, &draft.linux.gid_mappings);
    }
    if draft.namespaces.has(NamespaceKind::User) {
        return Ok(Ids::Joined);
    }
    let hint = "give uidMappings and gidMappings, or the container a user namespace";
    Err(Error::new(format!("{field}/options"), "an idmapped mount without mappings", hint))
}

/// crun's form: `uids=FILESYSTEM-HOST-COUNT#...;gids=...`. With an `@` in front the second number is an id
/// of the container.
fn inline(draft: &Draft, field: &str, text: &str) -> Result<(Vec<IdMapping>, Vec<IdMapping>), Error> {
    let wrong = || {
        let message = format!("idmap={text} is no id mapping");
        Error::new(format!("{field}/options"), message, "write it like idmap=uids=0-1000-10;gids=0-1000-10")
    };
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for part in text.split(';').filter(|part| !part.is_empty()) {
        let (list, own, ranges) = match part.split_once('=') {
            Some(("uids", ranges)) => (&mut users, &draft.linux.uid_mappings, ranges),
            Some(("gids", ranges)) => (&mut groups, &draft.linux.gid_mappings, ranges),
            _ => return Err(wrong()),
        };
        for range in ranges.split('#').filter(|range| !range.is_empty()) {
            list.push(parse_range(range, own).ok_or_else(wrong)?);
        }
    }
    Ok((users, groups))
}

fn parse_range(text: &str, container: &[IdMapping]) -> Option<IdMapping> {
    let (text, relative) = text.strip_prefix('@').map_or((text, false), |text| (text, true));
    let mut numbers = text.split('-').map(str::parse);
    let mut next = || numbers.next()?.ok();
    let mut range = IdMapping { container_id: next()?, host_id: next()?, size: next()? };
    if relative {
        let id = range.host_id;
        let own = container.iter().find(|own| own.container_id <= id && id - own.container_id < own.size)?;
        range.host_id = own.host_id.checked_add(id - own.container_id)?;
    }
    numbers.next().is_none().then_some(range)
}

/// The slot with the user namespace whose mapping it is. Such namespaces are made by the host's script before
/// the fork: nobody inside a container may map ids that are not its own.
pub(super) fn slot(draft: &mut Draft, ids: &Ids, field: &str) -> Slot {
    let Ids::Listed { users, groups } = ids else { return Slot::Namespace(NamespaceKind::User) };
    make(draft, users, groups, field)
}

/// A user namespace with these maps and nobody in it; one for all mounts that have the same.
pub(crate) fn make(draft: &mut Draft, users: &str, groups: &str, field: &str) -> Slot {
    let maps = (users.to_owned(), groups.to_owned());
    if let Some(place) = draft.carried.id_maps.iter().position(|made| *made == maps) {
        return Slot::IdMap(place as u16);
    }
    let slot = Slot::IdMap(draft.carried.id_maps.len() as u16);
    let op = Op::MakeIdMap { users: users.to_owned(), groups: groups.to_owned(), slot };
    draft.host(op, field.to_owned(), "a mount takes its mapping from a user namespace");
    draft.carried.id_maps.push(maps);
    slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_crun() {
        let own = [IdMapping { container_id: 5, host_id: 1000, size: 10 }];
        let range = |container_id, host_id, size| Some(IdMapping { container_id, host_id, size });
        let cases = [
            ("0-1-2", range(0, 1, 2)),
            ("@0-7-2", range(0, 1002, 2)),
            ("@0-4-2", None),
            ("@0-15-2", None),
            ("0-1", None),
            ("0-1-2-3", None),
            ("a-b-c", None),
            ("", None),
        ];
        for (text, expect) in cases {
            assert_eq!(parse_range(text, &own), expect, "{text:?}");
        }
    }
}
