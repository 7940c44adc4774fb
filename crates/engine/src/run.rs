//! The last hop: from a prepared container to the runtime, and an exit code.

use crate::error::{Error, system};
use crate::id;
use crate::options::OptionError;
use crate::prepare::{Launch, Places};
use planner::{Planned, Request};
use runtime::{Container, Created, Foreground, Store};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use spec::ContainerId;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What every program of cuddy does before anything else: goes on as the init of a container if that is
/// what it was started as.
pub fn begin() {
    if executor::init::is_init() {
        executor::init::run();
    }
}

/// What a program does before it prepares a container: goes on from a binary that no container can write
/// (CVE-2019-5736), from the start and with the same arguments.
///
/// # Errors
/// Neither a read-only mount of the binary nor a sealed copy is to be had.
pub fn protect() -> Result<(), Error> {
    sys::exe::protect().map_err(system("shield cuddy's binary from containers"))
}

/// How a container that was run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code: the command's, or 128 + n when signal n ended it.
    pub code: u8,
    /// What the user should know about the end, one sentence each.
    pub notes: Vec<String>,
}

/// The steps that starting the container takes.
///
/// # Errors
/// The configuration asks for what the machine or cuddy cannot do.
pub fn plan(launch: &Launch) -> Result<Planned, Error> {
    let request = Request {
        config: &launch.prepared.config,
        facts: &launch.host,
        id: &launch.name,
        bundle: &launch.bundle,
        options: &launch.how,
    };
    planner::plan(&request).map_err(Error::Plan)
}

/// The first process of a running container.
#[must_use]
pub fn running(places: &Places, name: &ContainerId) -> Option<i32> {
    Store::new(&places.run_root).open(name).ok()?.pid()
}

/// Runs the container in the foreground until it ends. `notes` is told what could not be had, before the
/// command starts.
///
/// # Errors
/// It could not be started. Nothing is left of it then.
pub fn run(places: &Places, launch: Launch, notes: &dyn Fn(&[String])) -> Result<Outcome, Error> {
    let store = Store::new(&places.run_root);
    let (tty, interactive) = (launch.options.tty, launch.options.interactive);
    let (foreground, console) = Foreground::new(tty).map_err(system("attend to a container"))?;
    if !tty && !interactive {
        close_input().map_err(system("open /dev/null as standard input"))?;
    }
    let created = create(&store, &launch, console)?;
    notes(&created.notes);
    let ended = foreground.attend(&created.pidfd, interactive);
    let mut outcome = end(&store, &created.container, launch.options.remove);
    let ended = ended.map_err(system("attend to the container"))?;
    // The kernel keeps eight bits of an exit code, and signals end at 64.
    outcome.code = u8::try_from(ended.code()).unwrap_or(u8::MAX);
    Ok(outcome)
}

/// Refuses `-i` and `-t` together where standard input is no terminal, as Docker does.
///
/// # Errors
/// It is none.
pub fn check_input() -> Result<(), OptionError> {
    if runtime::terminal::input_is_one() {
        return Ok(());
    }
    Err(OptionError::new(
        "-i with -t",
        "standard input is not a terminal",
        "leave out -t to pass on a pipe or a file, or leave out -i",
    ))
}

fn create(store: &Store, launch: &Launch, console: Option<OwnedFd>) -> Result<Created, Error> {
    let request = runtime::Request {
        id: &launch.name,
        bundle: &launch.bundle,
        config: &launch.prepared.config,
        json: None,
        options: &launch.how,
        console,
        pid_file: None,
        manager: None,
        prepare: Some(&|| make_bundle(launch)),
    };
    store.create(request).map_err(|error| {
        let code = match &error {
            runtime::Error::Step(failure) => match failure.kind {
                executor::Kind::NotFound => 127,
                executor::Kind::NotExecutable => 126,
                executor::Kind::Setup | executor::Kind::Hook => 125,
            },
            _ => 125,
        };
        let hints = vec![error.hint()].into_iter().filter(|hint| !hint.is_empty()).collect();
        Error::Start { name: launch.name.clone(), cause: error.to_string(), hints, code }
    })
}

/// Without `-i` the command reads nothing.
fn close_input() -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::stdio::dup2_stdin(null)?)
}

/// The bundle: the configuration, an empty directory for the root, and the files that are mounted in.
fn make_bundle(launch: &Launch) -> io::Result<()> {
    let directory = |path: &Path| std::fs::DirBuilder::new().mode(0o711).create(path);
    directory(&launch.bundle)?;
    directory(&launch.bundle.join("rootfs"))?;
    let json = serde_json::to_vec(&launch.prepared.config)?;
    // The environment of a container is nobody else's to read.
    write(&launch.bundle.join("config.json"), &json, 0o600)?;
    for file in &launch.prepared.files {
        write(&file.path, file.contents.as_bytes(), 0o644)?;
    }
    Ok(())
}

fn write(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(contents)?;
    file.set_permissions(Permissions::from_mode(mode))
}

/// Cleans up; what there is to say about the end, and what could not be removed.
fn end(store: &Store, container: &Container, remove: bool) -> Outcome {
    let killed = container.out_of_memory();
    let cleaned = if remove { store.remove(container) } else { container.undo().map(|()| Vec::new()) };
    let notes = cleaned.unwrap_or_else(|error| vec![error.to_string()]);
    Outcome { code: 0, notes: killed.into_iter().chain(notes).collect() }
}

/// Another name where a generated one is taken.
pub(crate) fn free_name(places: &Places) -> io::Result<ContainerId> {
    let store = Store::new(&places.run_root);
    let mut attempt = 0;
    loop {
        let name = id::new_name(attempt)?;
        if !store.directory(&name).exists() {
            return Ok(name);
        }
        attempt += 1;
    }
}
