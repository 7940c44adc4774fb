//! A plan as text: three renderings of the same value.
//!
//! [`syscalls`] is the canonical one: what strace(1) would print, with slots for descriptors. [`shell`]
//! shows how far a shell gets. JSON is the value itself, serialized.

mod shell;
mod syscall;
mod topic;

pub use shell::{Fidelity, ShellLine, shell};
pub use syscall::{Call, calls};

use crate::{Plan, Side};
use std::fmt::Write;

/// The canonical rendering: every system call of both scripts, each step with its cause.
#[must_use]
pub fn syscalls(plan: &Plan) -> String {
    each_step(plan, |step, out| {
        for call in calls(&step.op) {
            let _ = writeln!(out, "  {call}");
        }
        if !step.ignore.is_empty() {
            let names: Vec<_> = step.ignore.iter().map(|errno| format!("{errno:?}")).collect();
            let _ = writeln!(out, "  # goes on after {}", names.join(", "));
        }
    })
}

/// What a shell could do of it, line by line.
#[must_use]
pub fn shell_script(plan: &Plan) -> String {
    each_step(plan, |step, out| {
        let ShellLine { command, fidelity } = shell(&step.op);
        let _ = match fidelity {
            Fidelity::Exact => writeln!(out, "  {command}"),
            Fidelity::Approximate(reason) => writeln!(out, "  {command}  # approximately: {reason}"),
            Fidelity::Impossible(reason) => writeln!(out, "  # no shell command: {reason}"),
        };
    })
}

fn each_step(plan: &Plan, mut body: impl FnMut(&crate::Step, &mut String)) -> String {
    let mut out = String::new();
    for side in [Side::Host, Side::Init] {
        let _ = writeln!(
            out,
            "# {side}: {}",
            match side {
                Side::Host => "the process that creates the container",
                Side::Init => "the process that becomes it",
            }
        );
        for (index, step) in plan.script(side).iter().enumerate() {
            let _ = writeln!(
                out,
                "\n# {}. {}, from {}: {}",
                plan.number(side, index),
                step.op,
                step.cause.from,
                step.cause.why
            );
            body(step, &mut out);
        }
        out.push('\n');
    }
    if !plan.undo.is_empty() {
        out.push_str("# undone by delete, and after a failure, last to first\n");
        for undo in &plan.undo {
            let _ = writeln!(out, "#   {undo}");
        }
    }
    out
}
