//! The command line for people. Everything that cuddy prints, it prints here.

mod args;
#[cfg(test)]
mod command_lines;
mod explain;
mod failure;
mod lower;
mod progress;
mod run;

use args::{Cli, Command, Explain};
use clap::Parser;
use clap::error::ErrorKind;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    engine::run::begin();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(error),
    };
    let done = match cli.command {
        Command::Run(args) => run::run(&cli.global, &args),
        Command::Explain(Explain::Run(args)) => explain::run(&cli.global, &args),
        Command::Version => {
            println!("cuddy {}", env!("CARGO_PKG_VERSION"));
            Ok(0)
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.code)
        }
    }
}

/// Shows help that was asked for; anything else is an error of ours, exit code 125 as with Docker.
fn refuse(error: clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that has gone away is no failure.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(failure::OURS)
        }
        _ => {
            let failure = Failure::from(error);
            eprintln!("{failure}");
            ExitCode::from(failure.code)
        }
    }
}
