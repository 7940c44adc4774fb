//! What each command does.

use crate::args::{Command, Exec, Global, HELP, ListFormat, Start};
use crate::{features, report, template};
use planner::{Options, Start as When};
use runtime::{Bundle, Created, Error, ExecRequest, Foreground, Request, Store, console, signal_number};
use rustix::fd::OwnedFd;
use spec::{ContainerId, Process};
use std::path::Path;

pub(crate) fn perform(global: &Global) -> Result<i32, Error> {
    let store = Store::new(&global.root);
    match &global.command {
        Command::Create(options) => {
            protect();
            let bundle = Bundle::open(&options.bundle)?;
            let console = console_socket(options.console_socket.as_deref())?;
            start(global, &store, options, &bundle, When::OnRequest, console)?;
        }
        Command::Run(options) => {
            protect();
            return run(global, &store, options);
        }
        Command::Exec(options) => {
            protect();
            return exec(&store, options);
        }
        Command::Start { id } => store.start(id)?,
        Command::State { id } => println!("{}", pretty(&store.open(id)?.state())),
        Command::Kill { id, signal, all } => {
            let number = signal_number(signal).ok_or_else(|| Error::NoSignal(signal.clone()))?;
            store.kill(id, number, *all)?;
        }
        Command::Delete { id, force } => store.delete(id, *force)?,
        Command::List { format } => list(&store, *format)?,
        Command::Spec { bundle, rootless } => template::write(bundle, *rootless)?,
        Command::Features => println!("{}", pretty(&features::features())),
        Command::Version => {
            println!("cuddy-oci version {}\nspec: {}", env!("CARGO_PKG_VERSION"), spec::VERSION);
        }
        Command::Help => print!("{HELP}"),
    }
    Ok(0)
}

/// Goes on from a read-only mount of our binary (CVE-2019-5736). Where even that is not allowed, neither is
/// any mount of the container, and the start says so.
fn protect() {
    let _ = sys::exe::protect();
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| error.to_string())
}

fn start(
    global: &Global,
    store: &Store,
    options: &Start,
    bundle: &Bundle,
    when: When,
    console: Option<OwnedFd>,
) -> Result<Created, Error> {
    let id = options.id.as_ref().ok_or_else(|| Error::Missing(String::new()))?;
    let how = Options {
        start: when,
        preserve_fds: options.preserve_fds,
        no_pivot: options.no_pivot,
        no_new_keyring: options.no_new_keyring,
        ..Options::default()
    };
    let created = store.create(Request {
        id,
        bundle: &bundle.path,
        config: &bundle.config,
        options: &how,
        console,
        pid_file: options.pid_file.as_deref(),
        prepare: None,
    })?;
    created.notes.iter().for_each(|note| report::note(global, note));
    Ok(created)
}

fn console_socket(path: Option<&Path>) -> Result<Option<OwnedFd>, Error> {
    path.map(console::connect).transpose()
}

fn run(global: &Global, store: &Store, options: &Start) -> Result<i32, Error> {
    let bundle = Bundle::open(&options.bundle)?;
    let terminal = bundle.config.process.as_ref().is_some_and(|process| process.terminal);
    if options.detach {
        let console = console_socket(options.console_socket.as_deref())?;
        start(global, store, options, &bundle, When::AtOnce, console)?;
        return Ok(0);
    }
    let (foreground, console) = attend(terminal, options.console_socket.as_deref())?;
    let created = start(global, store, options, &bundle, When::AtOnce, console)?;
    let ended = foreground.attend(&created.pidfd, true).map_err(Error::Attend)?;
    if !options.keep {
        store.remove(&created.container)?;
    }
    Ok(ended.code())
}

/// Who takes the terminal: the console socket that the caller named, or cuddy-oci itself.
fn attend(terminal: bool, socket: Option<&Path>) -> Result<(Foreground, Option<OwnedFd>), Error> {
    let taken = console_socket(socket)?;
    let (foreground, ours) = Foreground::new(terminal && taken.is_none()).map_err(Error::Attend)?;
    Ok((foreground, taken.or(ours)))
}

fn exec(store: &Store, options: &Exec) -> Result<i32, Error> {
    let id = options.id.as_ref().ok_or_else(|| Error::Missing(String::new()))?;
    let how = Options { preserve_fds: options.preserve_fds, ..Options::default() };
    let process = process(store, id, options)?;
    let socket = options.console_socket.as_deref();
    let (foreground, console) = attend(process.terminal && !options.detach, socket)?;
    let pid_file = options.pid_file.as_deref();
    let (_, pidfd) = store.exec(ExecRequest { id, process, options: &how, console, pid_file })?;
    if options.detach {
        return Ok(0);
    }
    Ok(foreground.attend(&pidfd, true).map_err(Error::Attend)?.code())
}

/// The process to execute: the container's own with what the options change, or that of `--process`.
fn process(store: &Store, id: &ContainerId, options: &Exec) -> Result<Process, Error> {
    if let Some(path) = &options.process {
        return runtime::document::read(path);
    }
    let mut process = store.config(id)?.process.unwrap_or_default();
    process.args.clone_from(&options.args);
    process.terminal = options.tty;
    process.env.extend(options.env.iter().cloned());
    if let Some(cwd) = &options.cwd {
        process.cwd.clone_from(cwd);
    }
    if let Some((uid, gid)) = options.user {
        process.user.uid = uid;
        process.user.gid = gid.unwrap_or(process.user.gid);
    }
    process.user.additional_gids.extend(&options.additional_gids);
    process.no_new_privileges |= options.no_new_privs;
    if !options.caps.is_empty() {
        let sets = process.capabilities.get_or_insert_default();
        for name in &options.caps {
            let capability = name.parse()?;
            for set in [&mut sets.bounding, &mut sets.effective, &mut sets.permitted] {
                *set = set.with(capability);
            }
        }
    }
    Ok(process)
}

fn list(store: &Store, format: ListFormat) -> Result<(), Error> {
    // A container that goes away while the list is made is not in it.
    let containers: Vec<_> = store.list()?.iter().filter_map(|id| store.open(id).ok()).collect();
    match format {
        ListFormat::Quiet => containers.iter().for_each(|container| println!("{}", container.record.id)),
        ListFormat::Json => {
            let entries: Vec<_> = containers
                .iter()
                .map(|container| {
                    let mut entry = serde_json::json!(container.state());
                    entry["created"] = report::rfc3339(container.record.created).into();
                    entry["owner"] = container.record.owner.into();
                    entry
                })
                .collect();
            println!("{}", pretty(&entries));
        }
        ListFormat::Table => {
            println!("{:<24} {:<8} {:<9} {:<22} BUNDLE", "ID", "PID", "STATUS", "CREATED");
            for container in &containers {
                let state = container.state();
                let created = report::rfc3339(container.record.created);
                let pid = state.pid.unwrap_or(0);
                let status = state.status.to_string();
                println!("{:<24} {pid:<8} {status:<9} {created:<22} {}", state.id, state.bundle.display());
            }
        }
    }
    Ok(())
}
