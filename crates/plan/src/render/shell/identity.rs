//! Users, capabilities, limits: setpriv(1), capsh(1), prlimit(1).

use super::{ShellLine, exact, nearly, none, process_id, quote};
use crate::Op;
use std::path::Path;

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::SetNotDumpable => none("a shell cannot change that attribute of itself"),
        Op::ResetSignals => {
            nearly("trap - $(seq 1 64)".to_owned(), "a shell cannot reset what was ignored at its start")
        }
        Op::NewSession => nearly("setsid PROGRAM".to_owned(), "setsid(1) starts a program in it"),
        Op::NewKeyring { name } => {
            nearly(format!("keyctl session {name} PROGRAM"), "keyctl(1) starts a program in it")
        }
        Op::SetRlimit { resource, soft, hard } => nearly(
            format!(
                "prlimit --pid $$ --{}={}:{}",
                resource.name().trim_start_matches("RLIMIT_").to_lowercase(),
                crate::words::limit(*soft),
                crate::words::limit(*hard)
            ),
            "the shell's own children get it, too",
        ),
        Op::SetOomScoreAdj { whose, value } => {
            exact(format!("echo {value} > /proc/{}/oom_score_adj", process_id(*whose)))
        }
        Op::SetSecurityAttribute { attribute, value, .. } => nearly(
            format!("echo {} > /proc/self/{attribute}", quote(Path::new(value))),
            "the shell's own children get it, too",
        ),
        Op::SetUmask { mask } => exact(format!("umask {mask:04o}")),
        Op::OwnStdio { uid, gid } => exact(format!("chown {uid}:{gid} /proc/self/fd/[012]")),
        Op::DropBounding { .. }
        | Op::KeepCapabilities
        | Op::SetCapabilities { .. }
        | Op::SetAmbient { .. } => nearly(capabilities(op), "capsh starts a program with them"),
        Op::SetGroups { .. } | Op::SetGid { .. } | Op::SetUid { .. } => {
            nearly(format!("setpriv {}", ids(op)), "setpriv starts a program with them")
        }
        Op::SetNoNewPrivileges => {
            nearly("setpriv --no-new-privs".to_owned(), "setpriv starts a program with it")
        }
        _ => unreachable!("not about identity"),
    }
}

fn capabilities(op: &Op) -> String {
    let names =
        |set: &spec::CapabilitySet| set.iter().map(|c| c.name().to_lowercase()).collect::<Vec<_>>().join(",");
    match op {
        Op::DropBounding { drop } => format!("capsh --drop={}", names(drop)),
        Op::KeepCapabilities => "capsh --keep=1".to_owned(),
        Op::SetAmbient { raise } => format!("capsh --noamb --addamb={}", names(raise)),
        Op::SetCapabilities { effective, permitted, inheritable } => {
            format!("capsh --caps='{}=e {}=p {}=i'", names(effective), names(permitted), names(inheritable))
        }
        _ => unreachable!("not about capabilities"),
    }
}

fn ids(op: &Op) -> String {
    match op {
        Op::SetGroups { groups } if groups.is_empty() => "--clear-groups".to_owned(),
        Op::SetGroups { groups } => {
            format!("--groups {}", groups.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
        }
        Op::SetGid { gid } => format!("--regid {gid}"),
        Op::SetUid { uid } => format!("--reuid {uid}"),
        _ => unreachable!("not about ids"),
    }
}
