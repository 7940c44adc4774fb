use crate::mount_namespace::Whose;
use crate::namespaces::Namespaces;
use crate::{Draft, Error, Options, Planned, filter, labels, landlock, process, schedule, security};
use plan::facts::HostFacts;
use plan::{Op, Rendezvous, Slot, Within};
use spec::{Capability, Config, ContainerId, NamespaceKind, State, Status};
use std::path::{Path, PathBuf};

/// What a plan for one more process in a running container is made from.
#[derive(Debug, Clone, Copy)]
pub struct ExecRequest<'a> {
    /// The container's configuration, with the new process in place of its first.
    pub config: &'a Config,
    /// What the machine is.
    pub facts: &'a HostFacts,
    /// The container's name.
    pub id: &'a ContainerId,
    /// Namespaces of the container that are not the machine's.
    pub namespaces: &'a [NamespaceKind],
    /// The cgroup in the v2 hierarchy that it is born in.
    pub unified: Option<&'a Path>,
    /// The cgroups in v1's hierarchies.
    pub cgroups: &'a [PathBuf],
    /// The container's state, for who is asked about system calls.
    pub state: &'a State,
    /// How it is to be done.
    pub options: &'a Options,
}

/// Plans one more process in a running container: one call joins its namespaces, no mount is made.
///
/// [`Slot::Target`] is given: the container's init.
///
/// # Errors
/// As for [`crate::plan()`], for what concerns the process.
pub fn exec(request: &ExecRequest) -> Result<Planned, Error> {
    let draft = &mut Draft::of_running(request);
    draft.plan.given.push(Slot::Target);
    let (from, has) = ("exec", |kind| request.namespaces.contains(&kind));
    draft.host(Op::OpenProc, "default", "writes to /proc must reach procfs and nothing mounted over it");
    let within = within(request);
    if has(NamespaceKind::Pid) && within.is_empty() {
        let namespaces = vec![NamespaceKind::Pid];
        draft.host(Op::EnterTarget { namespaces }, from, "takes effect for the children of who joins");
    }
    let apart = Namespaces::read(draft.linux)?.mounts() != Whose::Own;
    if let Some(pid) = request.state.pid.filter(|_| apart) {
        let why = "found by its init, as it has no mount namespace of its own";
        draft.host(Op::OpenTargetRoot { pid }, from, why);
    }
    let born_in = request.unified.map(|_| Slot::Cgroup);
    if let Some(group) = request.unified {
        let op = Op::OpenCgroup { directory: group.to_owned() };
        draft.host(op, from, "the new process is born in it: to move one takes a lock against all forks");
    }
    schedule::before_exec(draft)?;
    process::score_before_exec(draft)?;
    let joined = within.first().map_or_else(|| vec![NamespaceKind::Pid], |within| within.namespaces.clone());
    let op = Op::Clone { namespaces: Vec::new(), cgroup: born_in, within };
    draft.host(op, from, "the process that becomes the program");
    draft.host(Op::Record { status: Status::Running }, from, "the pid file");
    let rendezvous = Rendezvous::Start;
    draft.host(Op::Send { rendezvous }, from, "it is where it belongs");

    draft.init(Op::SetNotDumpable, from, "processes of the container must not reach out through this one");
    draft.init(Op::Await { rendezvous }, from, "whoever asks for its pid finds it");
    for group in request.cgroups {
        let op = Op::EnterCgroup { file: group.join("tasks") };
        draft.init(op, from, "from here on the container's limits bite; who moves itself waits for nobody");
    }
    process::score_of_exec(draft)?;
    schedule::of_exec(draft)?;
    let others: Vec<_> = request.namespaces.iter().copied().filter(|kind| !joined.contains(kind)).collect();
    if !others.is_empty() {
        draft.init(
            Op::EnterTarget { namespaces: others },
            from,
            "all at once, by the pidfd of the container's init",
        );
    }
    if apart {
        draft.init(Op::Chroot, from, "it is not the root of the mount namespace that the container is in");
    } else {
        let op = Op::OpenRoot { directory: "/".into() };
        draft.init(op, from, "the container's, since its mount namespace was joined");
    }
    crate::identity::session(draft)?;
    process::open_terminal_here(draft)?;
    process::limits(draft)?;
    process::directory(draft)?;
    labels::of_program(draft)?;
    process::home(draft)?;
    security::privileges(draft)?;
    process::find(draft)?;
    draft.init(Op::ResetSignals, "default", "ignored signals and the mask would pass execve(2)");
    process::close_descriptors(draft);
    let filter = filter::compile(draft, request.state)?;
    landlock::restrict(draft)?;
    if let Some(filter) = filter {
        filter.load(draft);
    }
    process::exec(draft);
    crate::finish(draft)
}

/// Who is nobody to the container's pid namespace has to be in its user namespace before it can join that, and for its
/// children only: the process in between does both.
fn within(request: &ExecRequest) -> Vec<Within> {
    let has = |kind: &NamespaceKind| request.namespaces.contains(kind);
    let is_nobody = !request.facts.capabilities.contains(Capability::SYS_ADMIN);
    let first = [NamespaceKind::User, NamespaceKind::Pid].into_iter().filter(has).collect();
    let needed = has(&NamespaceKind::User) && is_nobody;
    needed.then_some(Within { slot: Slot::Target, namespaces: first }).into_iter().collect()
}
