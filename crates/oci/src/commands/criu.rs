//! `checkpoint` and `restore`.

use super::{Context, console_socket, open_bundle, start::attend};
use crate::args::{Checkpoint, Restore};
use runtime::{Bundle, Created, Error, Foreground, RestoreRequest};
use rustix::fd::OwnedFd;
use std::path::Path;

pub(super) fn checkpoint(context: &Context, given: &Checkpoint) -> Result<(), Error> {
    let status = given.status_fd.map(sys::fd::inherited).transpose();
    let status = status.map_err(|error| Error::writing(Path::new("--status-fd"), error))?;
    context.log.notes(&context.store.checkpoint(&given.id, &given.options, status)?);
    Ok(())
}

pub(super) fn restore(context: &Context, options: &Restore) -> Result<i32, Error> {
    let bundle = open_bundle(&options.bundle, None)?;
    if options.detach {
        let console = console_socket(options.console_socket.as_deref())?;
        bring_back(context, options, &bundle, console)?;
        return Ok(0);
    }
    let terminal = bundle.config.process.as_ref().is_some_and(|process| process.terminal);
    let attending = if options.no_subreaper { Foreground::new } else { Foreground::subreaper };
    let (foreground, console) = attend(terminal, options.console_socket.as_deref(), attending)?;
    let restored = bring_back(context, options, &bundle, console)?;
    let ended = foreground.attend(&restored.pidfd, true).map_err(Error::Attend)?;
    context.log.notes(&context.store.remove(&restored.container)?);
    Ok(ended.code())
}

fn bring_back(
    context: &Context,
    options: &Restore,
    bundle: &Bundle,
    console: Option<OwnedFd>,
) -> Result<Created, Error> {
    let restored = context.store.restore(RestoreRequest {
        id: &options.id,
        bundle: &bundle.path,
        config: &bundle.config,
        json: Some(&bundle.json),
        cgroup_manager: context.global.cgroup_manager,
        options: &options.common,
        lsm_profile: options.lsm_profile.as_deref(),
        lsm_mount_context: options.lsm_mount_context.as_deref(),
        console,
        pid_file: options.pid_file.as_deref(),
    })?;
    context.log.notes(&restored.notes);
    Ok(restored)
}
