//! Namespaces, id maps and clock offsets.

use crate::facts::Facts;
use crate::options::namespace::{Ipc, Network, OwnOrHost, Shared, UserNamespace};
use crate::options::{OptionError, RunOptions};
use crate::user::User;
use spec::{ContainerId, IdMapping, Namespace, NamespaceKind, TimeOffset};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The namespaces that are made, and those of other containers that are joined.
pub(super) fn list(options: &RunOptions, facts: &Facts) -> Vec<Namespace> {
    let spaces = &options.namespaces;
    let new = |kind| Namespace { kind, path: None };
    let join = |kind, name: &str, container: &ContainerId| Namespace {
        kind,
        // `Facts::gather` found a process for each container that is named.
        path: facts.containers.get(container).map(|pid| PathBuf::from(format!("/proc/{pid}/ns/{name}"))),
    };
    let mut list = vec![new(NamespaceKind::Mount)];
    match &spaces.pid {
        Shared::Own => list.push(new(NamespaceKind::Pid)),
        Shared::Container(id) => list.push(join(NamespaceKind::Pid, "pid", id)),
        Shared::Host => {}
    }
    if spaces.network != Network::Host {
        list.push(new(NamespaceKind::Network));
    }
    match &spaces.ipc {
        Ipc::Own | Ipc::NoShm => list.push(new(NamespaceKind::Ipc)),
        Ipc::Container(id) => list.push(join(NamespaceKind::Ipc, "ipc", id)),
        Ipc::Host => {}
    }
    if spaces.uts == OwnOrHost::Own {
        list.push(new(NamespaceKind::Uts));
    }
    if spaces.cgroup == OwnOrHost::Own {
        list.push(new(NamespaceKind::Cgroup));
    }
    if spaces.user != UserNamespace::Host {
        list.push(new(NamespaceKind::User));
    }
    if !time_offsets(options).is_empty() {
        list.push(new(NamespaceKind::Time));
    }
    list
}

/// `--time-offset`, by the names of `/proc/PID/timens_offsets`.
pub(super) fn time_offsets(options: &RunOptions) -> BTreeMap<String, TimeOffset> {
    let time = options.namespaces.time;
    let named = [("boottime", time.boottime), ("monotonic", time.monotonic)];
    named.into_iter().filter_map(|(clock, offset)| Some((clock.to_owned(), offset?))).collect()
}

/// The ids of the container's user namespace; empty if it has none of its own.
pub(super) struct IdMaps {
    pub uids: Vec<IdMapping>,
    pub gids: Vec<IdMapping>,
    own: bool,
}

impl IdMaps {
    pub fn new(options: &RunOptions, facts: &Facts) -> Self {
        let (uids, gids) = match &options.namespaces.user {
            UserNamespace::Host => (Vec::new(), Vec::new()),
            UserNamespace::Map { users, groups } => (users.clone(), groups.clone()),
            UserNamespace::Auto(ids) => {
                let taken = facts.subordinate.as_ref();
                (
                    taken.map(|range| ids.users(range.uid)).unwrap_or_default(),
                    taken.map(|range| ids.groups(range.gid)).unwrap_or_default(),
                )
            }
        };
        Self { own: options.namespaces.user != UserNamespace::Host, uids, gids }
    }

    /// Whether the container has a user namespace of its own.
    pub fn own(&self) -> bool {
        self.own
    }

    /// Whether the group `gid` exists inside.
    pub fn has_group(&self, gid: u32) -> bool {
        !self.own || contains(&self.gids, gid)
    }

    /// Refuses a user who has no id in the namespace: the kernel would say EINVAL to setuid(2).
    pub fn check_user(&self, user: &User) -> Result<(), OptionError> {
        if !self.own {
            return Ok(());
        }
        let missing = if !contains(&self.uids, user.uid) {
            format!("the user {}", user.uid)
        } else if let Some(gid) =
            [user.gid].iter().chain(&user.groups).find(|gid| !contains(&self.gids, **gid))
        {
            format!("the group {gid}")
        } else {
            return Ok(());
        };
        Err(OptionError::new(
            "--userns",
            format!("the map has no id for {missing}"),
            "add a range that has it",
        ))
    }
}

fn contains(map: &[IdMapping], id: u32) -> bool {
    map.iter().any(|range| id >= range.container_id && id - range.container_id < range.size)
}
