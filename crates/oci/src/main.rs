//! `cuddy-oci`: the command line of an OCI runtime, as runc's.

mod args;
mod commands;
mod features;
mod report;
mod template;

use std::process::ExitCode;

fn main() -> ExitCode {
    if executor::init::is_init() {
        executor::init::run();
    }
    let global = match args::parse() {
        Ok(parsed) => parsed,
        Err(message) => {
            eprintln!("cuddy-oci: {message}");
            eprintln!("  `cuddy-oci --help` lists commands and options");
            return ExitCode::from(2);
        }
    };
    match commands::perform(&global) {
        Ok(code) => code,
        Err(error) => report::failure(&global, &error),
    }
}
