//! How far a shell gets, a room for each topic.

mod cgroup;
mod identity;
mod mounts;
mod names;
mod network;
mod nodes;
mod process;
mod program;
mod schedule;

use super::topic::{Topic, topic};
use crate::{Op, Slot, Subject};
use std::path::Path;

/// How close a shell command comes to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// It does the same.
    Exact,
    /// It does nearly the same; the reason says what differs.
    Approximate(&'static str),
    /// There is none; the reason says why.
    Impossible(&'static str),
}

/// A step as a line of shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellLine {
    /// The command; empty where there is none.
    pub command: String,
    /// How close it is.
    pub fidelity: Fidelity,
}

fn exact(command: String) -> ShellLine {
    ShellLine { command, fidelity: Fidelity::Exact }
}

fn nearly(command: String, reason: &'static str) -> ShellLine {
    ShellLine { command, fidelity: Fidelity::Approximate(reason) }
}

fn none(reason: &'static str) -> ShellLine {
    ShellLine { command: String::new(), fidelity: Fidelity::Impossible(reason) }
}

const BY_PATH: &str = "a shell resolves the path as a string, where a container can swap a link in";

/// A step as a shell would do it, with `$ROOT` for the container's root.
#[must_use]
pub fn shell(op: &Op) -> ShellLine {
    match topic(op) {
        Topic::Cgroup => cgroup::shell(op),
        Topic::Process => process::shell(op),
        Topic::Names => names::shell(op),
        Topic::Network => network::shell(op),
        Topic::Mounts => mounts::shell(op),
        Topic::Nodes => nodes::shell(op),
        Topic::Terminal => none("a shell cannot open a pseudo terminal"),
        Topic::Schedule => schedule::shell(op),
        Topic::Identity => identity::shell(op),
        Topic::Landlock => none("a shell cannot restrict itself with Landlock"),
        Topic::Seccomp => none("a shell cannot load a system call filter, or pass its listener on"),
        Topic::Program => program::shell(op),
    }
}

/// Whom a step is about.
fn process_id(whose: Subject) -> &'static str {
    match whose {
        Subject::Itself => "$$",
        Subject::Init => "$INIT",
    }
}

/// A slot as a shell variable: `$mount_3` is `$MOUNT_3`.
fn variable(slot: &Slot) -> String {
    slot.to_string().to_uppercase()
}

/// A word that the shell takes as it stands.
fn quote(word: &Path) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
