//! That a container without a mount namespace of its own leaves the mounts of others as they are, but for one that is
//! written down.

use super::Fault;
use crate::{NamespaceKind, Op, Plan, Side, Target, Undo};

pub(super) fn check(plan: &Plan) -> Result<(), Fault> {
    let makes =
        |op: &Op| matches!(op, Op::Clone { namespaces, .. } if namespaces.contains(&NamespaceKind::Mount));
    if plan.host.0.iter().any(|step| makes(&step.op)) {
        return Ok(());
    }
    let undone =
        |path| plan.undo.iter().any(|undo| matches!(undo, Undo::Unmount { place, .. } if place == path));
    for (index, step) in plan.script(Side::Init).iter().enumerate() {
        match &step.op {
            Op::SetPropagation { .. }
            | Op::PivotRoot
            | Op::MoveRoot
            | Op::Detach { .. }
            | Op::Mask { .. }
            | Op::MakeReadOnly { .. } => {
                return Err(Fault::MountsOfOthers(index));
            }
            Op::Attach { target: Target::Host(place), .. } if !undone(place) => {
                return Err(Fault::MountsOfOthers(index));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, Propagation, Script, Slot};

    #[test]
    fn mounts_of_others_are_left_alone() {
        let attach = || Op::Attach { slot: Slot::Root, target: Target::Host("/r".into()) };
        let cut = || Op::SetPropagation { recursive: true, propagation: Propagation::Slave };
        let undo = || vec![Undo::Unmount { place: "/r".into(), note: "/n".into() }];
        let own = vec![NamespaceKind::Mount];
        let cases = [
            ("its own", own.clone(), vec![cut(), attach(), Op::PivotRoot], vec![], Ok(())),
            ("written down", vec![], vec![attach(), Op::Chroot], undo(), Ok(())),
            ("not written down", vec![], vec![attach()], vec![], Err(Fault::MountsOfOthers(0))),
            ("pivots", vec![], vec![attach(), Op::PivotRoot], undo(), Err(Fault::MountsOfOthers(1))),
            ("cuts", vec![], vec![cut()], undo(), Err(Fault::MountsOfOthers(0))),
        ];
        for (name, namespaces, ops, undo, expected) in cases {
            let mut plan = Plan { undo, ..Plan::default() };
            let clone = Op::Clone { namespaces, cgroup: None, within: vec![] };
            let script = |ops: Vec<Op>| {
                let mut script = Script::default();
                ops.into_iter().for_each(|op| script.push(op, Cause::new("test", "")));
                script
            };
            (plan.host, plan.init) = (script(vec![clone]), script(ops));
            assert_eq!(check(&plan), expected, "{name}");
        }
    }
}
