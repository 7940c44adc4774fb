//! `cuddy-oci`: the command line of an OCI runtime, as runc's.

#![cfg_attr(not(test), no_main)]

mod activation;
mod args;
mod commands;
mod features;
mod report;
mod template;

#[cfg(not(test))]
sys::entry!(run);

#[cfg_attr(test, expect(dead_code, reason = "the test runner has an entry of its own"))]
fn run() -> i32 {
    if executor::init::is_init() {
        executor::init::run();
    }
    let (global, command) = args::parse();
    let log = report::Log::new(&global);
    if let Err(message) = log.check() {
        eprintln!("{message}");
        return 1;
    }
    let command = match command {
        Ok(command) => command,
        Err(message) => {
            log.misuse(&message);
            return 1;
        }
    };
    match commands::perform(&global, &log, &command) {
        Ok(code) => code,
        Err(error) => {
            log.failure(&command, &error);
            // As from runc: 1 may be the code of the program that was executed.
            if matches!(command, args::Command::Exec(_)) { 255 } else { 1 }
        }
    }
}
