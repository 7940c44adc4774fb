//! From a configuration to a plan.
//!
//! [`plan`] is a pure function: what the user asked for ([`spec::Config`]), what the machine is
//! ([`HostFacts`]) and how it is to be done ([`Options`]) go in, and the steps come out. It opens no file
//! and asks the kernel nothing, so every start can be shown, compared and tested without root.
//!
//! Each module writes the steps of one topic; the order in which they follow each other is [`plan`]
//! itself, top to bottom.

mod cgroups;
mod criu;
mod devices;
mod draft;
mod error;
mod exec;
mod filter;
mod hooks;
mod identity;
mod labels;
mod landlock;
mod mount_namespace;
mod mounts;
mod namespaces;
mod net_devices;
mod notify;
mod options;
mod process;
mod resctrl;
mod root;
mod rootless;
mod schedule;
mod security;
mod unsupported;

pub use cgroups::group_directories;
pub use criu::{Criu, INHERITED, Restore, criu, restore};
pub use error::Error;
pub use exec::{ExecRequest, exec};
pub use mounts::option_names as mount_option_names;
pub use options::{CgroupManager, Notify, Options, RootSource, Start, Upper};
pub use resctrl::{resctrl_group, schemata};
pub use unsupported::check_machine;

use draft::Draft;
use plan::facts::HostFacts;
use plan::{Hook, Op, Plan, Rendezvous};
use spec::{Config, ContainerId, Status};
use std::path::Path;

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What the container shall be.
    pub config: &'a Config,
    /// What the machine is.
    pub facts: &'a HostFacts,
    /// The container's name.
    pub id: &'a ContainerId,
    /// Absolute path of the bundle.
    pub bundle: &'a Path,
    /// How it is to be done.
    pub options: &'a Options,
}

/// A plan, and what the user should know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The steps.
    pub plan: Plan,
    /// Hooks that run after the program has started, and after the container is gone.
    pub hooks: Vec<Hook>,
    /// What was asked for and cannot be had here, but was not worth an error. One sentence each.
    pub notes: Vec<String>,
}

/// Plans the start of a container.
///
/// # Errors
/// The configuration asks for what contradicts itself, what this machine or these privileges cannot give,
/// or what cuddy cannot do yet; the error names the field.
pub fn plan(request: &Request) -> Result<Planned, Error> {
    let own = rootless::own_ids(request.facts);
    let Some(config) = namespaces::with_root_mapped(request.config, own) else { return draw(request) };
    let mut planned = draw(&Request { config: &config, ..*request })?;
    let who =
        if own.0 == 0 { "root of the machine".to_owned() } else { format!("user {} of the machine", own.0) };
    planned.notes.push(format!(
        "/linux/uidMappings: there are none, so root of the container is {who} and nobody else exists"
    ));
    Ok(planned)
}

/// Plans a configuration that is complete.
fn draw(request: &Request) -> Result<Planned, Error> {
    let draft = &mut Draft::new(request)?;

    // The host, up to the fork: what init inherits.
    draft.host(Op::OpenProc, "default", "writes to /proc must reach procfs and nothing mounted over it");
    if request.options.init {
        draft.host(
            Op::OpenCuddy,
            "--init",
            "cuddy itself is the small init, and cannot be written through it",
        );
    }
    mount_namespace::check(draft)?;
    mount_namespace::undo(draft)?;
    net_devices::check(draft)?;
    net_devices::open(draft);
    namespaces::before_clone(draft)?;
    mounts::note_label(draft);
    mounts::id_maps(draft)?;
    let by_host = draft.host_opens_sources();
    if by_host {
        sources(draft)?;
    }
    cgroups::before_clone(draft);
    namespaces::clone(draft);

    // The host, beside init.
    namespaces::write_id_maps(draft)?;
    namespaces::network_beside(draft);
    cgroups::beside(draft)?;
    resctrl::assign(draft)?;
    schedule::by_host(draft)?;
    namespaces::return_to_own(draft);
    hooks::record(draft);

    // init: namespaces, then everything that needs the machine's own files, then the new root.
    draft.init(Op::SetUmask { mask: 0 }, "default", "what is made gets the mode that it is given");
    namespaces::enter(draft);
    if !by_host {
        sources(draft)?;
    }
    process::score_of_init(draft)?;
    namespaces::become_root(draft);
    security::sources(draft);
    identity::session(draft)?;
    root::cut_propagation(draft);
    root::mount(draft)?;
    identity::names(draft);
    mounts::mount(draft)?;
    namespaces::network(draft);
    namespaces::cgroup(draft);
    devices::make(draft)?;
    notify::mount(draft);
    hooks::create(draft);
    process::open_terminal(draft)?;
    identity::sysctls(draft)?;
    security::paths(draft)?;
    process::make_directory(draft)?;
    mounts::finish(draft);
    root::change(draft)?;

    // init: the process.
    schedule::of_init(draft)?;
    process::limits(draft)?;
    process::directory(draft)?;
    labels::of_program(draft)?;
    process::home(draft)?;
    security::privileges(draft)?;
    process::find(draft)?;
    draft.init(Op::ResetSignals, "default", "ignored signals and the mask would pass execve(2)");
    process::close_descriptors(draft);
    let state = draft.state(Status::Creating);
    match filter::compile(draft, &state)? {
        Some(filter) if filter.is_loaded_early() && request.options.start == Start::OnRequest => {
            landlock::restrict(draft)?;
            filter.load(draft);
            start(draft);
        }
        filter => {
            start(draft);
            landlock::restrict(draft)?;
            filter.into_iter().for_each(|filter| filter.load(draft));
        }
    }
    hooks::start(draft);
    process::exec(draft);
    finish(draft)
}

/// The plan that was drafted, proven.
fn finish(draft: &mut Draft) -> Result<Planned, Error> {
    let mut plan = std::mem::take(&mut draft.plan);
    process::keep_descriptors(&mut plan.init);
    plan::check::check(&plan).map_err(|fault| Error::planner_fault(&fault))?;
    Ok(Planned { plan, hooks: hooks::later(draft), notes: std::mem::take(&mut draft.notes) })
}

/// Opens everything of the machine that becomes part of the container, before propagation is cut. In a new
/// user namespace init is nobody to the machine's files, so there the host does it, before the fork. A host that may not
/// copy mounts leaves it to init, who is the same user and may, in the mount namespace that it owns.
fn sources(draft: &mut Draft) -> Result<(), Error> {
    root::source(draft)?;
    mounts::sources(draft)?;
    devices::sources(draft)?;
    draft.carried.notify = notify::source(draft);
    Ok(())
}

/// The last meeting: the container is complete and waits for its start.
fn start(draft: &mut Draft) {
    let recorded = !hooks::during_create(draft);
    match draft.options.start {
        Start::AtOnce => {
            if !recorded {
                let rendezvous = Rendezvous::Created;
                draft.init(Op::Send { rendezvous }, "run", "all hooks of its creation have run");
                draft.host(Op::Await { rendezvous }, "run", "all hooks of its creation have run");
                hooks::record_ready(draft);
            }
            let rendezvous = Rendezvous::Start;
            draft.host(Op::Send { rendezvous }, "run", "the container's state is on disk");
            draft.init(Op::Await { rendezvous }, "run", "nothing runs before its state is on disk");
        }
        Start::OnRequest => {
            let rendezvous = Rendezvous::Created;
            draft.host(Op::Await { rendezvous }, "create", "create ends when all is ready but the program");
            if !recorded {
                hooks::record_ready(draft);
            }
            draft.init(Op::AwaitStart, "create", "the program starts when `start` says so");
        }
    }
}
