use super::checkpoint::{Places, common, config_file, descriptors, environment, makes, search};
use super::lent::Lent;
use super::message::{Field, Kind, Notice, Options};
use super::options::RestoreRequest;
use super::talk::{Criu, Handed};
use super::{external, streams};
use crate::create::{forget_pid, record_of, refuse_groups_in_use, write_pid};
use crate::record::{Init, Record};
use crate::{Container, Created, Error, Store};
use plan::facts::CgroupLayout;
use plan::{Hook, NamespaceKind, Plan};
use planner::Planned;
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use spec::{State, Status};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use sys::socket::send_descriptor;

/// Where criu finds the root of the container, below the container's own directory.
const ROOT: &str = "root";

impl Store {
    /// Brings a container back whose state was saved; it goes on running when this returns, as a child of this
    /// process.
    ///
    /// # Errors
    /// The name is in use, a step failed, or criu cannot restore it; nothing is left behind then.
    pub fn restore(&self, request: RestoreRequest) -> Result<Created, Error> {
        let facts = crate::create::facts(request.cgroup_manager)?;
        let place = self.directory(request.id).join(ROOT);
        let (search, env) = (search(), environment());
        let RestoreRequest { config, id, bundle, .. } = request;
        let options =
            planner::Options { cgroup_manager: request.cgroup_manager, ..planner::Options::default() };
        let wanted = planner::Request { config, facts: &facts, id, bundle, options: &options };
        let planner::Restore { planned: Planned { plan, hooks, notes }, hooks: first } =
            planner::restore(&wanted, &place, &planner::Criu { search: &search, env: &env })?;
        if self.directory(id).exists() {
            return Err(Error::Exists(id.to_string()));
        }
        if request.console.is_none() && config.process.as_ref().is_some_and(|process| process.terminal) {
            return Err(Error::NoConsole);
        }
        refuse_groups_in_use(&plan)?;
        let mut container = self.take(record_of(id, bundle, config, &plan, &facts.cgroups, hooks))?;
        match bring_back(&container, &request, &plan, &first, &facts.cgroups) {
            Ok((record, pidfd)) => {
                container.made(record);
                container.unlock();
                Ok(Created { container, pidfd, notify: None, notes })
            }
            Err(error) => Err(self.destroy(&container, error)),
        }
    }
}

fn bring_back(
    container: &Container,
    request: &RestoreRequest,
    plan: &Plan,
    hooks: &[Hook],
    layout: &CgroupLayout,
) -> Result<(Record, OwnedFd), Error> {
    request.json.map_or(Ok(()), |json| container.keep_config(json))?;
    let place = container.directory().join(ROOT);
    std::fs::create_dir(&place).map_err(Error::file("cannot make", &place))?;
    let images = &request.options.images;
    if !images.is_dir() {
        let error = io::Error::from_raw_os_error(rustix::io::Errno::NOTDIR.raw_os_error());
        return Err(Error::file("cannot open the images in", images)(error));
    }
    let places = Places::open(request.options, "restore.log")?;
    let criu = Criu::start(plan)?;
    let lent = Lent::to(request.config, &places.images).map_err(Error::file("cannot lend", images))?;
    let record = container.record.clone();
    let mut restored = Restored { container, request, hooks, record, pidfd: None, lent };
    let asked = wanted(container, request, layout, &places, criu.pid).and_then(|(options, _places)| {
        criu.ask(Kind::Restore, &options, &mut |notice, handed| restored.notice(notice, handed))
    });
    criu.end().map_err(Error::Attend)?;
    if asked.is_err() && restored.record.init.is_some() {
        forget_pid(request.pid_file);
    }
    let taken_back = restored.lent.take_back();
    asked.map_err(|error| error.with_log(&places.log))?;
    taken_back?;
    // It was a mount for criu alone.
    std::fs::remove_dir(&place).map_err(Error::file("cannot remove", &place))?;
    let pidfd = restored.pidfd.ok_or_else(|| Error::Missing(container.record.id.to_string()))?;
    Ok((restored.record, pidfd))
}

/// What a criu with this pid is asked for, and the directories that this is about.
fn wanted(
    container: &Container,
    request: &RestoreRequest,
    layout: &CgroupLayout,
    places: &Places,
    criu: Pid,
) -> Result<(Options, Places), Error> {
    let places = places.seen_by(criu)?;
    let mut options = common(request.options, &places);
    options.flag(Field::EvasiveDevices, true);
    options.flag(Field::RestoreSibling, true);
    options.text(Field::Root, container.directory().join(ROOT).as_os_str().as_bytes());
    let texts =
        [(Field::LsmProfile, request.lsm_profile), (Field::LsmMountContext, request.lsm_mount_context)];
    for (field, text) in texts {
        text.into_iter().for_each(|text| options.text(field, text.as_bytes()));
    }
    config_file(&mut options, request.config);
    let cgroups = &container.record.cgroups;
    for (name, source) in external::sources(request.config, request.bundle, cgroups, layout)? {
        options.pair(Field::ExternalMount, name.as_os_str().as_bytes(), source.as_os_str().as_bytes());
    }
    for (name, number) in streams::given(&descriptors(&request.options.images)?, streams::access()) {
        options.inherit(name.as_bytes(), number);
    }
    namespaces(&mut options, request)?;
    groups(&mut options, criu)?;
    Ok((options, places))
}

/// The namespaces that are joined: by descriptor those that criu left out, which follow its socket in the order of
/// the configuration, and by path the others.
fn namespaces(options: &mut Options, request: &RestoreRequest) -> Result<(), Error> {
    let mut next = 4;
    for (kind, path) in external::joined(request.config) {
        if planner::INHERITED.contains(&kind) {
            options.inherit(external::key(kind).as_bytes(), next);
            next += 1;
        } else if kind == NamespaceKind::Cgroup {
            let error = io::Error::other("criu joins no cgroup namespace; leave out its path");
            return Err(Error::file("cannot join", path)(error));
        } else {
            let name = kind.file_name().as_bytes();
            options.pair(Field::JoinNamespace, name, path.as_os_str().as_bytes());
        }
    }
    Ok(())
}

/// Tells criu where the container's groups are now: where it is itself.
fn groups(options: &mut Options, criu: Pid) -> Result<(), Error> {
    let path = format!("/proc/{}/cgroup", criu.as_raw_nonzero());
    let text = std::fs::read_to_string(&path).map_err(|error| Error::reading(Path::new(&path), error))?;
    for line in text.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        for controller in controllers.split(',') {
            options.pair(Field::CgroupRoot, controller.as_bytes(), group.as_bytes());
        }
    }
    Ok(())
}

/// A container on its way back.
struct Restored<'a> {
    container: &'a Container,
    request: &'a RestoreRequest<'a>,
    hooks: &'a [Hook],
    record: Record,
    pidfd: Option<OwnedFd>,
    lent: Lent,
}

impl Restored<'_> {
    /// Does what is to be done when criu has come to a point.
    fn notice(&mut self, notice: &Notice, handed: Handed) -> Result<(), Error> {
        match (notice.script.as_str(), notice.pid.and_then(Pid::from_raw)) {
            ("setup-namespaces", Some(pid)) => self.namespaces_made(pid),
            ("post-restore", Some(pid)) => self.restored(pid),
            ("orphan-pts-master", _) => self.send_console(handed),
            _ => Ok(()),
        }
    }

    /// A new network namespace has its loopback device down, and criu restores no devices. Whoever made others made
    /// them by a hook, and now does so again.
    fn namespaces_made(&self, pid: Pid) -> Result<(), Error> {
        if makes(self.request.config, NamespaceKind::Network) {
            let file = format!("/proc/{}/ns/net", pid.as_raw_nonzero());
            loopback_up(&file).map_err(Error::file("cannot bring lo up in", file))?;
        }
        let pid = Some(pid.as_raw_nonzero().get());
        let state = State { pid, ..self.container.state_as(Status::Creating) };
        self.hooks.iter().try_for_each(|hook| {
            let failed = |why| Error::Hook { hook: hook.to_string(), path: hook.path.clone(), why };
            executor::run_hook(hook, &state).map_err(failed)
        })
    }

    /// All is in place but nothing runs: now the container can be found.
    fn restored(&mut self, pid: Pid) -> Result<(), Error> {
        let write = || -> io::Result<(Init, OwnedFd, bool)> {
            let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
            Ok((Init::of(pid)?, pidfd, has_own_clocks(pid)?))
        };
        let (init, pidfd, clocks) = write().map_err(Error::file(
            "cannot look at the container through",
            format!("/proc/{}", pid.as_raw_nonzero()),
        ))?;
        self.lent.take_back()?;
        self.record.init = Some(init);
        self.pidfd = Some(pidfd);
        // criu lets the clocks go on from where they were.
        if clocks && !self.record.namespaces.contains(&NamespaceKind::Time) {
            self.record.namespaces.push(NamespaceKind::Time);
        }
        self.container.write(&self.record, Status::Running)?;
        let Some(file) = self.request.pid_file else { return Ok(()) };
        write_pid(file, pid).map_err(Error::file("cannot write", file))
    }

    fn send_console(&self, handed: Handed) -> Result<(), Error> {
        let (Some(socket), Some(master)) = (&self.request.console, handed) else {
            return Err(Error::NoConsole);
        };
        let sent = send_descriptor(socket, b"/dev/ptmx", master);
        sent.map(drop).map_err(|errno| Error::Attend(errno.into()))
    }
}

fn has_own_clocks(pid: Pid) -> io::Result<bool> {
    let inode =
        |process: &str| Ok::<_, io::Error>(std::fs::metadata(format!("/proc/{process}/ns/time"))?.ino());
    match inode("self") {
        // A kernel without time namespaces.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        own => Ok(own? != inode(&pid.as_raw_nonzero().to_string())?),
    }
}

/// Goes to a network namespace, and back.
fn loopback_up(file: &str) -> io::Result<()> {
    let (own, theirs) = (std::fs::File::open("/proc/self/ns/net")?, std::fs::File::open(file)?);
    sys::namespace::enter(&theirs, sys::namespace::NETWORK)?;
    let up = sys::link::up("lo");
    sys::namespace::enter(&own, sys::namespace::NETWORK)?;
    up
}
