//! What each command does.

mod criu;
mod events;
mod exec;
mod list;
mod pattern;
mod processes;
mod start;
mod update;

use crate::args::{Command, Global};
use crate::report::Log;
use crate::{features, template};
use planner::Start as When;
use runtime::{Bundle, Error, Store, console, signal_number};
use rustix::fd::OwnedFd;
use std::io::Write;
use std::path::Path;

/// What a command is performed with.
struct Context<'a> {
    global: &'a Global,
    log: &'a Log<'a>,
    store: Store,
}

/// Performs a command; its exit code.
pub(crate) fn perform(global: &Global, log: &Log, command: &Command) -> Result<i32, Error> {
    let context = Context { global, log, store: Store::new(&global.root) };
    let store = &context.store;
    log.debug(|| {
        let args: Vec<_> = std::env::args_os().skip(1).collect();
        format!("{args:?} below {}", global.root.display())
    });
    match command {
        Command::Create(options) => {
            protect()?;
            let bundle = start::bundle(options)?;
            let console = console_socket(options.console_socket.as_deref())?;
            start::start(&context, options, &bundle, When::OnRequest, console)?;
        }
        Command::Run(options) => {
            protect()?;
            return start::run(&context, options);
        }
        Command::Exec(options) => {
            protect()?;
            return exec::exec(&context, options);
        }
        Command::Checkpoint(options) => criu::checkpoint(&context, options)?,
        Command::Restore(options) => {
            protect()?;
            return criu::restore(&context, options);
        }
        Command::Start { id } => store.start(id, start::manager().as_deref())?,
        Command::State { id } => print(&pretty(&list::Entry::of(&store.open(id)?)))?,
        Command::Kill { id, signal, all } => {
            let number = signal_number(signal).ok_or_else(|| Error::NoSignal(signal.clone()))?;
            store.kill(id, number, *all)?;
        }
        Command::Delete { id, force } => log.notes(&store.delete(id, *force)?),
        Command::DeleteMatching { pattern, force } => {
            for id in store.list()?.iter().filter(|id| pattern::matches(pattern, id.as_str())) {
                log.notes(&store.delete(id, *force)?);
            }
        }
        Command::Pause { id } => store.pause(id)?,
        Command::Resume { id } => store.resume(id)?,
        Command::Update { id, change, shares } => {
            shares.iter().try_for_each(|shares| store.update_shares(id, shares))?;
            update::update(&context, id, change)?;
        }
        Command::Ps { id, json, options } => processes::list(store, id, *json, options)?,
        Command::Events { id, stats, interval } => events::events(store, id, *stats, *interval)?,
        Command::List { format } => {
            // Where nothing was started yet there is none; a directory that the caller names is another matter.
            if global.root_is_given {
                std::fs::metadata(&global.root).map_err(|error| Error::reading(&global.root, error))?;
            }
            list::list(store, *format)?;
        }
        Command::Spec { bundle, rootless } => template::write(bundle, *rootless)?,
        Command::Features => print(&pretty(&features::features()))?,
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            print(&format!("{} version {version}\nspec: {}", usage::PROGRAM, spec::VERSION))?;
        }
        Command::Help(text) => print(text.trim_end())?,
    }
    Ok(0)
}

/// Goes on from a binary of ours that no container can write (CVE-2019-5736).
fn protect() -> Result<(), Error> {
    let (what, path) = ("cannot shield our binary from containers:", "/proc/self/exe".into());
    sys::exe::protect().map_err(|error| Error::File { what, path, error })
}

/// Prints lines on standard output. That nobody reads them is a failure like any other, and no panic.
fn print(text: &str) -> Result<(), Error> {
    let mut output = std::io::stdout().lock();
    let printed = output.write_all(text.as_bytes()).and_then(|()| output.write_all(b"\n"));
    printed.and_then(|()| output.flush()).map_err(|error| Error::writing(Path::new("standard output"), error))
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| error.to_string())
}

fn console_socket(path: Option<&Path>) -> Result<Option<OwnedFd>, Error> {
    path.map(console::connect).transpose()
}

/// The bundle of a container.
fn open_bundle(directory: &Path, config: Option<&Path>) -> Result<Bundle, Error> {
    match config {
        Some(config) => Bundle::with_config(directory, config),
        None => Bundle::open(directory),
    }
}
