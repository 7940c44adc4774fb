use crate::CriuFailure;
use std::io;
use std::path::PathBuf;

/// Why a command on a container failed. Nothing of a failed start is left behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name cannot name a container.
    #[error(transparent)]
    Id(#[from] spec::InvalidId),
    /// A container of that name exists.
    #[error("container {0} exists already")]
    Exists(String),
    /// There is no container of that name.
    #[error("container {0} does not exist")]
    Missing(String),
    /// The configuration gives no shares of caches and memory bandwidth.
    #[error("{0} has no linux.intelRdt in its configuration, so it has no shares of its own")]
    NoShares(String),
    /// The container is in a state in which the command makes no sense.
    #[error("{} {id} is {status}; {command} needs it {needs}", known_words(*status, command))]
    Status {
        /// The container.
        id: String,
        /// What it is doing.
        status: spec::Status,
        /// The command.
        command: &'static str,
        /// What it should be doing.
        needs: &'static str,
    },
    /// A hook failed that is no step of the plan.
    #[error("error running {hook}: {} {why}", path.display())]
    Hook {
        /// Its kind and place.
        hook: String,
        /// Its program.
        path: PathBuf,
        /// What became of it.
        why: String,
    },
    /// A file of the machine could not be used.
    #[error("{what} {}: {}", path.display(), sys::words(error))]
    File {
        /// What was to be done.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
    },
    /// A document is not what it should be: `config.json` is not a configuration.
    #[error("{}: {error}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The property, and what is wrong with it.
        error: spec::JsonError,
    },
    /// A document is larger than any of its kind.
    #[error("{} has {size} bytes; at most {limit} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size, as far as it was read where it is no file.
        size: u64,
        /// What would be read.
        limit: u64,
    },
    /// The machine could not be asked.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// The configuration cannot become a plan.
    #[error(transparent)]
    Plan(#[from] planner::Error),
    /// A step of the plan failed.
    #[error(transparent)]
    Step(#[from] executor::Failure),
    /// The container could not be signalled.
    #[error("cannot send signal {signal} to container {id}: {}", sys::words(error))]
    Signal {
        /// The container.
        id: String,
        /// The signal's number.
        signal: i32,
        /// Why it failed.
        error: io::Error,
    },
    /// A process was sent SIGKILL and is frozen by a group that is not the container's.
    #[error("container {id} is killed, and ends when {} is thawed: a group above its own is frozen", above.display())]
    FrozenAbove {
        /// The container.
        id: String,
        /// The frozen group.
        above: PathBuf,
    },
    /// The device rules of a container could not be replaced.
    #[error("cannot replace the device rules of container {id}: {}", sys::words(source))]
    Devices {
        /// The container.
        id: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A word that is no signal.
    #[error("{0:?} is no signal")]
    NoSignal(String),
    /// A name that is no capability.
    #[error(transparent)]
    Capability(#[from] spec::UnknownCapability),
    /// The container could not be attended to in the foreground.
    #[error("cannot attend to the container: {}", sys::words(.0))]
    Attend(io::Error),
    /// The container's cgroups could not be used.
    #[error(transparent)]
    Cgroup(#[from] cgroup::live::Error),
    /// systemd did not do what it was asked for.
    #[error(transparent)]
    Systemd(#[from] systemd::Error),
    /// A command that works by cgroups, on a container that has none.
    #[error("container {id} has no cgroups; {command} needs them")]
    NoCgroups {
        /// The container.
        id: String,
        /// The command.
        command: &'static str,
    },
    /// A cgroup that one more process cannot be started in.
    #[error("cgroup {}: {problem}", path.display())]
    Subgroup {
        /// The group.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What only root of the machine can do.
    #[error("{0} takes root of the machine")]
    NeedsRoot(&'static str),
    /// A program of the machine that a command is made with.
    #[error("{program}: {status}")]
    Program {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: String,
    },
    /// criu could not save or restore the container.
    #[error("{0}")]
    Criu(CriuFailure),
    /// The container's cgroup is another's.
    #[error("cgroup {} has processes of another container", .0.display())]
    GroupInUse(PathBuf),
    /// The process has a terminal and nobody takes it.
    #[error("/process/terminal: nobody takes the terminal")]
    NoConsole,
    /// A start or an update failed, and what it had begun could not wholly be undone.
    #[error("{error}; and then could not {}", failures.join("; could not "))]
    Unclean {
        /// Why it failed.
        error: Box<Error>,
        /// What was not undone.
        failures: Vec<String>,
    },
    /// Something of a container could not be removed.
    #[error("container {id} is not wholly removed: {}", failures.join("; "))]
    Undo {
        /// The container.
        id: String,
        /// What failed.
        failures: Vec<String>,
    },
}

impl Error {
    /// A file that could not be read.
    #[must_use]
    pub fn reading(path: &std::path::Path, error: io::Error) -> Self {
        Self::file("cannot read", path)(error)
    }

    /// A file that could not be written.
    #[must_use]
    pub fn writing(path: &std::path::Path, error: io::Error) -> Self {
        Self::file("cannot write", path)(error)
    }

    /// Whether a file is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::File { error, .. } if error.kind() == io::ErrorKind::NotFound)
    }

    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { what, path, error }
    }

    /// The same; where criu failed, with what its log says.
    pub(crate) fn with_log(self, log: &std::path::Path) -> Self {
        match self {
            Self::Criu(failure) => Self::Criu(failure.with_log(log)),
            other => other,
        }
    }

    /// What to do about it; empty where there is nothing better to say.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Exists(id) => format!("choose another name, or remove it with `delete {id}`"),
            Self::Missing(_) => "`list` shows those that exist".to_owned(),
            Self::Status {
                id,
                status: spec::Status::Running | spec::Status::Created,
                command: "delete",
                ..
            } => format!("end it with `kill {id} KILL` first, or use `delete --force {id}`"),
            Self::Status { status: spec::Status::Paused, command: "exec", .. } => {
                "`resume` it first, or use `exec --ignore-paused`".to_owned()
            }
            Self::File { what: "cannot make", error, .. }
                if error.kind() == io::ErrorKind::PermissionDenied =>
            {
                "name a directory of yours with --root (`cuddy`: --run-root), or set XDG_RUNTIME_DIR".to_owned()
            }
            Self::NoCgroups { .. } if !rustix::process::geteuid().is_root() => {
                "start it in a cgroup v2 that is delegated to the user (`systemd-run --user --scope -p Delegate=yes`)".to_owned()
            }
            Self::GroupInUse(_) => "choose another name, or another linux.cgroupsPath".to_owned(),
            Self::Criu(failure) => failure.hint(),
            Self::Systemd(error) => error.hint().to_owned(),
            Self::Host(error) => error.hint().to_owned(),
            Self::Plan(error) => error.hint.clone(),
            Self::Step(failure) => failure.hint.clone(),
            Self::TooLarge { .. } => {
                "a few thousand are usual; put what is large into files of the container".to_owned()
            }
            Self::NoSignal(_) => "name it like TERM or 15; `kill -l` has the list".to_owned(),
            Self::NoConsole => "use --console-socket, or set process.terminal to false".to_owned(),
            Self::Unclean { error, .. } => error.hint(),
            Self::Undo { .. } => "`delete --force` tries again".to_owned(),
            _ => String::new(),
        }
    }
}

/// How runc says it: containerd and podman look for these words to know that a container has ended.
fn known_words(status: spec::Status, command: &str) -> &'static str {
    match (command, status) {
        ("kill" | "pause" | "update" | "exec" | "events", spec::Status::Stopped) => "container not running:",
        ("exec", spec::Status::Paused) => "cannot exec in a paused container:",
        ("resume", _) => "container not paused:",
        _ => "container",
    }
}
