//! The ids of containers of an ordinary user.

use super::subid::{Span, delegated};
use crate::options::namespace::UserNamespace;
use plan::facts::HostFacts;
use spec::IdMapping;
use std::fs;

/// The user is root of the container. Where the machine has given ids to the user (subuid(5)), and newuidmap(1) and
/// newgidmap(1) are there to map them, they follow; without them root is alone.
pub(crate) fn ids(host: &HostFacts) -> UserNamespace {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let uid = host.uid.to_string();
    let passwd = text("/etc/passwd");
    let name = crate::user::name_of(&passwd, host.uid).unwrap_or(&uid);
    let mapped = host.rootless.as_ref().is_some_and(|own| own.newuidmap.is_some() && own.newgidmap.is_some());
    let given = |path| if mapped { delegated(&text(path), &[name, &uid]) } else { Vec::new() };
    let (users, groups) = (given("/etc/subuid"), given("/etc/subgid"));
    // One kind of ids is of no use.
    let both = !users.is_empty() && !groups.is_empty();
    let map = |own, given: Vec<Span>| follow(own, if both { given } else { Vec::new() });
    UserNamespace::Map { users: map(host.uid, users), groups: map(host.gid, groups) }
}

fn follow(own: u32, given: Vec<Span>) -> Vec<IdMapping> {
    let mut map = vec![IdMapping { container_id: 0, host_id: own, size: 1 }];
    for Span { first, size } in given {
        let next = map.last().map_or(0, |last| last.container_id + last.size);
        let size = size.min(u32::MAX - 1 - next);
        map.extend((size > 0).then_some(IdMapping { container_id: next, host_id: first, size }));
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_ids_follow_the_own() {
        let of = |given: &[(u32, u32)]| {
            let given = given.iter().map(|&(first, size)| Span { first, size }).collect();
            let numbers = |range: &IdMapping| (range.container_id, range.host_id, range.size);
            follow(1000, given).iter().map(numbers).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), [(0, 1000, 1)]);
        assert_eq!(
            of(&[(100_000, 65536), (300_000, 10)]),
            [(0, 1000, 1), (1, 100_000, 65536), (65537, 300_000, 10)]
        );
        assert_eq!(of(&[(1, u32::MAX - 1), (5, 5)]), [(0, 1000, 1), (1, 1, u32::MAX - 2)]);
    }
}
