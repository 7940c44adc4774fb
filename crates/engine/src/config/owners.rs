//! Whose files of the host are seen to be: mounts with mapped owners (mount_setattr(2), "ID-mapped mounts").

use super::namespaces::IdMaps;
use crate::facts::Facts;
use crate::options::OptionError;
use crate::options::mount::{MountRequest, MountSource, Owners};
use crate::user::User;
use spec::{IdMapping, Mount};

/// Gives a bind mount the owners that were asked for.
///
/// # Errors
/// Ids of the container that are not its own: it has no user namespace.
pub(super) fn apply(
    mount: &mut Mount,
    request: &MountRequest,
    ids: &IdMaps,
    facts: &Facts,
    user: &User,
) -> Result<(), OptionError> {
    let MountSource::Bind { path, owners, .. } = &request.source else { return Ok(()) };
    match owners {
        Owners::Same => return Ok(()),
        Owners::Mapped(None) if !ids.own() => {
            return Err(OptionError::new(
                format!("the mount of {} on {}", path.display(), request.target.display()),
                "idmap is for a container with ids of its own",
                "add --userns auto, or write match-user to give the files to the container's user",
            ));
        }
        Owners::Mapped(None) => mount.options.push("idmap".to_owned()),
        Owners::Mapped(Some(text)) => mount.options.push(format!("idmap={text}")),
        Owners::MatchUser => {
            let (uid, gid) = facts.owners.get(path).copied().unwrap_or_default();
            mount.options.push("idmap".to_owned());
            mount.uid_mappings = exchanged(ids.own().then_some(&ids.uids), uid, user.uid);
            mount.gid_mappings = exchanged(ids.own().then_some(&ids.gids), gid, user.gid);
        }
    }
    Ok(())
}

/// From ids of a file system to ids of the host, so that in the container the files of `owner` are those of `user`, the
/// files of `user` those of `owner`, and all others those of who has the same id. `container`: its ids; `None`: the host's.
fn exchanged(container: Option<&Vec<IdMapping>>, owner: u32, user: u32) -> Vec<IdMapping> {
    let all = vec![IdMapping { container_id: 0, host_id: 0, size: u32::MAX }];
    let container = container.unwrap_or(&all);
    let host = |id: u32| {
        let range = container.iter().find(|range| has(range, id))?;
        Some(range.host_id + (id - range.container_id))
    };
    let other = |id: u32| match id {
        _ if id == owner => user,
        _ if id == user => owner,
        _ => id,
    };
    let mut map = Vec::new();
    for range in container {
        // Both ids stand alone, and what is between them stays together.
        let end = range.container_id + range.size;
        let mut cuts: Vec<u32> =
            [owner, owner.saturating_add(1), user, user.saturating_add(1), range.container_id, end]
                .into_iter()
                .filter(|cut| (range.container_id..=end).contains(cut))
                .collect();
        cuts.sort_unstable();
        cuts.dedup();
        for pair in cuts.windows(2) {
            if let Some(host_id) = host(other(pair[0])) {
                map.push(IdMapping { container_id: pair[0], host_id, size: pair[1] - pair[0] });
            }
        }
    }
    // An owner without an id in the container has one on the disk all the same.
    if let Some(host_id) = host(user).filter(|_| !container.iter().any(|range| has(range, owner))) {
        map.push(IdMapping { container_id: owner, host_id, size: 1 });
    }
    map
}

fn has(range: &IdMapping, id: u32) -> bool {
    id >= range.container_id && id - range.container_id < range.size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(container_id: u32, host_id: u32, size: u32) -> IdMapping {
        IdMapping { container_id, host_id, size }
    }

    #[test]
    fn owner_and_user_change_places() {
        const LAST: u32 = u32::MAX;
        let own = vec![range(0, 100_000, 1000)];
        type Case<'a> = (Option<&'a Vec<IdMapping>>, u32, u32, Vec<IdMapping>);
        let cases: [Case<'_>; 6] = [
            (
                None,
                1000,
                0,
                vec![range(0, 1000, 1), range(1, 1, 999), range(1000, 0, 1), range(1001, 1001, LAST - 1001)],
            ),
            (None, 0, 1, vec![range(0, 1, 1), range(1, 0, 1), range(2, 2, LAST - 2)]),
            (None, 5, 5, vec![range(0, 0, 5), range(5, 5, 1), range(6, 6, LAST - 6)]),
            (
                Some(&own),
                33,
                0,
                vec![
                    range(0, 100_033, 1),
                    range(1, 100_001, 32),
                    range(33, 100_000, 1),
                    range(34, 100_034, 966),
                ],
            ),
            (Some(&own), 5000, 0, vec![range(1, 100_001, 999), range(5000, 100_000, 1)]),
            (Some(&own), 5000, 999, vec![range(0, 100_000, 999), range(5000, 100_999, 1)]),
        ];
        for (container, owner, user, expect) in cases {
            assert_eq!(exchanged(container, owner, user), expect, "{owner} and {user} of {container:?}");
        }
    }
}
