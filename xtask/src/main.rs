//! The habits of this repository as commands: `cargo xtask COMMAND`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::Arg;

mod bench;
mod workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  bench start [-n ROUNDS] [--only NAME,...] [--json FILE] [--pause MS]
                             time container starts: ours, the floor, runc, crun, unshare
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
        other => bail!("no command `{other}`\n{USAGE}"),
    }
}
