use crate::create::{forget_pid, write_pid};
use crate::{Container, Error, Store, Subgroup, subgroup};
use executor::{Failure, Launched, Slots};
use plan::Slot;
use planner::{Options, Planned};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::process::Pid;
use spec::{Config, ContainerId, Process, Status};
use std::path::Path;

/// A running container that gets one more process.
#[derive(Debug)]
pub struct Target {
    /// The configuration that it was created from.
    pub config: Config,
    container: Container,
    status: Status,
    init: OwnedFd,
}

/// One more process for a running container.
#[derive(Debug)]
pub struct ExecRequest<'a> {
    /// The process.
    pub process: Process,
    /// How it is started.
    pub options: &'a Options,
    /// Where its terminal is sent; needed when the process has one.
    pub console: Option<OwnedFd>,
    /// File that its pid is written to.
    pub pid_file: Option<&'a Path>,
    /// Groups below the container's own that it is started in; none: the container's own.
    pub subgroups: &'a [Subgroup],
}

impl Store {
    /// Finds a running container and what it was created from; `paused`: also one that is paused, where a new process
    /// waits for `resume`.
    ///
    /// # Errors
    /// There is no such container, or it does not run.
    pub fn target(&self, id: &ContainerId, paused: bool) -> Result<Target, Error> {
        let container = self.open(id)?;
        match container.look() {
            (status @ (Status::Running | Status::Created), Some(init)) => {
                Ok(Target { config: container.config()?, container, status, init })
            }
            (status @ Status::Paused, Some(init)) if paused => {
                Ok(Target { config: container.config()?, container, status, init })
            }
            _ => container.refuse("exec", "running"),
        }
    }

    /// The configuration that a container was created from.
    ///
    /// # Errors
    /// There is no such container, or its record cannot be read.
    pub(crate) fn config(&self, id: &ContainerId) -> Result<Config, Error> {
        self.open(id)?.config()
    }
}

impl Target {
    /// Starts one more process in it, which runs when this returns.
    ///
    /// # Errors
    /// A step failed.
    pub fn exec(self, request: ExecRequest) -> Result<(Pid, OwnedFd), Error> {
        let Self { config, container, status, init } = self;
        let groups = subgroup::choose(&container, request.subgroups)?;
        let Planned { plan, .. } = planner::exec(&planner::ExecRequest {
            config: &with_process(config, request.process),
            facts: &host::privileges()?,
            id: &container.record.id,
            namespaces: &container.record.namespaces,
            unified: groups.unified.as_deref(),
            cgroups: &groups.others,
            state: &container.state_as(status),
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
        Ok(started.map_err(|failure| unjoinable(failure, groups.unified.as_deref()))?)
    }
}

/// In v2 who puts a process into a group may write to the lowest one that is above it and the runtime's own (cgroups(7),
/// "Cgroups v2 delegation").
fn unjoinable(mut failure: Failure, group: Option<&Path>) -> Failure {
    let refused = failure.errno == Errno::ACCESS.raw_os_error() && failure.hint.is_empty();
    if let Some(group) = group.filter(|_| refused) {
        failure.hint = format!(
            "the group {} takes a process only from one that is in the same delegated part of cgroup v2: for a container of \
             the user's systemd start it with `systemd-run --user --scope`",
            group.display()
        );
    }
    failure
}

/// The container's own configuration with another process: the same filter, and what the new one leaves out
/// as the first one has it.
fn with_process(mut config: Config, mut process: Process) -> Config {
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
    config
}
