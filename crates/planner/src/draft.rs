//! A plan in the making.

use crate::namespaces::Namespaces;
use crate::{
    Error, ExecRequest, Options, Request, Start, cgroups, check_machine, hooks, rootless, unsupported,
};
use plan::facts::HostFacts;
use plan::{Cause, Hook, Op, Plan, Script, Slot};
use spec::{Config, ContainerId, Linux, NamespaceKind, State, Status};
use std::borrow::Cow;
use std::path::Path;
use std::sync::LazyLock;

/// A plan in the making, with what every topic needs to know.
pub(crate) struct Draft<'a> {
    pub(crate) config: &'a Config,
    pub(crate) linux: &'a Linux,
    pub(crate) facts: &'a HostFacts,
    pub(crate) id: &'a ContainerId,
    pub(crate) bundle: &'a Path,
    pub(crate) options: &'a Options,
    pub(crate) namespaces: Namespaces<'a>,
    pub(crate) cgroup: cgroup::Group,
    /// All hooks of the configuration, checked.
    pub(crate) hooks: Vec<Hook>,
    pub(crate) plan: Plan,
    pub(crate) notes: Vec<String>,
    pub(crate) carried: Carried,
}

/// What the steps of one topic leave for those of another.
#[derive(Default)]
pub(crate) struct Carried {
    /// How many mounts have a slot.
    pub(crate) mounts: u16,
    /// The opened directory of the socket of sd_notify(3).
    pub(crate) notify: Option<Slot>,
    /// Whether init has taken its place in the network namespace.
    pub(crate) in_network: bool,
    /// Whether init has taken its place in the cgroups.
    pub(crate) in_cgroups: bool,
    /// Opened sources of bind mounts, in the order of the configuration.
    pub(crate) bound: Vec<Slot>,
    /// The user namespaces that mounts are mapped with: their maps of users and of groups.
    pub(crate) id_maps: Vec<(String, String)>,
    /// Mounts that become read-only when all is made in them, and who asked for it.
    pub(crate) late: Vec<(Slot, String)>,
    /// The opened lower tree of an overlay, with mapped owners.
    pub(crate) lower: Option<Slot>,
    /// Opened device nodes, in the order they are made.
    pub(crate) devices: Vec<Slot>,
    /// Device nodes made outside of a user namespace: the file system they are in, their names and fields.
    pub(crate) made_devices: Vec<(Slot, String, String)>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(request: &Request<'a>) -> Result<Self, Error> {
        let Request { config, facts, id, bundle, options } = *request;
        let linux = linux(config);
        check_machine(facts)?;
        unsupported::check_version(&config.oci_version)?;
        let namespaces = Namespaces::read(linux)?;
        namespaces.check_names(config)?;
        rootless::check(facts, &namespaces)?;
        let mut plan = Plan::default();
        plan.undo.clone_from(&options.undo);
        if options.start == Start::OnRequest {
            plan.given.push(Slot::StartSocket);
        }
        Ok(Self {
            config,
            linux,
            facts,
            id,
            bundle,
            options,
            namespaces,
            cgroup: cgroups::group(config, facts, options, id)?,
            hooks: hooks::read(config, bundle)?,
            plan,
            notes: cgroups::notes(linux),
            carried: Carried::default(),
        })
    }

    /// For one more process: the container is made, so nothing of it is.
    pub(crate) fn of_running(request: &ExecRequest<'a>) -> Self {
        Self {
            config: request.config,
            linux: linux(request.config),
            facts: request.facts,
            id: request.id,
            bundle: Path::new("/"),
            options: request.options,
            namespaces: Namespaces::of_running(request.namespaces),
            cgroup: cgroup::Group::default(),
            hooks: Vec::new(),
            plan: Plan::default(),
            notes: Vec::new(),
            carried: Carried::default(),
        }
    }

    /// The state of the container, as others are told of it while it is made. Its pid is not known yet.
    pub(crate) fn state(&self, status: Status) -> State {
        State {
            oci_version: spec::VERSION.to_owned(),
            id: self.id.to_string(),
            status,
            pid: None,
            bundle: self.bundle.to_owned(),
            annotations: self.config.annotations.clone(),
        }
    }

    pub(crate) fn host(&mut self, op: Op, from: impl Into<Cow<'static, str>>, why: &'static str) {
        self.plan.host.push(op, Cause::new(from, why));
    }

    pub(crate) fn init(&mut self, op: Op, from: impl Into<Cow<'static, str>>, why: &'static str) {
        self.plan.init.push(op, Cause::new(from, why));
    }

    /// Whether the host's script opens the sources of the machine.
    pub(crate) fn host_opens_sources(&self) -> bool {
        self.namespaces.has(NamespaceKind::User) && self.facts.may_mount()
    }

    /// The script in which sources of the machine are opened.
    pub(crate) fn sources(&mut self) -> &mut Script {
        if self.host_opens_sources() { &mut self.plan.host } else { &mut self.plan.init }
    }

    pub(crate) fn new_mount(&mut self) -> Slot {
        self.carried.mounts += 1;
        Slot::Mount(self.carried.mounts - 1)
    }
}

/// The Linux section; one that is left out asks for nothing.
pub(crate) fn linux(config: &Config) -> &Linux {
    static NOTHING: LazyLock<Linux> = LazyLock::new(Linux::default);
    config.linux.as_ref().unwrap_or(&NOTHING)
}
