//! `create` and `run`.

use super::{Context, console_socket, open_bundle};
use crate::activation::Activation;
use crate::args::Start;
use planner::{Options, Start as When};
use runtime::{Bundle, Created, Error, Foreground, PidfdSocket, Request, terminal};
use rustix::fd::{AsFd, OwnedFd};
use std::ffi::OsString;
use std::io;
use std::path::Path;

pub(super) fn bundle(options: &Start) -> Result<Bundle, Error> {
    open_bundle(&options.bundle, options.config.as_deref())
}

/// Where a service manager waits for a program to be ready (sd_notify(3)).
const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// The socket of the service manager, if one waits.
pub(super) fn manager() -> Option<OsString> {
    std::env::var_os(NOTIFY_SOCKET).filter(|manager| !manager.is_empty())
}

pub(super) fn start(
    context: &Context,
    options: &Start,
    bundle: &Bundle,
    when: When,
    console: Option<OwnedFd>,
) -> Result<Created, Error> {
    let Activation { count, mut env } = Activation::of_environment();
    let manager = manager();
    let place = manager.as_ref().map(|manager| context.store.notify_place(&options.id, manager));
    env.extend(place.iter().map(|(_, socket)| format!("{NOTIFY_SOCKET}={}", socket.display())));
    let how = Options {
        start: when,
        preserve_fds: count.saturating_add(options.preserve_fds),
        env,
        notify: place.map(|(place, _)| place),
        no_pivot: options.no_pivot,
        cgroup_manager: context.global.cgroup_manager,
        rootless: context.global.rootless,
        no_new_keyring: options.no_new_keyring,
        plain_lines: plain_lines(options.console_socket.as_deref()),
        ..Options::default()
    };
    let pidfd_socket = options.pidfd_socket.as_deref().map(PidfdSocket::connect).transpose()?;
    let created = context.store.create(Request {
        id: &options.id,
        bundle: &bundle.path,
        config: &bundle.config,
        json: Some(&bundle.json),
        options: &how,
        console,
        pid_file: options.pid_file.as_deref(),
        manager: manager.as_deref(),
        prepare: None,
    })?;
    context.log.debug(|| format!("{} is created, with process {:?}", options.id, created.container.pid()));
    if let Some(socket) = pidfd_socket {
        // Who was to have it would not know of it.
        let sent = socket.send(&created.pidfd);
        sent.map_err(|error| context.store.destroy(&created.container, error))?;
    }
    context.log.notes(&created.notes);
    Ok(created)
}

pub(super) fn run(context: &Context, options: &Start) -> Result<i32, Error> {
    let bundle = bundle(options)?;
    let terminal = bundle.config.process.as_ref().is_some_and(|process| process.terminal);
    if options.detach {
        let console = console_socket(options.console_socket.as_deref())?;
        let created = start(context, options, &bundle, When::AtOnce, console)?;
        if let Some(notify) = created.notify {
            notify.wait(created.pidfd.as_fd(), created.container.pid()).map_err(Error::Attend)?;
        }
        return Ok(0);
    }
    let attending = if options.no_subreaper { Foreground::new } else { Foreground::subreaper };
    let (foreground, console) = attend(terminal, options.console_socket.as_deref(), attending)?;
    let created = start(context, options, &bundle, When::AtOnce, console)?;
    let attended = foreground.notifying(created.notify).attend(&created.pidfd, true);
    let ended = attended.map_err(|error| context.store.destroy(&created.container, Error::Attend(error)))?;
    if !options.keep {
        context.log.notes(&context.store.remove(&created.container)?);
    }
    Ok(ended.code())
}

/// Whether what comes from the terminal goes into a pipe or file of ours.
pub(super) fn plain_lines(socket: Option<&Path>) -> bool {
    socket.is_none() && !terminal::output_is_one()
}

/// Who takes the terminal: the console socket that the caller named, or cuddy-oci itself.
pub(super) fn attend(
    terminal: bool,
    socket: Option<&Path>,
    attending: fn(bool) -> io::Result<(Foreground, Option<OwnedFd>)>,
) -> Result<(Foreground, Option<OwnedFd>), Error> {
    let taken = console_socket(socket)?;
    let (foreground, ours) = attending(terminal && taken.is_none()).map_err(Error::Attend)?;
    Ok((foreground, taken.or(ours)))
}
