//! crun's Python tests, which speak the Test Anything Protocol.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::results::{Outcome, Results};
use crate::workspace;

/// What crun's configure finds on every machine that these tests are for.
const CONFIG: &str = "#define HAVE_ERROR_H 1\n#define HAVE_LINUX_IOPRIO_H 1\n#define HAVE_SECCOMP 1\n";

/// Runs the tests of the sources in `suite` with one runtime.
pub fn run(suite: &Path, runtime: &Path, place: &Path) -> Result<Results> {
    let tests = suite.join("tests");
    ensure!(tests.join("tests_utils.py").exists(), "{} has no tests of crun", suite.display());
    let init = place.join("init");
    if !init.exists() {
        compile_init(&tests, place, &init)?;
    }
    let mut scripts: Vec<_> = fs::read_dir(&tests)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    scripts.retain(|path| file_name(path).starts_with("test_") && path.extension() == Some(OsStr::new("py")));
    scripts.sort();
    let mut results = Results::new();
    for script in scripts {
        let name = file_name(&script).trim_start_matches("test_").trim_end_matches(".py").to_owned();
        let said = tap(&script, runtime, &init, place)?;
        let before = results.len();
        results.extend(
            said.lines().filter_map(outcome).map(|(test, outcome)| (format!("{name}: {test}"), outcome)),
        );
        if results.len() == before {
            results.insert(format!("{name}: the whole script"), Outcome::Failed);
        }
    }
    Ok(results)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The program that the tests run in their containers. It needs no more of crun than its one source file.
fn compile_init(tests: &Path, place: &Path, init: &Path) -> Result<()> {
    fs::write(place.join("config.h"), CONFIG)?;
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-static", "-w", "-I"]).arg(place).arg("-o").arg(init).arg(tests.join("init.c"));
    workspace::run(&mut cc).context("cannot compile crun's tests/init.c (cc and libseccomp-dev)")
}

/// What one script prints. It runs on a terminal of its own, which many of its tests want.
fn tap(script: &Path, runtime: &Path, init: &Path, place: &Path) -> Result<String> {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "180", "script", "--quiet", "--return", "--command"]);
    command.args(["python3 \"$CUDDY_SCRIPT\" 2>/dev/null", "/dev/null"]).env("CUDDY_SCRIPT", script);
    command.env("INIT", init).env("OCI_RUNTIME", runtime).current_dir(place).stdin(Stdio::null());
    let output = command.output().context("cannot run script (bsdutils)")?;
    Ok(String::from_utf8_lossy(&output.stdout).replace('\r', ""))
}

/// A line like `ok 3 - cwd-absolute # 0.028s` or `ok 4 - bpf #SKIP requires cgroup v2 # 0.001s`.
fn outcome(line: &str) -> Option<(&str, Outcome)> {
    let (passed, rest) = match line.strip_prefix("not ") {
        Some(rest) => (false, rest),
        None => (true, line),
    };
    let (number, rest) = rest.strip_prefix("ok ")?.split_once(" - ")?;
    let _: u32 = number.parse().ok()?;
    let (name, comment) = rest.split_once(' ').unwrap_or((rest, ""));
    let outcome = match (passed, comment.contains("#SKIP")) {
        (true, true) => Outcome::Skipped,
        (true, false) => Outcome::Passed,
        (false, _) => Outcome::Failed,
    };
    Some((name, outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_test_anything_protocol() {
        let cases = [
            ("ok 3 - cwd-absolute # 0.028s", Some(("cwd-absolute", Outcome::Passed))),
            ("not ok 1 - start # 0.104s", Some(("start", Outcome::Failed))),
            ("ok 4 - bpf #SKIP requires cgroup v2 # 0.001s", Some(("bpf", Outcome::Skipped))),
            ("1..12", None),
            ("# Test 'start' failed", None),
        ];
        for (line, expect) in cases {
            assert_eq!(outcome(line), expect, "{line}");
        }
    }
}
