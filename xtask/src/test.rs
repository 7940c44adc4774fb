//! `cargo xtask test`: everything that can be proved on this machine, and nothing left on it.

use std::ffi::OsString;
use std::process::Stdio;

use anyhow::{Result, bail};
use testbed::Machine;

use crate::{fuzz, packages, workspace};

/// Installs, builds, tests. The arguments go to the test runner, apart from a leading `--no-install`.
///
/// The runner's summary is the last thing printed when all is well.
pub fn run(mut args: lexopt::Parser) -> Result<()> {
    let mut args: Vec<OsString> = args.raw_args()?.collect();
    let install = args.first().is_none_or(|first| first != "--no-install");
    if !install {
        args.remove(0);
    }
    if install {
        packages::install()?;
    }

    // Tests start programs of other packages, which their own build does not build.
    workspace::run(workspace::cargo().args(["build", "--workspace", "--bins"]))?;
    let before = Machine::snapshot();
    if args.is_empty() {
        // The runner does not know the examples in the documentation.
        workspace::run(workspace::cargo().args(["test", "--workspace", "--doc", "--quiet"]))?;
        if workspace::on_path("c++") {
            fuzz::fuzz(&fuzz::Options::short())?;
        } else {
            eprintln!("xtask: no C++ compiler here, which libFuzzer is built with; nothing is fuzzed");
        }
    }
    let outcome = workspace::run(runner().args(args));
    let left = Machine::diff(&before, &Machine::snapshot());
    if !left.is_empty() {
        eprintln!("the tests changed the machine:\n  {}", left.join("\n  "));
    }
    outcome?;
    if !left.is_empty() {
        bail!("{} things were left behind or are gone", left.len());
    }
    Ok(())
}

/// cargo-nextest, which runs each test in a process of its own, or what comes with cargo.
fn runner() -> std::process::Command {
    let mut nextest = workspace::cargo();
    nextest.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut runner = workspace::cargo();
    if nextest.status().is_ok_and(|status| status.success()) {
        runner.args(["nextest", "run", "--workspace"]);
    } else {
        eprintln!("xtask: no cargo-nextest here, so cargo test it is");
        runner.args(["test", "--workspace", "--lib", "--bins", "--tests"]);
    }
    runner
}
