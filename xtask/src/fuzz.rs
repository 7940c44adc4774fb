//! `cargo xtask fuzz`: the targets of `fuzz/`, each for a bounded time.
//!
//! libFuzzer needs a program whose branches are counted. That is a pass of LLVM, which a stable compiler runs when asked
//! with `-Cpasses`; no sanitizer is needed where there is no unsafe code, and so neither is a nightly compiler nor
//! cargo-fuzz. `cargo fuzz run TARGET fuzz/corpus/TARGET fuzz/seeds/…` works too.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use lexopt::{Arg, ValueExt};

use crate::workspace;

/// Targets, and the directories of `fuzz/seeds` that they begin with.
const TARGETS: [(&str, &[&str]); 9] = [
    ("config", &["config"]),
    ("plan", &["config", "plan"]),
    ("record", &["record"]),
    ("archive", &["archive"]),
    ("seccomp", &["seccomp"]),
    ("options", &["options"]),
    ("users", &["users"]),
    ("cgroup", &["cgroup"]),
    ("proc", &["proc"]),
];

/// Counts edges and shows compared values to the fuzzer, as cargo-fuzz does.
const COUNTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What an input may cost: seconds, and megabytes beyond the 30 or so of the fuzzer and its corpus.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=256"];

/// How long a target runs, and which.
pub struct Options {
    seconds: u32,
    only: Option<String>,
}

impl Options {
    /// What `cargo xtask test` does.
    pub fn short() -> Options {
        Options { seconds: 5, only: None }
    }

    fn parse(mut args: lexopt::Parser) -> Result<Options> {
        let mut options = Options { seconds: 60, only: None };
        while let Some(arg) = args.next()? {
            match arg {
                Arg::Long("seconds") => options.seconds = args.value()?.parse()?,
                Arg::Value(name) => options.only = Some(name.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        let known = |name: &String| TARGETS.iter().any(|(target, _)| target == name);
        let names = TARGETS.map(|(target, _)| target).join(", ");
        ensure!(options.only.as_ref().is_none_or(known), "the targets are {names}");
        Ok(options)
    }
}

/// Runs what the arguments ask for.
pub fn run(args: lexopt::Parser) -> Result<()> {
    fuzz(&Options::parse(args)?)
}

/// Builds the targets and runs them one after another; an input that breaks one stays in `fuzz/artifacts`.
pub fn fuzz(options: &Options) -> Result<()> {
    let programs = build()?;
    for (target, seeds) in TARGETS {
        if options.only.as_ref().is_none_or(|only| only == target) {
            run_target(&programs.join(target), target, seeds, options.seconds)?;
        }
    }
    Ok(())
}

/// The directory of the built targets.
fn build() -> Result<PathBuf> {
    let tuple = workspace::output(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let target_dir = env::current_exe()?
        .ancestors()
        .nth(3)
        .context("this program lies in no target directory")?
        .join("fuzz");
    let mut cargo = workspace::cargo();
    cargo
        .args([
            "build",
            "--quiet",
            "--release",
            "--bins",
            "--manifest-path",
            "fuzz/Cargo.toml",
            "--target-dir",
        ])
        .arg(&target_dir)
        // Named, so that build scripts are not counted.
        .args(["--target", tuple.trim()])
        .env("RUSTFLAGS", COUNTED)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    workspace::run(&mut cargo)?;
    Ok(target_dir.join(tuple.trim()).join("release"))
}

fn run_target(program: &Path, target: &str, seeds: &[&str], seconds: u32) -> Result<()> {
    let fuzz = workspace::root().join("fuzz");
    let (corpus, artifacts) = (fuzz.join("corpus").join(target), fuzz.join("artifacts").join(target));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let mut command = Command::new(program);
    command.arg(&corpus).args(seeds.iter().map(|seeds| fuzz.join("seeds").join(seeds))).args(LIMITS);
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()));
    let done =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {}", program.display()))?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "fuzz target {target}: {}\n{said}", done.status);
    let last = said.lines().rfind(|line| line.starts_with("Done ")).unwrap_or_default();
    println!("fuzz {target}: {}", last.trim_start_matches("Done ").to_lowercase());
    Ok(())
}
