//! `cuddy run`.

use crate::args::{Global, LogLevel, RunArgs};
use crate::failure::Failure;
use crate::lower::{self, Surroundings};
use crate::progress::Unpacking;
use engine::options::RunOptions;
use engine::prepare::{Launch, Places, prepare, rehearse};
use engine::root::{self, Root};
use std::io::Write;

/// Runs a container and gives its exit code.
///
/// # Errors
/// See [`Failure`].
pub fn run(global: &Global, args: &RunArgs) -> Result<u8, Failure> {
    if !args.print_config {
        engine::run::protect()?;
    }
    let (root, options) = understood(args)?;
    if args.print_config {
        let places = places(global);
        let launch = rehearse(&places, &root, options, |name| engine::run::running(&places, name))?;
        return print_config(&launch);
    }
    if options.tty && options.interactive {
        engine::run::check_input()?;
    }
    let places = places(global);
    let mut unpacking = Unpacking::new(&root);
    let running = |name: &_| engine::run::running(&places, name);
    let launch = prepare(&places, &root, options, running, &mut |progress| unpacking.show(progress));
    unpacking.finish();
    let launch = launch?;
    show_notes(global, &launch.prepared.notes);
    let outcome = engine::run::run(&places, launch, &|notes| show_notes(global, notes))?;
    show_notes(global, &outcome.notes);
    Ok(outcome.code)
}

/// ROOT and the options, from the arguments and from where they were typed.
///
/// # Errors
/// A value that an option cannot have, or a ROOT that is none.
pub fn understood(args: &RunArgs) -> Result<(Root, RunOptions), Failure> {
    let directory = std::env::current_dir().map_err(|error| {
        Failure::new(
            format!("the working directory: {}", engine::words(&error)),
            vec!["change to one that exists".to_owned()],
        )
    })?;
    let variable = |name: &str| std::env::var(name).ok();
    let (root, options) = lower::run(args, &Surroundings { directory: &directory, variable: &variable })?;
    Ok((root::resolve(&root)?, options))
}

/// Says what the user did not get as usual.
pub fn show_notes(global: &Global, notes: &[String]) {
    if global.log_level >= LogLevel::Warn {
        for note in notes {
            eprintln!("cuddy: {note}");
        }
    }
}

/// Where cuddy keeps things.
pub fn places(global: &Global) -> Places {
    let usual = Places::usual();
    Places {
        root: global.root.clone().unwrap_or(usual.root),
        run_root: global.run_root.clone().unwrap_or(usual.run_root),
    }
}

fn print_config(launch: &Launch) -> Result<u8, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("standard output: {}", engine::words(&error)), Vec::new())
    };
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &launch.prepared.config).map_err(|error| failed(error.into()))?;
    writeln!(out).map_err(failed)?;
    Ok(0)
}
