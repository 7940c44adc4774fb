//! `cuddy explain`.

use crate::args::{ExplainRunArgs, Format, Global};
use crate::failure::Failure;
use crate::run::{places, show_notes, understood};
use engine::prepare::rehearse;
use std::io::Write;

/// Prints the steps that `cuddy run` would take.
///
/// # Errors
/// See [`Failure`].
pub fn run(global: &Global, args: &ExplainRunArgs) -> Result<u8, Failure> {
    let (root, options) = understood(&args.run)?;
    let places = places(global);
    let launch = rehearse(&places, &root, options, |name| engine::run::running(&places, name))?;
    let planned = engine::run::plan(&launch)?;
    show_notes(global, &launch.prepared.notes);
    show_notes(global, &planned.notes);
    let failed = |error: std::io::Error| {
        Failure::new(format!("standard output: {}", engine::words(&error)), Vec::new())
    };
    let text = match args.format {
        Format::Syscall => plan::render::syscalls(&planned.plan),
        Format::Shell => plan::render::shell_script(&planned.plan),
        Format::Json => {
            let json = serde_json::to_string_pretty(&planned.plan).map_err(|error| failed(error.into()))?;
            json + "\n"
        }
    };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // A reader that has seen enough, like head(1), is no failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        written => written.map(|()| 0).map_err(failed),
    }
}
