//! That hooks run when and where the specification says (config.md, "POSIX-platform Hooks").

use super::Fault;
use crate::{HookKind, NamespaceKind, Op, Plan, Rendezvous, Side, Step};

pub(super) fn check(plan: &Plan) -> Result<(), Fault> {
    for side in [Side::Host, Side::Init] {
        for (index, step) in plan.script(side).iter().enumerate() {
            if let Op::RunHook { hook, .. } = &step.op {
                check_one(plan, side, index, hook.kind)?;
            }
        }
    }
    Ok(())
}

fn check_one(plan: &Plan, side: Side, index: usize, kind: HookKind) -> Result<(), Fault> {
    let (before, after) = plan.script(side).split_at(index);
    let in_time = match (side, kind) {
        (Side::Host, HookKind::Prestart | HookKind::CreateRuntime) => {
            has(before, |op| is(op, Rendezvous::MountsMade))
                && has(after, |op| is(op, Rendezvous::HooksDone))
                && init_stands_still(plan)
        }
        (Side::Init, HookKind::CreateContainer) => has(after, changes_root),
        (Side::Init, HookKind::StartContainer) => {
            let started = |op: &Op| matches!(op, Op::AwaitStart) || is(op, Rendezvous::Start);
            has(before, started) && !has(after, changes_root)
        }
        _ => return Err(Fault::WrongSide { side, index }),
    };
    if !in_time {
        return Err(Fault::HookOutOfTime { side, index });
    }
    if side == Side::Host && !away(before).is_empty() {
        return Err(Fault::HookElsewhere(index));
    }
    Ok(())
}

/// Whether init waits for the host's hooks, and changes its root only then.
fn init_stands_still(plan: &Plan) -> bool {
    let script = plan.script(Side::Init);
    let waits = script.iter().position(|step| is(&step.op, Rendezvous::HooksDone));
    waits.is_some_and(|waits| {
        has(&script[..waits], |op| is(op, Rendezvous::MountsMade)) && !has(&script[..waits], changes_root)
    })
}

/// Namespaces in which a child of the host's process would be after these steps that are not the runtime's.
fn away(steps: &[Step]) -> Vec<NamespaceKind> {
    let mut away = Vec::new();
    for step in steps {
        match &step.op {
            Op::Unshare { namespaces } | Op::EnterTarget { namespaces } => away.extend(namespaces),
            Op::EnterNamespace { kind } => away.push(*kind),
            Op::ReturnTo { kind } => away.retain(|left| left != kind),
            _ => {}
        }
    }
    away
}

fn has(steps: &[Step], what: impl Fn(&Op) -> bool) -> bool {
    steps.iter().any(|step| what(&step.op))
}

fn is(op: &Op, rendezvous: Rendezvous) -> bool {
    matches!(op, Op::Send { rendezvous: met } | Op::Await { rendezvous: met } if *met == rendezvous)
}

fn changes_root(op: &Op) -> bool {
    matches!(op, Op::PivotRoot | Op::MoveRoot | Op::Chroot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, Hook, Script, State, Status};

    fn hook(kind: HookKind) -> Op {
        let path = std::path::PathBuf::from("/bin/true");
        let (args, env, timeout, directory) = (vec![], None, None, None);
        let (home, stdout, stderr) = (false, None, None);
        let hook = Hook { kind, index: 0, path, args, env, timeout, directory, home, stdout, stderr };
        let state = State {
            oci_version: String::new(),
            id: "web".to_owned(),
            status: Status::Creating,
            pid: None,
            bundle: "/b".into(),
            annotations: Default::default(),
        };
        Op::RunHook { hook, state }
    }

    fn send(rendezvous: Rendezvous) -> Op {
        Op::Send { rendezvous }
    }

    fn wait(rendezvous: Rendezvous) -> Op {
        Op::Await { rendezvous }
    }

    fn script(ops: Vec<Op>) -> Script {
        let mut script = Script::default();
        ops.into_iter().for_each(|op| script.push(op, Cause::new("test", "")));
        script
    }

    /// What it is about, the steps of both sides, and the verdict.
    type Case = (&'static str, Vec<Op>, Vec<Op>, Result<(), Fault>);

    #[test]
    fn a_hook_runs_at_its_point_of_the_life_and_nowhere_else() {
        use HookKind::{CreateContainer, CreateRuntime, Poststop, Prestart, StartContainer};
        use Rendezvous::{HooksDone, MountsMade, Start};
        let clone = || Op::Clone { namespaces: vec![], cgroup: None, within: vec![] };
        let exec = || Op::Exec { args: vec![], env: vec![] };
        let unshare = |kind| Op::Unshare { namespaces: vec![kind] };
        let back = |kind| Op::ReturnTo { kind };
        let filter = || Op::SetSeccomp { flags: 0, program: vec![], summary: String::new() };
        let met = || vec![send(MountsMade), wait(HooksDone), Op::Chroot, exec()];
        let late = |index| Err(Fault::HookOutOfTime { side: Side::Init, index });
        let cases: Vec<Case> = vec![
            (
                "while init waits",
                vec![
                    Op::OpenProc,
                    clone(),
                    wait(MountsMade),
                    hook(Prestart),
                    hook(CreateRuntime),
                    send(HooksDone),
                ],
                met(),
                Ok(()),
            ),
            (
                "while init goes on",
                vec![Op::OpenProc, clone(), hook(CreateRuntime), wait(MountsMade), send(HooksDone)],
                met(),
                Err(Fault::HookOutOfTime { side: Side::Host, index: 2 }),
            ),
            (
                "when init has its root already",
                vec![Op::OpenProc, clone(), wait(MountsMade), hook(CreateRuntime), send(HooksDone)],
                vec![Op::Chroot, send(MountsMade), wait(HooksDone), exec()],
                Err(Fault::HookOutOfTime { side: Side::Host, index: 3 }),
            ),
            (
                "before there is an init",
                vec![Op::OpenProc, hook(CreateRuntime), clone(), wait(MountsMade), send(HooksDone)],
                met(),
                Err(Fault::NoInit(1)),
            ),
            (
                "in the namespace that was made for the container",
                vec![
                    Op::OpenProc,
                    unshare(NamespaceKind::Time),
                    clone(),
                    wait(MountsMade),
                    hook(CreateRuntime),
                    send(HooksDone),
                ],
                met(),
                Err(Fault::HookElsewhere(4)),
            ),
            (
                "back from the namespace that was made for the container",
                vec![
                    Op::OpenProc,
                    unshare(NamespaceKind::Time),
                    clone(),
                    back(NamespaceKind::Time),
                    wait(MountsMade),
                    hook(CreateRuntime),
                    send(HooksDone),
                ],
                met(),
                Ok(()),
            ),
            (
                "in the container, before its root",
                vec![Op::OpenProc, clone()],
                vec![hook(CreateContainer), Op::Chroot, exec()],
                Ok(()),
            ),
            (
                "in the container, too late",
                vec![Op::OpenProc, clone()],
                vec![Op::Chroot, hook(CreateContainer), exec()],
                late(1),
            ),
            (
                "after the start, under the filter",
                vec![Op::OpenProc, clone(), send(Start)],
                vec![Op::Chroot, wait(Start), filter(), hook(StartContainer), exec()],
                Ok(()),
            ),
            (
                "before the start",
                vec![Op::OpenProc, clone(), send(Start)],
                vec![Op::Chroot, hook(StartContainer), wait(Start), exec()],
                late(1),
            ),
            (
                "a hook of init's on the host",
                vec![Op::OpenProc, clone(), hook(CreateContainer)],
                vec![exec()],
                Err(Fault::WrongSide { side: Side::Host, index: 2 }),
            ),
            (
                "a hook that is no step",
                vec![Op::OpenProc, clone()],
                vec![hook(Poststop), exec()],
                Err(Fault::WrongSide { side: Side::Init, index: 0 }),
            ),
        ];
        for (name, host, init, expected) in cases {
            let given = vec![crate::Slot::Root];
            let plan = crate::Plan { given, host: script(host), init: script(init), ..Default::default() };
            assert_eq!(crate::check::check(&plan), expected, "{name}");
        }
    }
}
