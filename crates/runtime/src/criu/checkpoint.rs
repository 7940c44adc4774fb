use super::external::{self, Running};
use super::message::{Field, Kind, Notice, Options};
use super::options::{CheckpointOptions, CriuOptions};
use super::talk::Criu;
use crate::life::wait_for_end;
use crate::{Container, Error, Store};
use plan::NamespaceKind;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use spec::{Config, ContainerId, Status};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What the standard streams were, for the restore; the file is runc's.
const DESCRIPTORS: &str = "descriptors.json";

impl Store {
    /// Saves the state of a running container. Unless it goes on it is ended and removed then. What is returned is
    /// worth a warning, one sentence each. `status` gets a zero byte when memory can be asked for.
    ///
    /// # Errors
    /// The container does not run, or criu cannot save it: it goes on then.
    pub fn checkpoint(
        &self,
        id: &ContainerId,
        options: &CheckpointOptions,
        status: Option<OwnedFd>,
    ) -> Result<Vec<String>, Error> {
        if host::privileges()?.rootless.is_some() {
            return Err(Error::NeedsRoot("a checkpoint"));
        }
        let container = self.open_locked(id)?;
        let init = match (container.status(), container.init()) {
            (Status::Running | Status::Paused, Some(init)) => init,
            _ => return container.refuse("checkpoint", "running or paused"),
        };
        let config = self.config(id)?;
        let goes_on = options.leave_running || options.pre_dump;
        dump(&container, &config, options, status)?;
        if goes_on {
            return Ok(Vec::new());
        }
        let told = |error| Error::Signal { id: id.to_string(), signal: 9, error };
        wait_for_end(init.as_fd()).map_err(told)?;
        self.remove(&container)
    }
}

fn dump(
    container: &Container,
    config: &Config,
    options: &CheckpointOptions,
    mut status: Option<OwnedFd>,
) -> Result<(), Error> {
    let places = Places::open(&options.common, "dump.log")?;
    check_parent(options)?;
    let mut request = common(&options.common, &places);
    let pid = container.pid().ok_or_else(|| Error::Missing(container.record.id.to_string()))?;
    request.number(Field::Pid, pid.into());
    request.text(Field::Root, root(container, config)?.as_os_str().as_bytes());
    for (field, value) in [
        (Field::LeaveRunning, options.leave_running),
        (Field::TcpSkipInFlight, options.tcp_skip_in_flight),
        (Field::LinkRemap, options.link_remap),
    ] {
        request.flag(field, value);
    }
    if let Some((address, port)) = &options.page_server {
        request.page_server(address, *port);
    }
    if let Some(parent) = &options.parent {
        request.text(Field::ParentImage, parent.as_os_str().as_bytes());
    }
    // Also for the first of several: the next one asks the kernel what has changed since.
    request.flag(Field::TrackMemory, options.pre_dump || options.parent.is_some());
    if let Some(group) = freezer(&container.record.cgroups) {
        request.text(Field::FreezeCgroup, group.as_os_str().as_bytes());
    }
    config_file(&mut request, config);
    leave_out(&mut request, container, config, options, pid)?;

    let kind = if options.pre_dump { Kind::PreDump } else { Kind::Dump };
    let criu = Criu::start(&planner::criu(&planner::Criu { search: &search(), env: &environment() })?)?;
    let mut notice = |notice: &Notice, _| {
        if notice.script == "status-ready"
            && let Some(fd) = status.take()
        {
            let written = rustix::io::write(&fd, &[0]);
            written.map_err(|errno| Error::file("cannot write", "--status-fd")(errno.into()))?;
        }
        Ok(())
    };
    let asked = criu.ask(kind, &request, &mut notice);
    criu.end().map_err(Error::Attend)?;
    asked.map(drop).map_err(|error| error.with_log(&places.log))
}

/// The directories that criu works in, open.
pub(super) struct Places {
    pub images: OwnedFd,
    pub work: OwnedFd,
    pub log: PathBuf,
}

impl Places {
    pub fn open(options: &CriuOptions, log: &str) -> Result<Self, Error> {
        let work = options.work.as_deref().unwrap_or(&options.images);
        let places =
            Self { images: directory(&options.images)?, work: directory(work)?, log: work.join(log) };
        // What is quoted when criu fails has to be of this run.
        match std::fs::remove_file(&places.log) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("cannot remove", &places.log)(error))
            }
            _ => Ok(places),
        }
    }

    /// The same, by way of the mounts that a process sees: only in these criu can mount anything.
    pub fn seen_by(&self, pid: Pid) -> Result<Self, Error> {
        let open = |directory: &OwnedFd| {
            let path = std::fs::read_link(format!("/proc/self/fd/{}", external::number(directory)));
            let path = path.map_err(Error::Attend)?;
            let path = Path::new(&format!("/proc/{}/root", pid.as_raw_nonzero()))
                .join(path.strip_prefix("/").unwrap_or(&path));
            let opened = rustix::fs::open(&path, DIRECTORY, Mode::empty());
            opened.map_err(|errno| Error::file("cannot open", path)(errno.into()))
        };
        Ok(Self { images: open(&self.images)?, work: open(&self.work)?, log: self.log.clone() })
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens a directory, made for its owner alone where it is missing: there will be memory in it.
fn directory(path: &Path) -> Result<OwnedFd, Error> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(Error::file("cannot make", path))?;
    let opened = rustix::fs::open(path, DIRECTORY, Mode::empty());
    opened.map_err(|errno| Error::file("cannot open", path)(errno.into()))
}

/// criu takes an earlier image by a path from the directory of the new one.
fn check_parent(options: &CheckpointOptions) -> Result<(), Error> {
    let Some(parent) = &options.parent else { return Ok(()) };
    let path = options.common.images.join(parent);
    let error = if parent.is_absolute() {
        std::io::Error::other("it has to be relative to --image-path")
    } else if path.is_dir() {
        return Ok(());
    } else {
        std::io::Error::other("there is no such directory")
    };
    Err(Error::file("cannot use --parent-path", if parent.is_absolute() { parent } else { &path })(error))
}

/// What is said for a checkpoint and for a restore.
pub(super) fn common(options: &CriuOptions, places: &Places) -> Options {
    let mut request = Options::default();
    request.number(Field::ImagesDirFd, external::number(&places.images));
    request.number(Field::WorkDirFd, external::number(&places.work));
    request.number(Field::LogLevel, 4);
    let name = places.log.file_name().unwrap_or_default();
    request.text(Field::LogFile, name.as_bytes());
    // A terminal whose other end is outside of the container comes back with that end handed over.
    for (field, value) in [
        (Field::NotifyScripts, true),
        (Field::OrphanPtsMaster, true),
        (Field::ManageCgroups, true),
        (Field::TcpEstablished, options.tcp_established),
        (Field::ExtUnixSk, options.ext_unix_sk),
        (Field::ShellJob, options.shell_job),
        (Field::FileLocks, options.file_locks),
        (Field::AutoDedup, options.auto_dedup),
        (Field::LazyPages, options.lazy_pages),
    ] {
        request.flag(field, value);
    }
    request.number(Field::ManageCgroupsMode, options.manage_cgroups as i64);
    // Interfaces and addresses are made by whoever made them in the first place, as with runc.
    request.number(Field::EmptyNamespaces, sys::namespace::NETWORK.cast_signed());
    request
}

/// Settings for criu that the machine's owner has made for runtimes, or those of the container's annotation. They
/// override what is asked for. criu passes over a file that is not there.
pub(super) fn config_file(request: &mut Options, config: &Config) {
    let file = config.annotations.get("org.criu.config").map_or("/etc/criu/runc.conf", String::as_str);
    if !file.is_empty() {
        request.text(Field::ConfigFile, file.as_bytes());
    }
}

/// Names what is the machine's. A checkpoint of memory alone does not look at it.
fn leave_out(
    request: &mut Options,
    container: &Container,
    config: &Config,
    options: &CheckpointOptions,
    pid: i32,
) -> Result<(), Error> {
    let look = || -> std::io::Result<_> {
        let running = Running::open(pid)?;
        let mounts = running.mounts(config, &container.record.namespaces)?;
        Ok((mounts, running.namespaces(config)?, running.streams()?))
    };
    let (mounts, namespaces, streams) =
        look().map_err(Error::file("cannot look at the container through", format!("/proc/{pid}")))?;
    namespaces.iter().for_each(|name| request.text(Field::External, name.as_bytes()));
    if options.pre_dump {
        return Ok(());
    }
    for (point, name) in mounts {
        request.pair(Field::ExternalMount, point.as_os_str().as_bytes(), name.as_os_str().as_bytes());
    }
    for stream in streams.iter().filter(|stream| stream.external) {
        request.text(Field::External, stream.name.as_bytes());
    }
    let names: Vec<_> = streams.iter().map(|stream| stream.name.as_str()).collect();
    let path = options.common.images.join(DESCRIPTORS);
    let json = serde_json::to_vec(&names).unwrap_or_default();
    std::fs::write(&path, json).map_err(Error::file("cannot write", &path))
}

/// What the standard streams were at the checkpoint.
pub(super) fn descriptors(images: &Path) -> Result<Vec<String>, Error> {
    let path = images.join(DESCRIPTORS);
    let json = std::fs::read(&path).map_err(Error::file("cannot read", &path))?;
    spec::from_slice(&json).map_err(|error| Error::Config { path, error })
}

fn root(container: &Container, config: &Config) -> Result<PathBuf, Error> {
    let path = config.root.as_ref().map(|root| root.path.clone()).unwrap_or_default();
    let path = container.record.bundle.join(path);
    path.canonicalize().map_err(Error::file("cannot open", &path))
}

/// The group by which criu stops all processes at once: the one by which `pause` does.
fn freezer(cgroups: &[PathBuf]) -> Option<&PathBuf> {
    let has = |file: &str| cgroups.iter().find(|group| group.join(file).exists());
    has("cgroup.freeze").or_else(|| has("freezer.state"))
}

/// Where criu is looked for.
pub(super) fn search() -> String {
    std::env::var("PATH")
        .unwrap_or_else(|_| "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin".into())
}

/// The environment of the runtime, but for what is no text.
pub(super) fn environment() -> Vec<String> {
    let texts = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.map(|(name, value)| format!("{name}={value}")).collect()
}

/// Whether the configuration makes a namespace of this kind.
pub(super) fn makes(config: &Config, kind: NamespaceKind) -> bool {
    let mut namespaces = config.linux.iter().flat_map(|linux| &linux.namespaces);
    namespaces.any(|namespace| namespace.kind == kind)
        && !external::joined(config).any(|(joined, _)| joined == kind)
}
