use crate::mount_namespace::Whose;
use crate::{Draft, Error, net_devices, rootless};
use plan::{IdKind, NetworkPlace, Op, Rendezvous, Slot, Within};
use spec::{Capability, Config, IdMapping, Linux, NamespaceKind};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Which namespaces are made, and which are joined.
pub(crate) struct Namespaces<'a> {
    made: Vec<(NamespaceKind, usize)>,
    joined: Vec<(NamespaceKind, usize, &'a Path)>,
}

impl<'a> Namespaces<'a> {
    /// Reads `linux.namespaces` (config-linux.md, "Namespaces").
    pub(crate) fn read(linux: &'a Linux) -> Result<Self, Error> {
        let mut namespaces = Self { made: Vec::new(), joined: Vec::new() };
        for (index, namespace) in linux.namespaces.iter().enumerate() {
            let field = format!("/linux/namespaces/{index}");
            if namespaces.has(namespace.kind) {
                let kind = format!("{:?}", namespace.kind).to_ascii_lowercase();
                return Err(Error::new(field, format!("a second {kind} namespace"), "list each type once"));
            }
            match namespace.path.as_deref() {
                None => namespaces.made.push((namespace.kind, index)),
                Some(path) if path.as_os_str().is_empty() => namespaces.made.push((namespace.kind, index)),
                Some(path) if path.is_relative() => {
                    let message = format!("{} is not an absolute path", path.display());
                    return Err(Error::new(
                        format!("{field}/path"),
                        message,
                        "name a file like /proc/PID/ns/net",
                    ));
                }
                Some(path) => namespaces.joined.push((namespace.kind, index, path)),
            }
        }
        namespaces.check(linux)?;
        Ok(namespaces)
    }

    /// Those of a running container: what it has is the same whether it was made or joined.
    pub(crate) fn of_running(kinds: &[NamespaceKind]) -> Self {
        let joined = kinds.iter().map(|kind| (*kind, 0, Path::new(""))).collect();
        Self { made: Vec::new(), joined }
    }

    fn check(&self, linux: &Linux) -> Result<(), Error> {
        let mapped = !linux.uid_mappings.is_empty() || !linux.gid_mappings.is_empty();
        // Podman gives mappings for a joined one, too, since runc once asked for them: it has its own.
        if mapped && !self.has(NamespaceKind::User) {
            let hint = "add {\"type\": \"user\"} to /linux/namespaces, or drop the mappings";
            return Err(Error::new("/linux/uidMappings", "ids are mapped without a user namespace", hint));
        }
        if self.makes(NamespaceKind::User) && (linux.uid_mappings.is_empty() || linux.gid_mappings.is_empty())
        {
            let hint = "give at least one range in uidMappings and one in gidMappings";
            return Err(Error::new("/linux/uidMappings", "a new user namespace without id mappings", hint));
        }
        if !linux.time_offsets.is_empty() && !self.makes(NamespaceKind::Time) {
            let hint = "add {\"type\": \"time\"} to /linux/namespaces";
            return Err(Error::new("/linux/timeOffsets", "clock offsets without a new time namespace", hint));
        }
        if let Some(clock) =
            linux.time_offsets.keys().find(|clock| !["boottime", "monotonic"].contains(&clock.as_str()))
        {
            let message = format!("{clock:?} is not a clock of a time namespace");
            return Err(Error::new("/linux/timeOffsets", message, "the clocks are boottime and monotonic"));
        }
        Ok(())
    }

    /// Whether there is one of this kind that is not the machine's, be it made or joined.
    pub(crate) fn has(&self, kind: NamespaceKind) -> bool {
        self.makes(kind) || self.joins(kind)
    }

    /// Those that are joined: their place in the configuration, and their file.
    pub(crate) fn joined(&self) -> &[(NamespaceKind, usize, &'a Path)] {
        &self.joined
    }

    /// Whether one of this kind is joined.
    pub(crate) fn joins(&self, kind: NamespaceKind) -> bool {
        self.joined.iter().any(|(joined, ..)| *joined == kind)
    }

    /// Whether a new one of this kind is made.
    pub(crate) fn makes(&self, kind: NamespaceKind) -> bool {
        self.made.iter().any(|(made, _)| *made == kind)
    }

    /// Whose mounts the container finds itself among.
    pub(crate) fn mounts(&self) -> Whose {
        match (self.makes(NamespaceKind::Mount), self.joins(NamespaceKind::Mount)) {
            (true, _) => Whose::Own,
            (false, true) => Whose::Joined,
            (false, false) => Whose::Machine,
        }
    }

    /// Whether init may make file systems that show its namespace of this kind: it has to belong to init's user
    /// namespace, or to one below. One that is joined together with its user namespace is taken to; so is one that is
    /// joined `within` a user namespace that is not the initial one.
    pub(crate) fn owns(&self, kind: NamespaceKind, within: bool) -> bool {
        match self.has(NamespaceKind::User) {
            true => self.makes(kind) || (self.joins(NamespaceKind::User) && self.joins(kind)),
            false => !within || self.has(kind),
        }
    }

    /// The machine's own host name and domain name must not change with a container's.
    pub(crate) fn check_names(&self, config: &spec::Config) -> Result<(), Error> {
        for (field, name) in [("/hostname", &config.hostname), ("/domainname", &config.domainname)] {
            if name.as_ref().is_some_and(|name| !name.is_empty()) && !self.has(NamespaceKind::Uts) {
                let hint = "add {\"type\": \"uts\"} to /linux/namespaces, or drop the name";
                return Err(Error::new(field, "a name without a uts namespace of the container's own", hint));
            }
        }
        Ok(())
    }

    fn field(&self, kind: NamespaceKind) -> String {
        let made = self.made.iter().find(|(made, _)| *made == kind).map(|(_, index)| index);
        made.map_or_else(|| "/linux/namespaces".to_owned(), |index| format!("/linux/namespaces/{index}"))
    }
}

/// The configuration of a new user namespace to which no id is mapped, with root mapped to root: what crun makes
/// of it. One kind of mapping without the other stays an error. `own`: the user and the group that it becomes.
pub(crate) fn with_root_mapped(config: &Config, own: (u32, u32)) -> Option<Config> {
    let linux = config.linux.as_ref()?;
    let new = |path: &Option<PathBuf>| path.as_ref().is_none_or(|path| path.as_os_str().is_empty());
    let makes = linux.namespaces.iter().any(|one| one.kind == NamespaceKind::User && new(&one.path));
    if !makes || !linux.uid_mappings.is_empty() || !linux.gid_mappings.is_empty() {
        return None;
    }
    let root = |host_id| vec![IdMapping { container_id: 0, host_id, size: 1 }];
    let linux = Linux { uid_mappings: root(own.0), gid_mappings: root(own.1), ..linux.clone() };
    Some(Config { linux: Some(linux), ..config.clone() })
}

/// Kinds of which only the children of a process join a new one, so that the host must be in it first.
const FOR_CHILDREN: [NamespaceKind; 2] = [NamespaceKind::Pid, NamespaceKind::Time];

/// Opens what is joined, and sets what the new process finds itself in.
pub(crate) fn before_clone(draft: &mut Draft) -> Result<(), Error> {
    for (kind, index, path) in draft.namespaces.joined.clone() {
        let field = format!("/linux/namespaces/{index}");
        draft.host(
            Op::OpenNamespace { kind, file: path.to_owned() },
            field.clone(),
            "held by descriptor, so that it is the same one when it is joined",
        );
        if FOR_CHILDREN.contains(&kind) {
            draft.host(Op::EnterNamespace { kind }, field, "takes effect for the children of who joins");
        }
    }
    if draft.namespaces.joins(NamespaceKind::Network) {
        net_devices::take(draft, NetworkPlace::Joined);
    }
    if draft.namespaces.makes(NamespaceKind::Time) {
        let field = draft.namespaces.field(NamespaceKind::Time);
        let why = "a new time namespace is for the children, and its clocks are set before anybody is in it";
        draft.host(Op::Unshare { namespaces: vec![NamespaceKind::Time] }, field, why);
        let mut text = String::new();
        for (clock, offset) in &draft.linux.time_offsets {
            let _ = writeln!(text, "{clock} {} {}", offset.secs, offset.nanosecs);
        }
        if !text.is_empty() {
            draft.host(
                Op::WriteTimeOffsets { text },
                "/linux/timeOffsets",
                "added to the clocks of the machine",
            );
        }
    }
    Ok(())
}

/// Hooks that the host's process runs are its children, and belong where it is itself.
pub(crate) fn return_to_own(draft: &mut Draft) {
    if !crate::hooks::outside(draft) {
        return;
    }
    for kind in FOR_CHILDREN {
        if draft.namespaces.has(kind) && (kind == NamespaceKind::Time || !draft.namespaces.makes(kind)) {
            let why = "hooks run in the namespaces of the runtime, not in those of the container";
            draft.host(Op::ReturnTo { kind }, "/hooks", why);
        }
    }
}

/// Forks. A cgroup namespace comes later: its root is the cgroup that its maker is in.
pub(crate) fn clone(draft: &mut Draft) {
    let namespaces = &draft.namespaces;
    let elsewhere = |kind: &NamespaceKind| match kind {
        NamespaceKind::Cgroup | NamespaceKind::Time => true,
        NamespaceKind::Network => makes_network_beside(draft),
        _ => false,
    };
    let kinds = namespaces.made.iter().map(|(kind, _)| *kind).filter(|kind| !elsewhere(kind)).collect();
    let cgroup = crate::cgroups::birthplace(draft);
    let within = joined_before(draft);
    let why = match within.is_empty() {
        true => {
            "one call makes the process and the namespaces, owned by the new user namespace if there is one"
        }
        false => {
            "joined before init is in its user namespace, which gives no right to those of the machine, by a process \
             in between, as this one does not go there"
        }
    };
    draft.host(Op::Clone { namespaces: kinds, cgroup, within }, "/linux/namespaces", why);
}

/// The joined namespaces that init is born in. Who is in a user namespace may join only what belongs to it, so where
/// there is one the others are joined before, if this process may. The mounts are left for later: all paths of the
/// machine are looked up before.
fn joined_before(draft: &Draft) -> Vec<Within> {
    let namespaces = &draft.namespaces;
    if !namespaces.has(NamespaceKind::User) {
        return Vec::new();
    }
    let may = draft.facts.capabilities.contains(Capability::SYS_ADMIN);
    let first = [NamespaceKind::Ipc, NamespaceKind::Uts, NamespaceKind::Network, NamespaceKind::Cgroup];
    let first = first.into_iter().filter(|_| may);
    let joined = first.chain([NamespaceKind::User]).filter(|kind| namespaces.joins(*kind));
    joined.map(|kind| Within { slot: Slot::Namespace(kind), namespaces: vec![kind] }).collect()
}

/// Whether the host makes the network namespace while init makes mounts: it takes as long as all of these, for
/// the kernel builds a network stack. In a new user namespace init has to make it, so that it owns it; and a
/// host's process that runs hooks must stay in the machine's network.
fn makes_network_beside(draft: &Draft) -> bool {
    let namespaces = &draft.namespaces;
    let beside = namespaces.makes(NamespaceKind::Network) && !namespaces.has(NamespaceKind::User);
    beside && !crate::hooks::outside(draft)
}

/// Whether init has made the network namespace, and the host moves interfaces into it.
fn awaits_devices(draft: &Draft) -> bool {
    draft.namespaces.makes(NamespaceKind::Network) && !draft.linux.net_devices.is_empty()
}

/// The network namespace, made by the host beside init.
pub(crate) fn network_beside(draft: &mut Draft) {
    let beside = makes_network_beside(draft);
    if !beside && !awaits_devices(draft) {
        return;
    }
    let field = draft.namespaces.field(NamespaceKind::Network);
    if beside {
        let why = "the kernel builds a whole network stack, while init makes mounts";
        draft.host(Op::Unshare { namespaces: vec![NamespaceKind::Network] }, field.clone(), why);
    }
    net_devices::take(draft, if beside { NetworkPlace::Made } else { NetworkPlace::Init });
    let rendezvous = Rendezvous::NetworkMade;
    draft.host(Op::Send { rendezvous }, field, if beside { "init joins it" } else { "it is complete" });
}

/// init takes its place in the network namespace, and brings its loopback device up.
pub(crate) fn network(draft: &mut Draft) {
    if !draft.namespaces.makes(NamespaceKind::Network)
        || std::mem::replace(&mut draft.carried.in_network, true)
    {
        return;
    }
    let field = draft.namespaces.field(NamespaceKind::Network);
    let beside = makes_network_beside(draft);
    if beside || awaits_devices(draft) {
        let rendezvous = Rendezvous::NetworkMade;
        draft.init(Op::Await { rendezvous }, field.clone(), "what follows is about the network");
    }
    if beside {
        let op = Op::AdoptNamespace { kind: NamespaceKind::Network };
        draft.init(op, field.clone(), "the two are in it, and the host's process leaves it when it ends");
    }
    let op = Op::LinkUp { interface: "lo".to_owned() };
    draft.init(op, field, "a new network namespace has its loopback device down");
}

/// Maps the ids of a new user namespace. Only a process outside it can map more than its own id.
pub(crate) fn write_id_maps(draft: &mut Draft) -> Result<(), Error> {
    if !draft.namespaces.makes(NamespaceKind::User) {
        return Ok(());
    }
    rootless::map_ids(draft, IdKind::User)?;
    rootless::map_ids(draft, IdKind::Group)?;
    let rendezvous = Rendezvous::IdMapsWritten;
    draft.host(Op::Send { rendezvous }, "/linux/uidMappings", "init is nobody until its ids are mapped");
    Ok(())
}

/// Mappings in the form of `/proc/PID/uid_map`.
pub(crate) fn id_map(mappings: &[IdMapping]) -> String {
    let mut text = String::new();
    for IdMapping { container_id, host_id, size } in mappings {
        let _ = writeln!(text, "{container_id} {host_id} {size}");
    }
    text
}

/// init takes its place in the namespaces.
pub(crate) fn enter(draft: &mut Draft) {
    if !draft.namespaces.joined.is_empty() {
        let why = "processes that are in a joined namespace must not reach into the machine through init";
        draft.init(Op::SetNotDumpable, "/linux/namespaces", why);
    }
    let mut elsewhere: Vec<_> =
        joined_before(draft).into_iter().flat_map(|within| within.namespaces).collect();
    elsewhere.extend([NamespaceKind::Mount].into_iter().chain(FOR_CHILDREN));
    let joined = draft.namespaces.joined.clone();
    for (kind, index, _) in joined.iter().filter(|(kind, ..)| !elsewhere.contains(kind)) {
        draft.init(
            Op::EnterNamespace { kind: *kind },
            format!("/linux/namespaces/{index}"),
            "shared with who is in it already",
        );
    }
    if draft.namespaces.makes(NamespaceKind::User) {
        let from = "/linux/uidMappings";
        let rendezvous = Rendezvous::IdMapsWritten;
        draft.init(Op::Await { rendezvous }, from, "without a map every id is the overflow id");
    }
    if let Some((kind, index, _)) = joined.iter().find(|(kind, ..)| *kind == NamespaceKind::Mount) {
        network(draft);
        cgroup(draft);
        let why = "when all that needs files of the machine is done: from here on paths are those of that namespace";
        draft.init(Op::EnterNamespace { kind: *kind }, format!("/linux/namespaces/{index}"), why);
    }
}

/// init becomes root of its user namespace. An ordinary user who has mapped no root stays who it is, with all
/// capabilities over what the namespace owns.
pub(crate) fn become_root(draft: &mut Draft) {
    let (users, groups) = (&draft.linux.uid_mappings, &draft.linux.gid_mappings);
    let without_root =
        draft.facts.rootless.is_some() && !(rootless::maps(users, 0) && rootless::maps(groups, 0));
    if draft.namespaces.has(NamespaceKind::User) && !without_root {
        let (from, why) = ("/linux/namespaces", "files and namespaces belong to root of the user namespace");
        draft.init(Op::SetGid { gid: 0 }, from, why);
        draft.init(Op::SetUid { uid: 0 }, from, why);
    }
}

/// The cgroup namespace, as soon as init is where its root shall be.
pub(crate) fn cgroup(draft: &mut Draft) {
    if std::mem::replace(&mut draft.carried.in_cgroups, true) {
        return;
    }
    crate::cgroups::enter(draft);
    if draft.namespaces.makes(NamespaceKind::Cgroup) {
        let field = draft.namespaces.field(NamespaceKind::Cgroup);
        let why = "the cgroup that init is in becomes the root of what it sees";
        draft.init(Op::Unshare { namespaces: vec![NamespaceKind::Cgroup] }, field, why);
    }
}
