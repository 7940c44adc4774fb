//! `cuddy-oci`: the command line of an OCI runtime, as runc's.

#![cfg_attr(not(test), no_main)]

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
    let global = match args::parse() {
        Ok(parsed) => parsed,
        Err(message) => {
            eprintln!("cuddy-oci: {message}");
            eprintln!("  `cuddy-oci --help` lists commands and options");
            return 2;
        }
    };
    match commands::perform(&global) {
        Ok(code) => code,
        Err(error) => report::failure(&global, &error),
    }
}
