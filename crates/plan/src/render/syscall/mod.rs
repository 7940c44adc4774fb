//! The canonical rendering: what strace(1) would print, a room for each topic.

mod cgroup;
mod identity;
mod landlock;
mod mounts;
mod names;
mod network;
mod nodes;
mod process;
mod program;
mod schedule;
mod seccomp;
mod terminal;

use super::topic::{Topic, topic};
use crate::{Op, Slot};
use std::fmt;
use std::path::Path;

/// One system call as strace(1) prints it, with slots for what is known only at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Name of the system call.
    pub name: &'static str,
    /// Arguments.
    pub args: String,
    /// The slot or word that the result is called by from here on.
    pub result: Option<String>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.args)?;
        self.result.as_ref().map_or(Ok(()), |result| write!(f, " = {result}"))
    }
}

fn call(name: &'static str, args: impl Into<String>) -> Call {
    Call { name, args: args.into(), result: None }
}

fn gives(name: &'static str, args: impl Into<String>, result: impl ToString) -> Call {
    Call { name, args: args.into(), result: Some(result.to_string()) }
}

/// The system calls of an operation, in order, when it succeeds and nothing is already there.
#[must_use]
pub fn calls(op: &Op) -> Vec<Call> {
    match topic(op) {
        Topic::Cgroup => cgroup::calls(op),
        Topic::Process => process::calls(op),
        Topic::Names => names::calls(op),
        Topic::Network => network::calls(op),
        Topic::Mounts => mounts::calls(op),
        Topic::Nodes => nodes::calls(op),
        Topic::Terminal => terminal::calls(op),
        Topic::Schedule => schedule::calls(op),
        Topic::Identity => identity::calls(op),
        Topic::Landlock => landlock::calls(op),
        Topic::Seccomp => seccomp::calls(op),
        Topic::Program => program::calls(op),
    }
}

fn write_file(file: &Path, text: &str) -> Vec<Call> {
    vec![
        gives("openat", format!("AT_FDCWD, {file:?}, O_WRONLY|O_CLOEXEC"), "$file"),
        call("write", format!("$file, {text}")),
    ]
}

/// A write below the proven procfs.
fn write_proc(path: &str, text: &str) -> Vec<Call> {
    vec![
        gives(
            "openat2",
            format!(
                "{}, {path:?}, {{flags=O_WRONLY|O_CLOEXEC, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}}",
                Slot::Proc
            ),
            "$file",
        ),
        call("write", format!("$file, {text:?}")),
    ]
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}
