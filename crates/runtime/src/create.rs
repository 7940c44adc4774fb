use crate::record::{Init, Record};
use crate::{Container, Error, Notify, Store};
use executor::{Launched, Slots};
use plan::facts::{CgroupLayout, HostFacts};
use plan::{Hook, Plan, Slot, Undo};
use planner::{CgroupManager, Options, Planned, Start};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::Pid;
use spec::{Config, ContainerId, Status};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use sys::socket::{address, open_directory};

/// What is mounted on the machine for a container that has no mount namespace, in its directory.
const MOUNT_NOTE: &str = "mount";

/// What a container is created from.
pub struct Request<'a> {
    /// Its name.
    pub id: &'a ContainerId,
    /// Absolute path of its bundle.
    pub bundle: &'a Path,
    /// Its configuration.
    pub config: &'a Config,
    /// The same in bytes, to be kept for `exec`. `None`: it stands in a bundle that nobody else changes.
    pub json: Option<&'a [u8]>,
    /// How it is started.
    pub options: &'a Options,
    /// Where its terminal is sent; needed when the process has one.
    pub console: Option<OwnedFd>,
    /// File that init's pid is written to.
    pub pid_file: Option<&'a Path>,
    /// The socket of the service manager who is told when the program is ready.
    pub manager: Option<&'a OsStr>,
    /// Makes the bundle, once the name is taken and before anything else is done. What it makes below the
    /// container's own directory needs no undo.
    pub prepare: Option<&'a dyn Fn() -> io::Result<()>>,
}

/// A container that was created.
#[derive(Debug)]
pub struct Created {
    /// It, on disk.
    pub container: Container,
    /// Its init, by descriptor.
    pub pidfd: OwnedFd,
    /// Where its program says that it is ready, when it runs.
    pub notify: Option<Notify>,
    /// What the user should know, one sentence each.
    pub notes: Vec<String>,
}

impl Store {
    /// Plans a container without touching the machine: what `explain` prints.
    ///
    /// # Errors
    /// The machine cannot be asked, or the configuration cannot become a plan.
    pub fn plan(&self, request: &Request) -> Result<Planned, Error> {
        self.plan_on(&facts_for(request)?, request)
    }

    fn plan_on(&self, facts: &HostFacts, request: &Request) -> Result<Planned, Error> {
        let Request { config, id, bundle, .. } = *request;
        let options =
            &Options { mount_note: Some(self.directory(id).join(MOUNT_NOTE)), ..request.options.clone() };
        Ok(planner::plan(&planner::Request { config, facts, id, bundle, options })?)
    }

    /// Creates a container; with [`Start::AtOnce`] its program runs when this returns, with
    /// [`Start::OnRequest`] it waits for [`Store::start`].
    ///
    /// # Errors
    /// The name is in use, the plan cannot be made, or a step of it or a hook failed; nothing is left behind
    /// then, and the hooks that follow the end of a container have run.
    pub fn create(&self, request: Request) -> Result<Created, Error> {
        let facts = facts_for(&request)?;
        let Planned { plan, hooks, notes } = self.plan_on(&facts, &request)?;
        if self.directory(request.id).exists() {
            return Err(Error::Exists(request.id.to_string()));
        }
        refuse_groups_in_use(&plan).map_err(|error| match self.directory(request.id).exists() {
            // Somebody else took the name in this moment, and the groups are that container's.
            true => Error::Exists(request.id.to_string()),
            false => error,
        })?;
        let start = request.options.start;
        let mut container =
            self.take(record_of(request.id, request.bundle, request.config, &plan, &facts.cgroups, hooks))?;
        let prepared = notify(&container, &request);
        let performed = prepared.and_then(|notify| Ok((notify, perform(&container, request, &plan)?)));
        let (notify, (record, pidfd)) = match performed {
            Ok(performed) => performed,
            Err(error) => return Err(self.destroy(&container, error)),
        };
        container.made(record);
        // Its creator may stay with it for as long as it lives; others must be able to end it.
        container.unlock();
        if start == Start::AtOnce
            && let Err(error) = container.poststart()
        {
            return Err(self.destroy(&container, error));
        }
        Ok(Created { container, pidfd, notify, notes })
    }
}

/// What the machine is for this container: who is not root may make groups in some places and not in others.
fn facts_for(request: &Request) -> Result<HostFacts, Error> {
    let manager = request.options.cgroup_manager;
    let mut facts = facts(manager)?;
    if facts.rootless.is_some() && manager == CgroupManager::Cgroupfs {
        let groups = planner::group_directories(request.config, &facts, request.id)?;
        let closed = host::closed(&facts.cgroups, &groups);
        if let Some(v2) = facts.cgroups.v2.as_mut().filter(|v2| !closed.contains(&v2.mount)) {
            v2.delegated = host::delegated(v2, &groups);
        }
        facts.rootless.iter_mut().for_each(|rootless| rootless.closed.clone_from(&closed));
    }
    Ok(facts)
}

/// What the machine is. systemd is asked where it makes the groups.
///
/// # Errors
/// The machine cannot be asked, or systemd not reached.
pub fn facts(manager: CgroupManager) -> Result<HostFacts, Error> {
    let mut facts = host::probe()?;
    if manager == CgroupManager::Systemd {
        let systemd = host::systemd()?;
        host::managed(&mut facts, &systemd);
        facts.systemd = Some(systemd);
    }
    Ok(facts)
}

/// The socket over which the program will say that it is ready. One that is created only has its directory.
fn notify(container: &Container, request: &Request) -> Result<Option<Notify>, Error> {
    let Some(manager) = request.manager.filter(|_| request.options.notify.is_some()) else { return Ok(None) };
    crate::notify::make(container.directory())?;
    match request.options.start {
        Start::AtOnce => Notify::listen(container.directory(), manager),
        Start::OnRequest => Ok(None),
    }
}

/// A group in which something runs is another container's. That is found out before the record is written:
/// from then on a failure, or `delete`, ends what is in the groups.
pub(crate) fn refuse_groups_in_use(plan: &Plan) -> Result<(), Error> {
    for undo in &plan.undo {
        if let Some(path) = undo.cgroup()
            && !cgroup::live::Cgroup::open([path])?.processes()?.is_empty()
        {
            return Err(Error::GroupInUse(path.to_owned()));
        }
    }
    Ok(())
}

/// The first record of a container.
pub(crate) fn record_of(
    id: &ContainerId,
    bundle: &Path,
    config: &Config,
    plan: &Plan,
    layout: &CgroupLayout,
    hooks: Vec<Hook>,
) -> Record {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let linux = config.linux.iter();
    let cgroups: Vec<PathBuf> = plan.undo.iter().filter_map(Undo::cgroup).map(Path::to_owned).collect();
    let below = |mount: &Path| cgroups.iter().find(|group| group.starts_with(mount)).cloned();
    Record {
        id: id.clone(),
        bundle: bundle.to_owned(),
        rootfs: config.root.as_ref().map(|root| bundle.join(&root.path)),
        created: now.as_secs(),
        owner: rustix::process::getuid().as_raw(),
        annotations: config.annotations.clone(),
        init: None,
        namespaces: linux.flat_map(|linux| &linux.namespaces).map(|namespace| namespace.kind).collect(),
        unified: layout.v2.as_ref().and_then(|v2| below(&v2.mount)),
        freezer: layout.v1_with("freezer").and_then(|v1| below(&v1.mount)),
        cgroups,
        undo: plan.undo.clone(),
        hooks,
    }
}

/// Runs the plan; the record with init in it, and init.
fn perform(container: &Container, request: Request, plan: &Plan) -> Result<(Record, OwnedFd), Error> {
    if let Some(prepare) = request.prepare {
        prepare().map_err(Error::file("cannot make the bundle", request.bundle))?;
    }
    request.json.map_or(Ok(()), |json| container.keep_config(json))?;
    let mut slots = Slots::default();
    if request.options.start == Start::OnRequest {
        slots.fill(Slot::StartSocket, listen(container)?);
    }
    if let Some(console) = request.console {
        slots.fill(Slot::ConsoleSocket, console);
    } else if plan.given.contains(&Slot::ConsoleSocket) {
        return Err(Error::NoConsole);
    }
    let mut record = container.record.clone();
    let mut told = false;
    let mut write_record = |pid: Pid, status: Status| {
        record.init = Some(Init::of(pid)?);
        container.write(&record, status).map_err(io::Error::other)?;
        if status == Status::Creating {
            return Ok(());
        }
        told = true;
        request.pid_file.map_or(Ok(()), |file| write_pid(file, pid))
    };
    let started =
        executor::launch(plan, slots, &mut write_record).and_then(|launched| match request.options.start {
            Start::OnRequest => Ok(launched.into_process()),
            Start::AtOnce => Launched::wait_for_program(launched),
        });
    if started.is_err() && told {
        forget_pid(request.pid_file);
    }
    let (_, pidfd) = started.map_err(where_it_stands)?;
    Ok((record, pidfd))
}

/// A group that may not be made or limited is one that somebody else has: who, and what was left to cuddy.
fn where_it_stands(mut failure: executor::Failure) -> executor::Failure {
    let of_groups =
        ["/linux/cgroupsPath", "/linux/resources"].iter().any(|from| failure.from.starts_with(from));
    let refused = [Errno::ACCESS, Errno::PERM, Errno::ROFS].iter().any(|e| e.raw_os_error() == failure.errno);
    if let (true, Ok(layout)) = (of_groups && refused, host::cgroups()) {
        failure.hint = host::surroundings(&layout).to_string();
    }
    failure
}

/// Writes a pid file, whole or not at all.
pub(crate) fn write_pid(file: &Path, pid: Pid) -> io::Result<()> {
    let temporary = file.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&temporary, pid.as_raw_nonzero().to_string())?;
    std::fs::rename(&temporary, file)
}

/// Removes the pid file of a start that failed, so that nobody signals who gets that pid next.
pub(crate) fn forget_pid(file: Option<&Path>) {
    // Where it cannot be removed it could not be written; the start's own failure is what is told.
    let _ = file.map(std::fs::remove_file);
}

/// The socket on which init will wait for `start`: a file in a directory of root's, never an abstract name
/// (CVE-2020-15257).
fn listen(container: &Container) -> Result<OwnedFd, Error> {
    let listen = || -> io::Result<OwnedFd> {
        let directory = open_directory(container.directory())?;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        // Before it has a name: the caller's umask may be anything.
        rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(0o600))?;
        rustix::net::bind(&socket, &address(&directory, crate::store::SOCKET)?)?;
        rustix::net::listen(&socket, 8)?;
        Ok(socket)
    };
    listen().map_err(Error::file("cannot listen on", container.start_socket()))
}
