use crate::create::{forget_pid, write_pid};
use crate::{Container, Error, Store, Subgroup, subgroup};
use executor::{Launched, Slots};
use plan::Slot;
use planner::{Options, Planned};
use rustix::fd::OwnedFd;
use rustix::process::Pid;
use spec::{Config, ContainerId, Process, Status};
use std::path::Path;

/// One more process for a running container.
#[derive(Debug)]
pub struct ExecRequest<'a> {
    /// The container.
    pub id: &'a ContainerId,
    /// The process.
    pub process: Process,
    /// How it is started.
    pub options: &'a Options,
    /// Where its terminal is sent; needed when the process has one.
    pub console: Option<OwnedFd>,
    /// File that its pid is written to.
    pub pid_file: Option<&'a Path>,
    /// Whether it is started in a paused container, too; it waits for `resume` there.
    pub ignore_paused: bool,
    /// Groups below the container's own that it is started in; none: the container's own.
    pub subgroups: &'a [Subgroup],
}

impl Store {
    /// Starts one more process in a running container; it runs when this returns.
    ///
    /// # Errors
    /// The container does not run, or a step failed.
    pub fn exec(&self, request: ExecRequest) -> Result<(Pid, OwnedFd), Error> {
        let container = self.open(request.id)?;
        let init = match (container.status(), container.init()) {
            (Status::Running | Status::Created, Some(init)) => init,
            (Status::Paused, Some(init)) if request.ignore_paused => init,
            _ => return container.refuse("exec", "running"),
        };
        let config = container_config(&container, request.process)?;
        let facts = host::probe()?;
        let Planned { plan, .. } = planner::exec(&planner::ExecRequest {
            config: &config,
            facts: &facts,
            id: request.id,
            namespaces: &container.record.namespaces,
            cgroups: &subgroup::choose(&container, &facts.cgroups, request.subgroups)?,
            state: &container.state(),
            options: request.options,
        })?;
        let mut slots = Slots::default();
        slots.fill(Slot::Target, init);
        if let Some(console) = request.console {
            slots.fill(Slot::ConsoleSocket, console);
        } else if plan.given.contains(&Slot::ConsoleSocket) {
            return Err(Error::NoConsole);
        }
        let mut begun = false;
        let mut pid_file = |pid, _| {
            begun = true;
            request.pid_file.map_or(Ok(()), |file| write_pid(file, pid))
        };
        let started = executor::launch(&plan, slots, &mut pid_file).and_then(Launched::wait_for_program);
        if started.is_err() && begun {
            forget_pid(request.pid_file);
        }
        Ok(started?)
    }

    /// The configuration that a container was created from.
    ///
    /// # Errors
    /// There is no such container, or its record cannot be read.
    pub fn config(&self, id: &ContainerId) -> Result<Config, Error> {
        self.open(id)?.config()
    }
}

/// The container's own configuration with another process: the same filter, and what the new one leaves out
/// as the first one has it.
fn container_config(container: &Container, mut process: Process) -> Result<Config, Error> {
    let mut config = container.config()?;
    let first = config.process.take().unwrap_or_default();
    if process.rlimits.is_empty() {
        process.rlimits = first.rlimits;
    }
    process.capabilities = process.capabilities.or(first.capabilities);
    process.user.umask = process.user.umask.or(first.user.umask);
    process.apparmor_profile = process.apparmor_profile.or(first.apparmor_profile);
    process.selinux_label = process.selinux_label.or(first.selinux_label);
    process.scheduler = process.scheduler.or(first.scheduler);
    process.io_priority = process.io_priority.or(first.io_priority);
    process.exec_cpu_affinity = process.exec_cpu_affinity.or(first.exec_cpu_affinity);
    config.process = Some(process);
    Ok(config)
}
