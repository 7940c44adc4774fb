//! Processes, their namespaces, and how the two meet.

use super::{ShellLine, exact, nearly, none, quote};
use crate::{Hook, IdKind, Op};
use std::path::Path;

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::OpenProc | Op::OpenCuddy | Op::OpenNamespace { .. } => none("a shell holds no such descriptor"),
        Op::MakeIdMap { .. } => none("a shell cannot hold a user namespace that nobody is in"),
        Op::EnterNamespace { kind } => nearly(
            format!("nsenter --{}=FILE", kind.file_name()),
            "nsenter starts a program in it, the shell itself stays",
        ),
        Op::AdoptNamespace { kind } => nearly(
            format!("nsenter --{0}=/proc/$HOST/ns/{0}", kind.file_name()),
            "nsenter starts a program in it, the shell itself stays",
        ),
        Op::EnterTarget { .. } => {
            nearly("nsenter --all --target PID".to_owned(), "nsenter starts a program in them")
        }
        Op::Unshare { namespaces } => {
            nearly(unshare(namespaces), "unshare starts a program in it, the shell itself stays")
        }
        Op::Clone { namespaces, .. } => nearly(
            format!("{} --fork sh & INIT=$!", unshare(namespaces)),
            "the pid is unshare's, not that of its child",
        ),
        Op::WriteTimeOffsets { text } => exact(format!("printf {text:?} > /proc/self/timens_offsets")),
        Op::WriteIdMap { kind, text } => exact(format!(
            "printf {text:?} > /proc/$INIT/{}",
            match kind {
                IdKind::User => "uid_map",
                IdKind::Group => "gid_map",
            }
        )),
        Op::RunIdMapper { program, text, .. } => {
            let ids = text.split_whitespace().collect::<Vec<_>>().join(" ");
            exact(format!("{} $INIT {ids}", quote(program)))
        }
        Op::DenySetgroups => exact("echo deny > /proc/$INIT/setgroups".to_owned()),
        Op::ReturnTo { .. } => none("the shell itself never left it"),
        Op::Record { .. } => none("cuddy's own record of the container"),
        Op::RunHook { hook, .. } => nearly(run_hook(hook), "the state on standard input is cuddy's"),
        Op::Send { .. } | Op::Await { .. } | Op::AwaitStart => none("the two processes wait for each other"),
        _ => unreachable!("not about processes"),
    }
}

fn run_hook(hook: &Hook) -> String {
    let mut words: Vec<String> =
        hook.directory.iter().map(|place| format!("cd {} &&", quote(place))).collect();
    if let Some(env) = &hook.env {
        words.push("env -i".to_owned());
        words.extend(env.iter().map(|entry| quote(Path::new(entry))));
    }
    words.extend(hook.timeout.map(|seconds| format!("timeout --signal KILL {seconds}")));
    words.push(quote(&hook.path));
    words.extend(hook.args.iter().skip(1).map(|arg| quote(Path::new(arg))));
    format!("(echo $STATE | {})", words.join(" "))
}

fn unshare(namespaces: &[spec::NamespaceKind]) -> String {
    let mut words = vec!["unshare".to_owned()];
    words.extend(namespaces.iter().map(|kind| match kind {
        spec::NamespaceKind::Mount => "--mount".to_owned(),
        other => format!("--{}", other.file_name()),
    }));
    words.join(" ")
}
