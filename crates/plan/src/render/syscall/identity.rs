//! Who a process is and what it may do.

use super::{Call, call, write_proc};
use crate::words::limit;
use crate::{Op, Subject};
use spec::CapabilitySet;

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::ResetSignals => vec![
            call("rt_sigaction", "each, {sa_handler=SIG_DFL}, NULL"),
            call("rt_sigprocmask", "SIG_SETMASK, [], NULL"),
        ],
        Op::SetNotDumpable => vec![call("prctl", "PR_SET_DUMPABLE, SUID_DUMP_DISABLE")],
        Op::NewSession => vec![call("setsid", "")],
        Op::NewKeyring { name } => vec![call("keyctl", format!("KEYCTL_JOIN_SESSION_KEYRING, {name:?}"))],
        Op::SetRlimit { resource, soft, hard } => vec![call(
            "prlimit64",
            format!("0, {}, {{rlim_cur={}, rlim_max={}}}, NULL", resource.name(), limit(*soft), limit(*hard)),
        )],
        Op::SetOomScoreAdj { whose, value } => {
            let process = if *whose == Subject::Init { "$init_pid" } else { "self" };
            write_proc(&format!("{process}/oom_score_adj"), &value.to_string())
        }
        Op::SetSecurityAttribute { attribute, value, .. } => write_proc(&format!("self/{attribute}"), value),
        Op::SetUmask { mask } => vec![call("umask", format!("0{mask:03o}"))],
        Op::OwnStdio { uid, gid } => (0..3).map(|fd| call("fchown", format!("{fd}, {uid}, {gid}"))).collect(),
        Op::DropBounding { drop } => {
            drop.iter().map(|capability| call("prctl", format!("PR_CAPBSET_DROP, {capability}"))).collect()
        }
        Op::KeepCapabilities => vec![call("prctl", "PR_SET_KEEPCAPS, 1")],
        Op::SetGroups { groups } => {
            let list: Vec<_> = groups.iter().map(u32::to_string).collect();
            vec![call("setgroups", format!("{}, [{}]", groups.len(), list.join(", ")))]
        }
        Op::SetGid { gid } => vec![call("setresgid", format!("{gid}, {gid}, {gid}"))],
        Op::SetUid { uid } => vec![call("setresuid", format!("{uid}, {uid}, {uid}"))],
        Op::SetCapabilities { effective, permitted, inheritable } => vec![call(
            "capset",
            format!(
                "{{version=_LINUX_CAPABILITY_VERSION_3, pid=0}}, {{effective={}, permitted={}, inheritable={}}}",
                set(*effective),
                set(*permitted),
                set(*inheritable)
            ),
        )],
        Op::SetAmbient { raise } => {
            let mut calls = vec![call("prctl", "PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0")];
            calls.extend(raise.iter().map(|capability| {
                call("prctl", format!("PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, {capability}, 0, 0"))
            }));
            calls
        }
        Op::SetNoNewPrivileges => vec![call("prctl", "PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0")],
        _ => unreachable!("not about identity"),
    }
}

/// A capability set as strace prints it: names by number, or 0.
fn set(set: CapabilitySet) -> String {
    if set.is_empty() {
        return "0".to_owned();
    }
    set.iter().map(|capability| format!("1<<{capability}")).collect::<Vec<_>>().join("|")
}
