//! What was typed, as types.

mod criu;
mod decimal;
mod duration;
mod given;
mod lower;
mod update;

use given::{Given, Until, text};
use lexopt::Parser;
use planner::CgroupManager;
use runtime::{CheckpointOptions, CriuOptions, Subgroup};
use spec::{ContainerId, IntelRdt, Resources};

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Options before the command.
#[derive(Debug)]
pub(crate) struct Global {
    pub root: PathBuf,
    /// Whether the caller has named it.
    pub root_is_given: bool,
    pub log: Option<PathBuf>,
    pub log_json: bool,
    pub debug: bool,
    /// Who makes the cgroups of containers.
    pub cgroup_manager: CgroupManager,
    /// `--rootless`; `None`: auto.
    pub rootless: Option<bool>,
}

/// A command with its options.
#[derive(Debug)]
pub(crate) enum Command {
    Create(Start),
    Run(Start),
    Start { id: ContainerId },
    State { id: ContainerId },
    Kill { id: ContainerId, signal: String, all: bool },
    Delete { id: ContainerId, force: bool },
    DeleteMatching { pattern: String, force: bool },
    Exec(Box<Exec>),
    Pause { id: ContainerId },
    Resume { id: ContainerId },
    Update { id: ContainerId, change: UpdateTo, shares: Option<IntelRdt> },
    Ps { id: ContainerId, json: bool, options: Vec<String> },
    Events { id: ContainerId, stats: bool, interval: Duration },
    Checkpoint(Box<Checkpoint>),
    Restore(Box<Restore>),
    List { format: ListFormat },
    Spec { bundle: PathBuf, rootless: bool },
    Features,
    Version,
    Help(String),
}

/// `create` and `run`.
#[derive(Debug)]
pub(crate) struct Start {
    pub id: ContainerId,
    pub bundle: PathBuf,
    pub config: Option<PathBuf>,
    pub console_socket: Option<PathBuf>,
    pub pidfd_socket: Option<PathBuf>,
    pub pid_file: Option<PathBuf>,
    pub no_pivot: bool,
    pub no_new_keyring: bool,
    pub preserve_fds: u32,
    pub detach: bool,
    pub keep: bool,
    pub no_subreaper: bool,
}

/// `exec`.
#[derive(Debug)]
pub(crate) struct Exec {
    pub id: ContainerId,
    pub process: Option<PathBuf>,
    pub cwd: Option<PathBuf>,
    pub env: Vec<String>,
    pub tty: bool,
    pub user: Option<(u32, Option<u32>)>,
    pub additional_gids: Vec<u32>,
    pub caps: Vec<String>,
    pub no_new_privs: Option<bool>,
    pub process_label: Option<String>,
    pub apparmor: Option<String>,
    pub subgroups: Vec<Subgroup>,
    pub ignore_paused: bool,
    pub console_socket: Option<PathBuf>,
    pub pidfd_socket: Option<PathBuf>,
    pub pid_file: Option<PathBuf>,
    pub detach: bool,
    pub preserve_fds: u32,
    pub args: Vec<String>,
}

/// `checkpoint`.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub id: ContainerId,
    pub options: CheckpointOptions,
    pub status_fd: Option<i32>,
}

/// `restore`.
#[derive(Debug)]
pub(crate) struct Restore {
    pub id: ContainerId,
    pub common: CriuOptions,
    pub bundle: PathBuf,
    pub console_socket: Option<PathBuf>,
    pub pid_file: Option<PathBuf>,
    pub detach: bool,
    pub no_subreaper: bool,
    pub lsm_profile: Option<String>,
    pub lsm_mount_context: Option<String>,
}

/// What `update` changes a container to.
#[derive(Debug)]
pub(crate) enum UpdateTo {
    /// What the options say.
    Options(Box<Resources>),
    /// What is in this file.
    File(PathBuf),
    /// What comes on standard input.
    Input,
}

/// How `list` prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ListFormat {
    #[default]
    Table,
    Json,
    /// Names only.
    Quiet,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            root: runtime::default_root(),
            root_is_given: false,
            log: None,
            log_json: false,
            debug: false,
            cgroup_manager: CgroupManager::default(),
            rootless: None,
        }
    }
}

/// Parses the command line. A failure comes with the options that were understood before it: they say where it is
/// logged.
pub(crate) fn parse() -> (Global, Result<Command, String>) {
    parse_from(Parser::from_env())
}

fn parse_from(mut parser: Parser) -> (Global, Result<Command, String>) {
    let mut global = Global::default();
    let command = read(&mut global, &mut parser).map_err(|error| error.to_string());
    (global, command)
}

fn read(global: &mut Global, parser: &mut Parser) -> Result<Command, lexopt::Error> {
    let mut given = Given::read(parser, usage::GLOBAL, Until::Command)?;
    if let Some(early) = self::global(global, &mut given)? {
        return Ok(early);
    }
    let name = given.operands.pop();
    given.finish()?;
    let name = name.map(text).transpose()?.ok_or("which command?")?;
    if name == "help" {
        return help(parser.next()?.map(|arg| match arg {
            lexopt::Arg::Value(name) => Ok(name),
            other => Err(other.unexpected()),
        }));
    }
    let command = usage::command(&name).ok_or_else(|| format!("there is no command {name:?}"))?;
    let until = if command.passes_on { Until::FirstOperand } else { Until::TheEnd };
    let mut given = Given::read(parser, command.options, until)?;
    if given.help {
        return Ok(Command::Help(usage::help_of(command)));
    }
    let lowered = lower::command(command.name, &mut given)?;
    given.finish()?;
    Ok(lowered)
}

/// What `help` and `help COMMAND` print.
fn help(name: Option<Result<OsString, lexopt::Error>>) -> Result<Command, lexopt::Error> {
    let Some(name) = name else { return Ok(Command::Help(usage::help())) };
    let name = text(name?)?;
    let command = usage::command(&name).ok_or_else(|| format!("there is no command {name:?}"))?;
    Ok(Command::Help(usage::help_of(command)))
}

/// Reads the options before the command; returns the command where they are one.
fn global(global: &mut Global, given: &mut Given) -> Result<Option<Command>, lexopt::Error> {
    // Where to complain comes first.
    global.log = given.path(usage::LOG);
    global.log_json = given.text(usage::LOG_FORMAT)?.is_some_and(|format| format == "json");
    global.debug = given.is_on(usage::DEBUG)?;
    if let Some(root) = given.path(usage::ROOT) {
        (global.root, global.root_is_given) = (root, true);
    }
    if given.is_on(usage::HELP)? {
        return Ok(Some(Command::Help(usage::help())));
    }
    if given.is_on(usage::VERSION)? {
        return Ok(Some(Command::Version));
    }
    let manager = given.text(usage::CGROUP_MANAGER)?;
    global.cgroup_manager = match (manager.as_deref(), given.is_on(usage::SYSTEMD_CGROUP)?) {
        (Some("disabled"), _) => CgroupManager::Disabled,
        (Some("systemd"), _) | (_, true) => CgroupManager::Systemd,
        _ => CgroupManager::Cgroupfs,
    };
    global.rootless = given.text(usage::ROOTLESS)?.filter(|word| word != "auto").map(|word| word == "true");
    Ok(None)
}

#[cfg(test)]
mod tests;
