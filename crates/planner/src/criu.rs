use crate::mount_namespace::Whose;
use crate::{Draft, Error, Planned, Request, cgroups, hooks, mounts, root, rootless};
use plan::{Attr, Cause, Hook, Op, Plan, Propagation, Slot, Target, TreeSource};
use spec::NamespaceKind;
use std::path::Path;

/// How criu is found and started.
#[derive(Debug, Clone, Copy)]
pub struct Criu<'a> {
    /// Directories that it is looked for in, as in `PATH`.
    pub search: &'a str,
    /// Its environment, which is that of the runtime.
    pub env: &'a [String],
}

/// A restore.
#[derive(Debug, Clone, PartialEq)]
pub struct Restore {
    /// The steps up to criu, and the hooks that run after the container's end.
    pub planned: Planned,
    /// Hooks that run when criu has made the namespaces.
    pub hooks: Vec<Hook>,
}

/// Namespaces that are joined at a restore by a descriptor which criu inherits. It joins others by path.
pub const INHERITED: [NamespaceKind; 2] = [NamespaceKind::Network, NamespaceKind::Pid];

/// Plans a process that becomes criu, to be told over a socket what to do: `criu swrk`, with [`Slot::Criu`] as
/// descriptor 3.
///
/// # Errors
/// None that a user can cause.
pub fn criu(criu: &Criu) -> Result<Plan, Error> {
    let mut plan = Plan::default();
    let clone = Op::Clone { namespaces: Vec::new(), cgroup: None, within: vec![] };
    plan.host.push(clone, Cause::new("checkpoint", "the process that becomes criu"));
    become_criu(&mut plan, criu, vec![Slot::Criu]);
    checked(plan)
}

/// Plans a process that becomes criu and will bring a container back: in the container's groups, and with its root
/// mounted on `place` in a mount namespace which ends with criu, so that nothing has to be unmounted.
///
/// After [`Slot::Criu`] criu inherits the namespaces of [`INHERITED`] that the configuration joins, in its order.
///
/// # Errors
/// As for [`crate::plan()`], for what concerns groups, the root and bind mounts.
pub fn restore(request: &Request, place: &Path, criu: &Criu) -> Result<Restore, Error> {
    rootless::refuse(request.facts, "", "a restore", "criu(8) reads and writes what is root's")?;
    let draft = &mut Draft::new(request)?;
    if draft.namespaces.mounts() != Whose::Own {
        let message = "a container without a mount namespace of its own cannot be restored";
        return Err(Error::new("/linux/namespaces", message, "add {\"type\": \"mount\"} without a path"));
    }
    draft.host(Op::OpenProc, "default", "writes to /proc must reach procfs and nothing mounted over it");
    let mut passed = vec![Slot::Criu];
    for (kind, index, path) in draft.namespaces.joined().to_vec() {
        if !INHERITED.contains(&kind) {
            continue;
        }
        let op = Op::OpenNamespace { kind, file: path.to_owned() };
        let cause = Cause::new(format!("/linux/namespaces/{index}"), "criu joins it by descriptor");
        draft.plan.host.push(op, cause);
        passed.push(Slot::Namespace(kind));
    }
    let before = draft.namespaces.has(NamespaceKind::User);
    if before {
        root::source(draft)?;
    }
    cgroups::before_clone(draft);
    let namespaces = vec![NamespaceKind::Mount];
    let clone = Op::Clone { namespaces, cgroup: cgroups::birthplace(draft), within: vec![] };
    draft.host(clone, "restore", "the process that becomes criu, which makes the container's namespaces");
    cgroups::beside(draft)?;

    draft.init(Op::SetUmask { mask: 0 }, "default", "what is made gets the mode that it is given");
    if !before {
        root::source(draft)?;
    }
    root::cut_propagation(draft);
    root::mount(draft)?;
    mounts::make_points(draft)?;
    let slot = draft.new_mount();
    let source = TreeSource::Slot(Slot::Root);
    let why = "the root alone: what is mounted on it is for criu to make";
    draft.init(Op::CloneTree { source, recursive: false, slot }, "/root/path", why);
    let (set, clear) = (Attr::NONE, Attr::NONE);
    let op = Op::SetAttr { slot, recursive: false, set, clear, propagation: Some(Propagation::Slave) };
    draft.init(op, "/root/path", "mounts of the container do not reach the machine");
    let op = Op::Attach { slot, target: Target::Host(place.to_owned()) };
    draft.init(op, "/root/path", "criu wants a mount that no other one covers; it ends with this process");
    cgroups::enter(draft);

    let (mut plan, notes) = (std::mem::take(&mut draft.plan), std::mem::take(&mut draft.notes));
    become_criu(&mut plan, criu, passed);
    let planned = Planned { plan: checked(plan)?, hooks: hooks::later(draft), notes };
    Ok(Restore { planned, hooks: hooks::of_runtime(draft) })
}

fn become_criu(plan: &mut Plan, criu: &Criu, passed: Vec<Slot>) {
    plan.given.push(Slot::Criu);
    let mut init = |op, why| plan.init.push(op, Cause::new("criu", why));
    let find = Op::FindProgram { name: "criu".to_owned(), search: criu.search.to_owned() };
    init(find, "it reads and writes the state of processes");
    init(Op::ResetSignals, "ignored signals and the mask would pass execve(2)");
    let close = Op::CloseDescriptors { from: 3, keep: passed.clone() };
    init(close, "no descriptor of the runtime reaches it but those that it is given");
    init(Op::PassDescriptors { slots: passed }, "what it is told to do, and what it cannot open itself");
    let args = ["criu", "swrk", "3"].map(str::to_owned).to_vec();
    init(Op::Exec { args, env: criu.env.to_vec() }, "it is told over the socket what to do");
}

fn checked(plan: Plan) -> Result<Plan, Error> {
    plan::check::check(&plan).map_err(|fault| Error::planner_fault(&fault))?;
    Ok(plan)
}
