//! The habits of this repository as commands: `cargo xtask COMMAND`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::Arg;

mod bench;
mod conformance;
mod fuzz;
mod ground;
mod lint;
mod manual;
mod packages;
mod size;
mod test;
mod tidy;
mod workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--no-install] [ARG...]   install what the tests need (Debian), run all tests, compare the machine before
                                 and after; the arguments go to cargo nextest run
  fuzz [--seconds N] [TARGET]    mutate configurations and records, for a minute each: config, plan, record
  lint                           cargo fmt --check, clippy, tidy
  tidy                           the invariants of the design: who depends on whom, what is written where
  size                           build cuddy-oci as it is released, and check its size
  man DIR                        manual pages of cuddy-oci, made from its table of commands and options
  completions DIR                completions of it for bash, zsh and fish, made from the same
  bench start [-n ROUNDS] [--only NAME,...] [--json FILE] [--pause MS]
                                 time container starts: ours, the floor, crun, youki, runc, unshare
  bench life [the same]          time the commands of an OCI runtime: a cycle, run, exec, state, kill, and one more
                                 detached container beside those that run
  conformance contest|crun --suite DIR [--runtime PATH] [--alone]
                                 a test suite of youki's or crun's, with our runtime and those that are installed
";

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let mut args = lexopt::Parser::from_env();
    let command = match args.next()? {
        Some(Arg::Value(command)) => command.to_string_lossy().into_owned(),
        Some(Arg::Short('h') | Arg::Long("help")) | None => {
            print!("{USAGE}");
            return Ok(());
        }
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "bench" => bench::run(args),
        "conformance" => conformance::run(args),
        "completions" => manual::completions(args),
        "fuzz" => fuzz::run(args),
        "lint" => lint::run(),
        "man" => manual::man(args),
        "size" => size::run(),
        "test" => test::run(args),
        "tidy" => tidy::run(),
        other => bail!("no command `{other}`\n{USAGE}"),
    }
}
