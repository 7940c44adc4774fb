//! Seccomp filters, and who is asked.

use super::{Call, call, gives};
use crate::{NEW_LISTENER, Op, Slot};

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::SetSeccomp { flags, program, summary } => {
            let mut load = call(
                "seccomp",
                format!(
                    "SECCOMP_SET_MODE_FILTER, {}, {{len={}, filter=...}} /* {summary} */",
                    filter_flags(*flags),
                    program.len()
                ),
            );
            load.result = (flags & NEW_LISTENER != 0).then(|| Slot::Listener.to_string());
            vec![load]
        }
        Op::OfferListener => vec![call("write", format!("$channel, {}", Slot::Listener))],
        Op::TakeListener => vec![
            call("read", "$channel, number of $listener"),
            gives("pidfd_getfd", format!("{}, number of $listener, 0", Slot::InitPidfd), Slot::Listener),
        ],
        Op::SendListener { socket, state } => vec![
            gives("socket", "AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0", "$agent"),
            call("connect", format!("$agent, {{sun_path={socket:?}}}")),
            call("sendmsg", format!("$agent, {{{state}, SCM_RIGHTS [{}]}}", Slot::Listener)),
        ],
        _ => unreachable!("not about seccomp"),
    }
}

/// `SECCOMP_FILTER_FLAG_*` of linux/seccomp.h, as strace prints them.
fn filter_flags(flags: u32) -> String {
    const NAMES: [&str; 6] =
        ["TSYNC", "LOG", "SPEC_ALLOW", "NEW_LISTENER", "TSYNC_ESRCH", "WAIT_KILLABLE_RECV"];
    let names = (0..).zip(NAMES).filter(|(bit, _)| flags & (1 << bit) != 0);
    let joined = names.map(|(_, name)| format!("SECCOMP_FILTER_FLAG_{name}")).collect::<Vec<_>>().join("|");
    if joined.is_empty() { "0".to_owned() } else { joined }
}
