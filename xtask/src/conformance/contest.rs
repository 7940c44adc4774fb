//! youki's `contest`, group by group: a group that panics ends the program, and the others shall run all the same.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::results::{Outcome, Results};
use crate::workspace;

/// What the directory has.
const FILES: [&str; 3] = ["contest", "runtimetest", "bundle.tar.gz"];

/// Runs the suite in `suite` with one runtime.
pub fn run(suite: &Path, runtime: &Path, place: &Path) -> Result<Results> {
    for file in FILES {
        ensure!(
            suite.join(file).exists(),
            "{} has no {file}; docs/conformance.md says where it is from",
            suite.display()
        );
    }
    // It takes the bundle from its working directory.
    fs::copy(suite.join("bundle.tar.gz"), place.join("bundle.tar.gz"))
        .context("cannot copy bundle.tar.gz")?;
    let kind = runtime.file_name().unwrap_or_default();
    let contest = || {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", "120"]).arg(suite.join("contest"));
        command.current_dir(place).env("TMPDIR", place).env("RUNTIME_KIND", kind).stdin(Stdio::null());
        command
    };
    let groups = workspace::output(contest().arg("list"))?;
    let mut results = Results::new();
    for group in groups.lines().filter_map(|line| line.split_whitespace().next()) {
        let mut command = contest();
        command.args(["run", "--runtime"]).arg(runtime).arg("--runtimetest").arg(suite.join("runtimetest"));
        let output = command.args(["-t", group]).output().context("cannot run timeout (coreutils)")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let found =
            said.lines().filter_map(outcome).map(|(name, outcome)| (format!("{group}: {name}"), outcome));
        let before = results.len();
        results.extend(found);
        if results.len() == before {
            results.insert(format!("{group}: the whole group"), Outcome::Failed);
        }
    }
    Ok(results)
}

/// A line like `2 / 3 : positive_pid_limit : ok`.
fn outcome(line: &str) -> Option<(&str, Outcome)> {
    let (count, rest) = line.split_once(" : ")?;
    let (number, of) = count.split_once(" / ")?;
    let _: (u32, u32) = (number.parse().ok()?, of.parse().ok()?);
    let (name, word) = rest.rsplit_once(" : ")?;
    let outcome = match word {
        "ok" => Outcome::Passed,
        "not ok" => Outcome::Failed,
        "skipped" => Outcome::Skipped,
        _ => return None,
    };
    Some((name, outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_contest() {
        let cases = [
            ("2 / 3 : positive_pid_limit : ok", Some(("positive_pid_limit", Outcome::Passed))),
            ("1 / 1 : pidfile : not ok", Some(("pidfile", Outcome::Failed))),
            ("1 / 1 : a : b : skipped", Some(("a : b", Outcome::Skipped))),
            ("# Start group pidfile", None),
            ("\tcontainer stderr was not empty : ok", None),
        ];
        for (line, expect) in cases {
            assert_eq!(outcome(line), expect, "{line}");
        }
    }
}
