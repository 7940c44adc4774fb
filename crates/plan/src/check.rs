//! Proves, before anything is forked, that a plan cannot hang or use what it does not have.

mod hooks;
mod mounts;

use crate::{
    NEW_LISTENER, NamespaceKind, NetworkPlace, Op, Plan, Rendezvous, Side, Slot, Step, Subject, Target,
    TreeSource, Undo,
};
use std::collections::BTreeSet;

/// Why a plan cannot be carried out. Always a mistake of the planner, never of the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A rendezvous is awaited that nobody sends, or that is sent on the same side.
    #[error("{side} awaits {rendezvous:?}, which the other script never sends")]
    NeverSent {
        /// Who waits.
        side: Side,
        /// For what.
        rendezvous: Rendezvous,
    },
    /// A rendezvous is sent or awaited more than once.
    #[error("{0:?} is used more than once on one side")]
    Twice(Rendezvous),
    /// A rendezvous is sent that nobody awaits; the message would be taken for the next one.
    #[error("{side} sends {rendezvous:?}, which the other script never awaits")]
    NeverAwaited {
        /// Who sends.
        side: Side,
        /// What.
        rendezvous: Rendezvous,
    },
    /// Messages of one direction are awaited in another order than they are sent.
    #[error("{side} awaits {awaited:?} where {sent:?} arrives first")]
    Order {
        /// Who waits.
        side: Side,
        /// For what.
        awaited: Rendezvous,
        /// What comes.
        sent: Rendezvous,
    },
    /// Both scripts wait for each other.
    #[error("host waits for {host:?} and init waits for {init:?}: neither can go on")]
    Deadlock {
        /// What the host waits for; `None`: it has ended.
        host: Option<Rendezvous>,
        /// What init waits for; `None`: it has ended.
        init: Option<Rendezvous>,
    },
    /// A slot is used before a step fills it.
    #[error("step {index} of {side} uses {slot}, which nothing filled before")]
    EmptySlot {
        /// Which script.
        side: Side,
        /// Which step, counted from zero.
        index: usize,
        /// Which slot.
        slot: Slot,
    },
    /// A slot is filled twice.
    #[error("step {index} of {side} fills {slot} a second time")]
    FilledTwice {
        /// Which script.
        side: Side,
        /// Which step, counted from zero.
        index: usize,
        /// Which slot.
        slot: Slot,
    },
    /// The host's script does not clone exactly once, or uses init's pid before.
    #[error("step {0} of host needs init, which is not there yet")]
    NoInit(usize),
    /// The host's script clones twice, or not at all.
    #[error("the host script clones {0} times")]
    Clones(usize),
    /// init's script does not end with the program, or goes on after it.
    #[error("the init script does not end where it becomes the program")]
    Ending,
    /// A step stands in the script of the wrong side.
    #[error("step {index} of {side} belongs to the other script")]
    WrongSide {
        /// Which script.
        side: Side,
        /// Which step, counted from zero.
        index: usize,
    },
    /// The filter is loaded while steps remain that it may forbid.
    #[error("step {0} of init comes after the system call filter")]
    AfterFilter(usize),
    /// init has no mount namespace of its own, and mounts what nothing would take off, or changes what is there.
    #[error("step {0} of init changes mounts of others, and no mount namespace is made")]
    MountsOfOthers(usize),
    /// A group is made, or a unit started, that nothing would remove.
    #[error("step {0} of host changes the machine and no undo is written down for it")]
    NoUndo(usize),
    /// A hook runs before the container is as far as the specification says, or after it.
    #[error("step {index} of {side} is a hook at the wrong point of the container's life")]
    HookOutOfTime {
        /// Which script.
        side: Side,
        /// Which step, counted from zero.
        index: usize,
    },
    /// A hook of the runtime's namespaces would run in others.
    #[error("step {0} of host is a hook, and its process would not be in the runtime's namespaces")]
    HookElsewhere(usize),
}

/// Checks a plan: each awaited rendezvous has one sender, in the same order, without deadlock; slots are
/// filled once and before use; init ends with the program; what outlives a failure can be undone.
///
/// # Errors
/// The first [`Fault`] found.
pub fn check(plan: &Plan) -> Result<(), Fault> {
    check_sides(plan)?;
    check_slots(plan)?;
    check_messages(plan)?;
    check_meeting(plan)?;
    check_undo(plan)?;
    mounts::check(plan)?;
    hooks::check(plan)
}

fn check_sides(plan: &Plan) -> Result<(), Fault> {
    let clones = plan.host.0.iter().filter(|step| matches!(step.op, Op::Clone { .. })).count();
    if clones != 1 {
        return Err(Fault::Clones(clones));
    }
    let mut cloned = false;
    for (index, step) in plan.host.0.iter().enumerate() {
        match step.op {
            Op::Clone { .. } => cloned = true,
            Op::JoinCgroup { .. }
            | Op::AssignResctrl { .. }
            | Op::StartUnit { .. }
            | Op::WriteIdMap { .. }
            | Op::RunIdMapper { .. }
            | Op::DenySetgroups
            | Op::SetScheduler { whose: Subject::Init, .. }
            | Op::SetIoPriority { whose: Subject::Init, .. }
            | Op::SetOomScoreAdj { whose: Subject::Init, .. }
            | Op::MoveNetDevice { into: NetworkPlace::Init, .. }
            | Op::Record { .. }
            | Op::RunHook { .. }
            | Op::TakeListener
            | Op::SendListener { .. }
            | Op::Send { .. }
            | Op::Await { .. }
                if !cloned =>
            {
                return Err(Fault::NoInit(index));
            }
            Op::Exec { .. }
            | Op::ExecUnderInit { .. }
            | Op::PivotRoot
            | Op::MoveRoot
            | Op::Restrict { .. }
            | Op::SetSeccomp { .. }
            | Op::OfferListener => {
                return Err(Fault::WrongSide { side: Side::Host, index });
            }
            _ => {}
        }
    }
    let mut filtered = false;
    let last = plan.init.0.len().checked_sub(1).ok_or(Fault::Ending)?;
    for (index, step) in plan.init.0.iter().enumerate() {
        let execs = matches!(step.op, Op::Exec { .. } | Op::ExecUnderInit { .. });
        if execs != (index == last) {
            return Err(Fault::Ending);
        }
        if filtered && !execs && !goes_on_filtered(&step.op) {
            return Err(Fault::AfterFilter(index));
        }
        match step.op {
            Op::SetSeccomp { .. } => filtered = true,
            Op::MakeCgroup { .. }
            | Op::GiveCgroup { .. }
            | Op::StartUnit { .. }
            | Op::JoinCgroup { .. }
            | Op::AssignResctrl { .. }
            | Op::Clone { .. }
            | Op::WriteIdMap { .. }
            | Op::RunIdMapper { .. }
            | Op::DenySetgroups
            | Op::SetScheduler { whose: Subject::Init, .. }
            | Op::SetIoPriority { whose: Subject::Init, .. }
            | Op::SetOomScoreAdj { whose: Subject::Init, .. }
            | Op::MoveNetDevice { .. }
            | Op::TakeListener
            | Op::SendListener { .. }
            | Op::ReturnTo { .. }
            | Op::Record { .. } => {
                return Err(Fault::WrongSide { side: Side::Init, index });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The slots that steps use of those that were filled before them.
#[must_use]
pub fn needed(steps: &[Step]) -> Vec<Slot> {
    let (mut needed, mut filled) = (BTreeSet::new(), BTreeSet::new());
    for step in steps {
        let (used, fills) = slots(&step.op);
        needed.extend(used.into_iter().filter(|slot| !filled.contains(slot)));
        filled.extend(fills);
    }
    needed.into_iter().collect()
}

/// What may stand between the filter and the program: a hook in the container, which is bound by the same filter;
/// handing over its listener; and, where there is one, the wait for `start`, since who listens is told at `create`.
fn goes_on_filtered(op: &Op) -> bool {
    matches!(
        op,
        Op::SetCapabilities { .. }
            | Op::RunHook { .. }
            | Op::OfferListener
            | Op::Await { rendezvous: Rendezvous::ListenerTaken }
            | Op::AwaitStart
    )
}

/// Slots that an operation uses, and the one it fills.
fn slots(op: &Op) -> (Vec<Slot>, Option<Slot>) {
    match op {
        Op::CloseDescriptors { keep, .. } => (keep.clone(), None),
        Op::OpenProc => (vec![], Some(Slot::Proc)),
        Op::OpenNull => (vec![], Some(Slot::Null)),
        Op::OpenCuddy => (vec![], Some(Slot::Cuddy)),
        Op::ExecUnderInit { .. } => (vec![Slot::Cuddy], None),
        Op::MakeIdMap { slot, .. } => (vec![Slot::Proc], Some(*slot)),
        Op::SetIdMap { slot, map, .. } => (vec![*map, *slot], None),
        Op::CopyMode { slot, .. } | Op::CopyUp { slot, .. } => (vec![Slot::Root, *slot], None),
        Op::SetLabel { slot, .. } | Op::NoteMount { slot, .. } => (vec![*slot], None),
        Op::MakeDevice { within, .. } => (vec![*within], None),
        Op::OpenNetlink => (vec![], Some(Slot::Netlink)),
        Op::MoveNetDevice { into, .. } => {
            let joined = (*into == NetworkPlace::Joined).then_some(Slot::Namespace(NamespaceKind::Network));
            (joined.into_iter().chain([Slot::Netlink, Slot::Proc]).collect(), None)
        }
        Op::OpenNamespace { kind, .. } => (vec![], Some(Slot::Namespace(*kind))),
        Op::EnterTarget { .. } => (vec![Slot::Target], None),
        Op::AdoptNamespace { .. } | Op::ReturnTo { .. } => (vec![Slot::Proc], None),
        Op::OpenRoot { .. } => (vec![], Some(Slot::Root)),
        Op::OpenTargetRoot { .. } => (vec![Slot::Proc, Slot::Target], Some(Slot::Root)),
        Op::EnterNamespace { kind } => (vec![Slot::Namespace(*kind)], None),
        Op::OpenCgroup { .. } => (vec![], Some(Slot::Cgroup)),
        Op::Clone { cgroup, within, .. } => {
            let within = within.iter().map(|within| within.slot);
            (cgroup.iter().copied().chain(within).collect(), Some(Slot::InitPidfd))
        }
        Op::AwaitStart => (vec![Slot::StartSocket], None),
        Op::SetSysctl { .. }
        | Op::SetOomScoreAdj { .. }
        | Op::SetSecurityAttribute { .. }
        | Op::WriteTimeOffsets { .. }
        | Op::DenySetgroups
        | Op::WriteIdMap { .. } => (vec![Slot::Proc], None),
        Op::NewMount { slot, .. } => (vec![], Some(*slot)),
        Op::CloneTree { source, slot, .. } => match source {
            TreeSource::Path(_) => (vec![], Some(*slot)),
            TreeSource::Inside(_) => (vec![Slot::Root], Some(*slot)),
            TreeSource::Slot(from) => (vec![*from], Some(*slot)),
        },
        Op::MakeDirectories { slot, .. } | Op::SetAttr { slot, .. } => (vec![*slot], None),
        Op::Attach { slot, target: Target::Host(_) } => (vec![*slot], None),
        Op::Attach { slot, target: Target::Inside { .. } } => (vec![*slot, Slot::Root], None),
        Op::Mask { .. } => (vec![Slot::Root, Slot::Null, Slot::Empty], None),
        Op::MakeReadOnly { .. }
        | Op::Reconfigure { .. }
        | Op::ChangeMount { .. }
        | Op::MakeRootReadOnly
        | Op::MakeDirectory { .. }
        | Op::FindHome { .. }
        | Op::MakeSymlink { .. }
        | Op::PivotRoot
        | Op::MoveRoot
        | Op::Chroot => (vec![Slot::Root], None),
        Op::OpenTerminal { .. } => (vec![Slot::Root], Some(Slot::Terminal)),
        Op::SendConsole => (vec![Slot::ConsoleSocket], None),
        Op::UseTerminal => (vec![Slot::Terminal], None),
        Op::SetSeccomp { flags, .. } if flags & NEW_LISTENER != 0 => (vec![], Some(Slot::Listener)),
        Op::TakeListener => (vec![Slot::InitPidfd], Some(Slot::Listener)),
        Op::OfferListener | Op::SendListener { .. } => (vec![Slot::Listener], None),
        Op::PassDescriptors { slots } => (slots.clone(), None),
        _ => (vec![], None),
    }
}

fn check_slots(plan: &Plan) -> Result<(), Fault> {
    let mut filled: BTreeSet<Slot> = plan.given.iter().copied().collect();
    let mut at_clone = filled.clone();
    for side in [Side::Host, Side::Init] {
        if side == Side::Init {
            filled = at_clone.clone();
        }
        for (index, step) in plan.script(side).iter().enumerate() {
            if matches!(step.op, Op::Clone { .. }) {
                at_clone = filled.clone();
            }
            let (used, fills) = slots(&step.op);
            if let Some(slot) = used.into_iter().find(|slot| !filled.contains(slot)) {
                return Err(Fault::EmptySlot { side, index, slot });
            }
            if let Some(slot) = fills
                && !filled.insert(slot)
            {
                return Err(Fault::FilledTwice { side, index, slot });
            }
            if let Op::CloseDescriptors { keep, .. } = &step.op {
                filled.retain(|slot| keep.contains(slot));
            }
        }
    }
    Ok(())
}

/// What a script sends, or awaits, in order.
fn messages(plan: &Plan, side: Side, sent: bool) -> Vec<Rendezvous> {
    let pick = |op: &Op| match op {
        Op::Send { rendezvous } if sent => Some(*rendezvous),
        // It tells the creator first; what it waits for comes from somebody else.
        Op::AwaitStart if sent => Some(Rendezvous::Created),
        Op::OfferListener if sent => Some(Rendezvous::FilterLoaded),
        Op::Await { rendezvous } if !sent => Some(*rendezvous),
        Op::TakeListener if !sent => Some(Rendezvous::FilterLoaded),
        _ => None,
    };
    plan.script(side).iter().filter_map(|step| pick(&step.op)).collect()
}

fn check_messages(plan: &Plan) -> Result<(), Fault> {
    for (side, other) in [(Side::Host, Side::Init), (Side::Init, Side::Host)] {
        let awaited = messages(plan, side, false);
        let sent = messages(plan, other, true);
        for list in [&awaited, &sent] {
            let mut seen = Vec::new();
            for rendezvous in list {
                if seen.contains(rendezvous) {
                    return Err(Fault::Twice(*rendezvous));
                }
                seen.push(*rendezvous);
            }
        }
        if let Some(rendezvous) = awaited.iter().copied().find(|r| !sent.contains(r)) {
            return Err(Fault::NeverSent { side, rendezvous });
        }
        if let Some(rendezvous) = sent.iter().copied().find(|r| !awaited.contains(r)) {
            return Err(Fault::NeverAwaited { side: other, rendezvous });
        }
        if let Some((awaited, sent)) = awaited.into_iter().zip(sent).find(|(a, s)| a != s) {
            return Err(Fault::Order { side, awaited, sent });
        }
    }
    Ok(())
}

/// Runs both scripts against each other: sending never blocks, awaiting blocks until it was sent.
fn check_meeting(plan: &Plan) -> Result<(), Fault> {
    let mut sent: Vec<(Side, Rendezvous)> = Vec::new();
    let mut at = [0, 0];
    loop {
        let mut moved = false;
        let mut blocked = [None, None];
        for (n, side) in [Side::Host, Side::Init].into_iter().enumerate() {
            let script = plan.script(side);
            while let Some(step) = script.get(at[n]) {
                let awaited = match step.op {
                    Op::Await { rendezvous } => Some(rendezvous),
                    Op::TakeListener => Some(Rendezvous::FilterLoaded),
                    _ => None,
                };
                match (&step.op, awaited) {
                    (Op::Send { rendezvous }, _) => sent.push((side, *rendezvous)),
                    (Op::AwaitStart, _) => sent.push((side, Rendezvous::Created)),
                    (Op::OfferListener, _) => sent.push((side, Rendezvous::FilterLoaded)),
                    (_, Some(rendezvous))
                        if !sent.iter().any(|(from, r)| *from != side && *r == rendezvous) =>
                    {
                        blocked[n] = Some(rendezvous);
                        break;
                    }
                    _ => {}
                }
                at[n] += 1;
                moved = true;
            }
        }
        match (blocked, moved) {
            ([None, None], _) => return Ok(()),
            ([host, init], false) => return Err(Fault::Deadlock { host, init }),
            _ => {}
        }
    }
}

fn check_undo(plan: &Plan) -> Result<(), Fault> {
    for (index, step) in plan.host.0.iter().enumerate() {
        let has = |undone: &dyn Fn(&Undo) -> bool| plan.undo.iter().any(undone);
        let undone = match &step.op {
            Op::MakeCgroup { directory } => {
                has(&|undo| matches!(undo, Undo::RemoveCgroup(path) if path == directory))
            }
            Op::StartUnit { unit, .. } => {
                has(&|undo| matches!(undo, Undo::StopUnit(stopped) if stopped == unit))
            }
            Op::AssignResctrl { group, makes, monitor, .. } => {
                let made = makes.then_some(group).into_iter().chain(monitor);
                made.into_iter()
                    .all(|made| has(&|undo| matches!(undo, Undo::RemoveResctrlGroup(path) if path == made)))
            }
            _ => true,
        };
        if !undone {
            return Err(Fault::NoUndo(index));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, Script};
    use Rendezvous::{CgroupsReady, Created, FilterLoaded, IdMapsWritten, ListenerTaken, Start};

    fn send(rendezvous: Rendezvous) -> Op {
        Op::Send { rendezvous }
    }

    fn wait(rendezvous: Rendezvous) -> Op {
        Op::Await { rendezvous }
    }

    fn clone() -> Op {
        Op::Clone { namespaces: vec![NamespaceKind::Mount], cgroup: None, within: vec![] }
    }

    fn exec() -> Op {
        Op::Exec { args: vec![], env: vec![] }
    }

    fn asking() -> Op {
        Op::SetSeccomp { flags: NEW_LISTENER, program: vec![], summary: String::new() }
    }

    fn cgroup() -> Op {
        Op::MakeCgroup { directory: "/c".into() }
    }

    fn resctrl(makes: bool) -> Op {
        Op::AssignResctrl { group: "/r".into(), makes, schemata: vec![], monitor: None }
    }

    fn attach(slot: Slot) -> Op {
        Op::Attach { slot, target: Target::Host("/r".into()) }
    }

    fn tree(slot: Slot) -> Op {
        Op::CloneTree { source: TreeSource::Path("/r".into()), recursive: true, slot }
    }

    fn script(ops: Vec<Op>) -> Script {
        let mut script = Script::default();
        ops.into_iter().for_each(|op| script.push(op, Cause::new("test", "")));
        script
    }

    /// What it is about, the steps of both sides, and the verdict.
    type Case = (&'static str, Vec<Op>, Vec<Op>, Result<(), Fault>);

    #[test]
    fn good_plans_pass_and_bad_ones_are_refused() {
        let filter = || Op::SetSeccomp { flags: 0, program: vec![], summary: String::new() };
        let cases: Vec<Case> = vec![
            ("the least plan", vec![clone()], vec![exec()], Ok(())),
            (
                "a meeting in both directions",
                vec![clone(), send(CgroupsReady), wait(Created), send(Start)],
                vec![wait(CgroupsReady), send(Created), wait(Start), exec()],
                Ok(()),
            ),
            (
                "nobody sends",
                vec![clone()],
                vec![wait(Start), exec()],
                Err(Fault::NeverSent { side: Side::Init, rendezvous: Start }),
            ),
            (
                "one waits for itself",
                vec![clone()],
                vec![send(Start), wait(Start), exec()],
                Err(Fault::NeverAwaited { side: Side::Init, rendezvous: Start }),
            ),
            (
                "nobody listens",
                vec![clone(), send(Start)],
                vec![exec()],
                Err(Fault::NeverAwaited { side: Side::Host, rendezvous: Start }),
            ),
            (
                "two senders",
                vec![clone(), send(Start), send(Start)],
                vec![wait(Start), exec()],
                Err(Fault::Twice(Start)),
            ),
            (
                "crossed order",
                vec![clone(), send(Start), send(IdMapsWritten)],
                vec![wait(IdMapsWritten), wait(Start), exec()],
                Err(Fault::Order { side: Side::Init, awaited: IdMapsWritten, sent: Start }),
            ),
            (
                "each waits for the other",
                vec![clone(), wait(Created), send(Start)],
                vec![wait(Start), send(Created), exec()],
                Err(Fault::Deadlock { host: Some(Created), init: Some(Start) }),
            ),
            (
                "a message to nobody yet",
                vec![send(Start), clone()],
                vec![wait(Start), exec()],
                Err(Fault::NoInit(0)),
            ),
            ("no clone", vec![], vec![exec()], Err(Fault::Clones(0))),
            ("two clones", vec![clone(), clone()], vec![exec()], Err(Fault::Clones(2))),
            ("no program", vec![clone()], vec![], Err(Fault::Ending)),
            ("life after the program", vec![clone()], vec![exec(), Op::NewSession], Err(Fault::Ending)),
            (
                "a step after the filter",
                vec![clone()],
                vec![filter(), Op::NewSession, exec()],
                Err(Fault::AfterFilter(1)),
            ),
            (
                "a filter that asks, before the wait for start",
                vec![clone(), Op::TakeListener, send(ListenerTaken)],
                vec![asking(), Op::OfferListener, wait(ListenerTaken), exec()],
                Ok(()),
            ),
            (
                "a listener that nobody takes",
                vec![clone(), send(ListenerTaken)],
                vec![asking(), Op::OfferListener, wait(ListenerTaken), exec()],
                Err(Fault::NeverAwaited { side: Side::Init, rendezvous: FilterLoaded }),
            ),
            (
                "a listener that no filter gave",
                vec![clone(), Op::TakeListener],
                vec![filter(), Op::OfferListener, exec()],
                Err(Fault::EmptySlot { side: Side::Init, index: 1, slot: Slot::Listener }),
            ),
            (
                "an empty slot",
                vec![clone()],
                vec![attach(Slot::Root), exec()],
                Err(Fault::EmptySlot { side: Side::Init, index: 0, slot: Slot::Root }),
            ),
            (
                "a slot filled after the fork is the host's alone",
                vec![clone(), tree(Slot::Root)],
                vec![attach(Slot::Root), exec()],
                Err(Fault::EmptySlot { side: Side::Init, index: 0, slot: Slot::Root }),
            ),
            (
                "a slot filled before the fork is both's",
                vec![tree(Slot::Root), clone()],
                vec![attach(Slot::Root), exec()],
                Ok(()),
            ),
            (
                "a slot filled twice",
                vec![clone()],
                vec![tree(Slot::Root), tree(Slot::Root), exec()],
                Err(Fault::FilledTwice { side: Side::Init, index: 1, slot: Slot::Root }),
            ),
            ("a change without undo", vec![cgroup(), clone()], vec![exec()], Err(Fault::NoUndo(0))),
            ("shares without undo", vec![clone(), resctrl(true)], vec![exec()], Err(Fault::NoUndo(1))),
            ("shares of a group that is there", vec![clone(), resctrl(false)], vec![exec()], Ok(())),
            (
                "init makes a cgroup",
                vec![clone()],
                vec![cgroup(), exec()],
                Err(Fault::WrongSide { side: Side::Init, index: 0 }),
            ),
        ];
        for (name, host, init, expected) in cases {
            let plan = Plan { host: script(host), init: script(init), ..Plan::default() };
            assert_eq!(check(&plan), expected, "{name}");
        }
    }

    #[test]
    fn a_container_that_waits_for_its_start_says_that_it_is_created() {
        let given = vec![Slot::StartSocket];
        let (host, init) = (vec![clone(), wait(Created)], vec![Op::AwaitStart, exec()]);
        let plan = Plan { given, host: script(host), init: script(init), ..Plan::default() };
        assert_eq!(check(&plan), Ok(()));
        let deaf = Plan { host: script(vec![clone()]), ..plan };
        assert_eq!(check(&deaf), Err(Fault::NeverAwaited { side: Side::Init, rendezvous: Created }));
    }
}
