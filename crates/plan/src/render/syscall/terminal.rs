//! The terminal, pts(4).

use super::{Call, call, gives};
use crate::{Op, Slot};

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::OpenTerminal { rows, columns, .. } => {
            let mut calls = vec![
                gives(
                    "openat2",
                    format!(
                        "{}, \"dev/pts/ptmx\", {{flags=O_RDWR|O_NOCTTY|O_CLOEXEC, resolve=RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}}",
                        Slot::Root
                    ),
                    Slot::Console,
                ),
                call("fstatfs", format!("{}, {{f_type=DEVPTS_SUPER_MAGIC}}", Slot::Console)),
                call("ioctl", format!("{}, TIOCSPTLCK, [0]", Slot::Console)),
                gives(
                    "ioctl",
                    format!("{}, TIOCGPTPEER, O_RDWR|O_NOCTTY|O_CLOEXEC", Slot::Console),
                    Slot::Terminal,
                ),
            ];
            if (*rows, *columns) != (0, 0) {
                calls.push(call(
                    "ioctl",
                    format!("{}, TIOCSWINSZ, {{ws_row={rows}, ws_col={columns}}}", Slot::Terminal),
                ));
            }
            calls
        }
        Op::SendConsole => {
            vec![call("sendmsg", format!("{}, {{SCM_RIGHTS [{}]}}", Slot::ConsoleSocket, Slot::Console))]
        }
        Op::UseTerminal => {
            let mut calls = vec![call("ioctl", format!("{}, TIOCSCTTY, 0", Slot::Terminal))];
            calls.extend((0..3).map(|fd| call("dup2", format!("{}, {fd}", Slot::Terminal))));
            calls
        }
        _ => unreachable!("not about terminals"),
    }
}
