//! `exec`.

use super::Context;
use super::start::{attend, plain_lines};
use crate::activation::Activation;
use crate::args::Exec;
use planner::Options;
use runtime::{Error, ExecRequest, Foreground, PidfdSocket, Target};
use spec::{CapabilitySet, Process};

pub(super) fn exec(context: &Context, options: &Exec) -> Result<i32, Error> {
    let Activation { count, env } = Activation::of_environment();
    let preserve_fds = count.saturating_add(options.preserve_fds);
    let plain_lines = plain_lines(options.console_socket.as_deref());
    let how = Options { preserve_fds, env, plain_lines, ..Options::default() };
    let target = context.store.target(&options.id, options.ignore_paused)?;
    let process = process(&target, options)?;
    let affinity = process.exec_cpu_affinity.as_ref().and_then(|affinity| affinity.initial.as_deref());
    if let Some(bits) = affinity.and_then(first_processors) {
        context.log.debug(|| format!("affinity: {bits:#x}"));
    }
    let socket = options.console_socket.as_deref();
    let (foreground, console) = attend(process.terminal && !options.detach, socket, Foreground::new)?;
    let pidfd_socket = options.pidfd_socket.as_deref().map(PidfdSocket::connect).transpose()?;
    let (pid, pidfd) = target.exec(ExecRequest {
        process,
        options: &how,
        console,
        pid_file: options.pid_file.as_deref(),
        subgroups: &options.subgroups,
    })?;
    if let Some(socket) = pidfd_socket {
        socket.send_or_end(&pidfd)?;
    }
    context.log.debug(|| format!("process {pid:?} runs in {}", options.id));
    if options.detach {
        return Ok(0);
    }
    Ok(foreground.attend(&pidfd, true).map_err(Error::Attend)?.code())
}

/// The process to execute: the container's own with what the options change, or that of `--process`.
fn process(target: &Target, options: &Exec) -> Result<Process, Error> {
    if let Some(path) = &options.process {
        return runtime::document::read(path);
    }
    let mut process = target.config.process.clone().unwrap_or_default();
    process.args.clone_from(&options.args);
    process.terminal = options.tty;
    process.env.extend_from_slice(&options.env);
    if let Some(cwd) = &options.cwd {
        process.cwd.clone_from(cwd);
    }
    if let Some((uid, gid)) = options.user {
        process.user.uid = uid;
        process.user.gid = gid.unwrap_or(process.user.gid);
    }
    process.user.additional_gids.extend(&options.additional_gids);
    if let Some(label) = &options.process_label {
        process.selinux_label = Some(label.clone());
    }
    if let Some(profile) = &options.apparmor {
        process.apparmor_profile = Some(profile.clone());
    }
    process.no_new_privileges = options.no_new_privs.unwrap_or(process.no_new_privileges);
    add_capabilities(&mut process, &options.caps)?;
    Ok(process)
}

/// The first processors as bits, as runc's debugging log shows them.
fn first_processors(list: &str) -> Option<u64> {
    let mut bits = 0;
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first..=last.min(63)).for_each(|cpu| bits |= 1_u64 << cpu);
    }
    Some(bits)
}

/// Adds to the sets that count when a program is executed. The ambient set is a part of the inheritable one
/// (capabilities(7)), so it gets those that a container with inheritable ones asks for.
fn add_capabilities(process: &mut Process, names: &[String]) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    let sets = process.capabilities.get_or_insert_default();
    for name in names {
        let capability = name.parse()?;
        for set in [&mut sets.bounding, &mut sets.effective, &mut sets.permitted] {
            *set = set.with(capability);
        }
        if sets.inheritable != CapabilitySet::default() {
            sets.ambient = sets.ambient.with(capability);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_as_bits() {
        for (list, bits) in [("0", Some(1)), ("1,3-4", Some(0b1_1010)), ("70", Some(0)), ("x", None)] {
            assert_eq!(first_processors(list), bits, "{list}");
        }
    }
}
