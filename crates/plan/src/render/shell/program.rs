//! The program, and what it finds.

use super::{ShellLine, exact, nearly, none, quote};
use crate::Op;
use std::path::Path;

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::ChangeDirectory { path } => {
            nearly(format!("cd {}", quote(path)), "a shell does not prove that it is inside")
        }
        Op::FindHome { uid } => exact(format!(
            "HOME=$(awk -F: '$3 == {uid} {{ print $6; exit }}' /etc/passwd); export HOME=${{HOME:-/}}"
        )),
        Op::FindProgram { name, .. } => exact(format!("command -v {}", quote(Path::new(name)))),
        Op::PassDescriptors { .. } => none("a shell holds no such descriptor"),
        Op::CloseDescriptors { .. } => none("a shell cannot close descriptors it does not know"),
        Op::Exec { args, env } => exec("env -i", args, env),
        Op::ExecUnderInit { args, env } => exec("env -i cuddy-init", args, env),
        _ => unreachable!("not about the program"),
    }
}

fn exec(prefix: &str, args: &[String], env: &[String]) -> ShellLine {
    let words: Vec<_> = env.iter().chain(args).map(|word| quote(Path::new(word))).collect();
    exact(format!("exec {prefix} {}", words.join(" ")))
}
