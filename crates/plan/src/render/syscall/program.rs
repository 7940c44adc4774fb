//! The program that a container is for.

use super::{Call, call, gives};
use crate::Op;

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::ChangeDirectory { path } => vec![call("chdir", format!("{path:?}")), call("getcwd", "")],
        Op::FindHome { .. } => vec![gives(
            "openat2",
            "$root, \"etc/passwd\", {flags=O_RDONLY|O_NONBLOCK|O_NOCTTY|O_CLOEXEC, \
             resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}"
                .to_owned(),
            "$passwd",
        )],
        Op::FindProgram { name, search } if !name.contains('/') => {
            vec![gives("faccessat2", format!("each of {search:?}, {name:?}, X_OK, AT_EACCESS"), "$program")]
        }
        Op::FindProgram { name, .. } => {
            vec![call("faccessat2", format!("AT_FDCWD, {name:?}, X_OK, AT_EACCESS"))]
        }
        Op::CloseDescriptors { from, keep } => {
            let kept: String = keep.iter().map(|slot| format!(", {slot}")).collect();
            vec![call("close_range", format!("{from}, 4294967295, 0 /* but $channel{kept} */"))]
        }
        Op::PassDescriptors { slots } => {
            (3..).zip(slots).map(|(number, slot)| call("dup2", format!("{slot}, {number}"))).collect()
        }
        Op::Exec { args, env } => {
            let args = args.iter().map(|arg| format!("{arg:?}")).collect::<Vec<_>>().join(", ");
            vec![call("execve", format!("$program, [{args}], [/* {} vars */]", env.len()))]
        }
        Op::ExecUnderInit { args, env } => {
            let args = args.iter().map(|arg| format!("{arg:?}")).collect::<Vec<_>>().join(", ");
            vec![call(
                "execveat",
                format!(
                    "$cuddy, \"\", [\"cuddy-init\", $program, {args}], [/* {} vars */], AT_EMPTY_PATH",
                    env.len()
                ),
            )]
        }
        _ => unreachable!("not about programs"),
    }
}
