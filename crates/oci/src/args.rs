//! What was typed, as types.

use lexopt::prelude::*;
use spec::ContainerId;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where state is kept unless `--root` says otherwise.
const ROOT: &str = "/run/cuddy";

/// Options before the command, and the command.
#[derive(Debug)]
pub(crate) struct Global {
    pub root: PathBuf,
    pub log: Option<PathBuf>,
    pub log_json: bool,
    pub debug: bool,
    pub command: Command,
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
    Exec(Exec),
    List { format: ListFormat },
    Spec { bundle: PathBuf, rootless: bool },
    Features,
    Version,
    Help,
}

/// `create` and `run`.
#[derive(Debug, Default)]
pub(crate) struct Start {
    pub id: Option<ContainerId>,
    pub bundle: PathBuf,
    pub console_socket: Option<PathBuf>,
    pub pid_file: Option<PathBuf>,
    pub no_pivot: bool,
    pub no_new_keyring: bool,
    pub preserve_fds: u32,
    pub detach: bool,
    pub keep: bool,
}

/// `exec`.
#[derive(Debug, Default)]
pub(crate) struct Exec {
    pub id: Option<ContainerId>,
    pub process: Option<PathBuf>,
    pub cwd: Option<PathBuf>,
    pub env: Vec<String>,
    pub tty: bool,
    pub user: Option<(u32, Option<u32>)>,
    pub additional_gids: Vec<u32>,
    pub caps: Vec<String>,
    pub no_new_privs: bool,
    pub console_socket: Option<PathBuf>,
    pub pid_file: Option<PathBuf>,
    pub detach: bool,
    pub preserve_fds: u32,
    pub args: Vec<String>,
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

pub(crate) const HELP: &str = "\
cuddy-oci: an OCI runtime

Usage: cuddy-oci [--root DIR] [--log FILE] [--log-format text|json] [--debug] COMMAND ...

Commands:
  create [-b DIR] [--console-socket S] [--pid-file F] ID   make a container that waits for start
  start ID                                                 start its program
  run [-b DIR] [-d] [--keep] ... ID                        create and start; without -d wait for its end
  state ID                                                 print its state as JSON
  kill [-a] ID [SIGNAL]                                    send a signal, SIGTERM if none is named
  delete [-f] ID                                           remove a container that has ended
  exec [-t] [-u UID[:GID]] [-e NAME=VALUE] ID COMMAND ...  run one more program in it
  list [-q] [-f table|json]                                list containers
  spec [-b DIR]                                            write a config.json to start from
  features                                                 what this runtime can do, as JSON

Options of create, run and exec:
  --preserve-fds N    pass N descriptors after standard error
  --no-pivot          chroot in place of pivot_root, for a root on a ramdisk
  --no-new-keyring    keep the caller's session keyring
";

/// Parses the command line.
pub(crate) fn parse() -> Result<Global, String> {
    parse_from(lexopt::Parser::from_env()).map_err(|error| error.to_string())
}

fn parse_from(mut parser: lexopt::Parser) -> Result<Global, lexopt::Error> {
    let mut global =
        Global { root: ROOT.into(), log: None, log_json: false, debug: false, command: Command::Help };
    while let Some(arg) = parser.next()? {
        match arg {
            Long("root") => global.root = parser.value()?.into(),
            Long("log") => global.log = Some(parser.value()?.into()),
            Long("log-format") => {
                global.log_json = match text(parser.value()?)?.as_str() {
                    "json" => true,
                    "text" => false,
                    other => return Err(format!("--log-format is text or json, not {other:?}").into()),
                };
            }
            Long("debug") => global.debug = true,
            // Accepted for callers of runc: what they ask for is what cuddy does anyway.
            Long("systemd-cgroup") => return Err("--systemd-cgroup is not supported yet".into()),
            Long("rootless") => drop(parser.value()?),
            Short('v') | Long("version") => {
                global.command = Command::Version;
                return Ok(global);
            }
            Short('h') | Long("help") => return Ok(global),
            Value(command) => {
                global.command = self::command(&text(command)?, &mut parser)?;
                return Ok(global);
            }
            other => return Err(other.unexpected()),
        }
    }
    Err("which command?".into())
}

fn command(name: &str, parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    match name {
        "create" => Ok(Command::Create(start(parser)?)),
        "run" => Ok(Command::Run(start(parser)?)),
        "exec" => exec(parser),
        "kill" => kill(parser),
        "list" => list(parser),
        "spec" => spec(parser),
        "start" => Ok(Command::Start { id: only_id(parser, &mut |_| false)? }),
        "state" => Ok(Command::State { id: only_id(parser, &mut |_| false)? }),
        "delete" => {
            let mut force = false;
            let id = only_id(parser, &mut |arg| {
                let known = matches!(arg, Short('f') | Long("force"));
                force |= known;
                known
            })?;
            Ok(Command::Delete { id, force })
        }
        "features" => match parser.next()? {
            None => Ok(Command::Features),
            Some(arg) => Err(arg.unexpected()),
        },
        "help" => Ok(Command::Help),
        other => Err(format!("there is no command {other:?}").into()),
    }
}

fn text(value: OsString) -> Result<String, lexopt::Error> {
    value.into_string().map_err(|value| format!("{value:?} is not UTF-8").into())
}

fn id(value: OsString) -> Result<ContainerId, lexopt::Error> {
    text(value)?.parse().map_err(|error: spec::InvalidId| error.to_string().into())
}

/// Exactly one container, and flags that `flag` knows.
fn only_id(
    parser: &mut lexopt::Parser,
    flag: &mut dyn FnMut(&lexopt::Arg) -> bool,
) -> Result<ContainerId, lexopt::Error> {
    let mut found = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Value(value) if found.is_none() => found = Some(id(value)?),
            ref other if flag(other) => {}
            other => return Err(other.unexpected()),
        }
    }
    found.ok_or_else(|| "which container?".into())
}

fn start(parser: &mut lexopt::Parser) -> Result<Start, lexopt::Error> {
    let mut start = Start { bundle: ".".into(), ..Start::default() };
    while let Some(arg) = parser.next()? {
        match arg {
            Short('b') | Long("bundle") => start.bundle = parser.value()?.into(),
            Long("console-socket") => start.console_socket = Some(parser.value()?.into()),
            Long("pid-file") => start.pid_file = Some(parser.value()?.into()),
            Long("no-pivot") => start.no_pivot = true,
            Long("no-new-keyring") => start.no_new_keyring = true,
            Long("preserve-fds") => start.preserve_fds = parser.value()?.parse()?,
            Short('d') | Long("detach") => start.detach = true,
            Long("keep") => start.keep = true,
            Long("no-subreaper") => {}
            Value(value) if start.id.is_none() => start.id = Some(id(value)?),
            other => return Err(other.unexpected()),
        }
    }
    if start.id.is_none() {
        return Err("which name shall the container have?".into());
    }
    Ok(start)
}

fn exec(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut exec = Exec::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Short('p') | Long("process") => exec.process = Some(parser.value()?.into()),
            Long("cwd") => exec.cwd = Some(parser.value()?.into()),
            Short('e') | Long("env") => exec.env.push(text(parser.value()?)?),
            Short('t') | Long("tty") => exec.tty = true,
            Short('u') | Long("user") => exec.user = Some(user(&text(parser.value()?)?)?),
            Short('g') | Long("additional-gids") => exec.additional_gids.push(parser.value()?.parse()?),
            Short('c') | Long("cap") => exec.caps.push(text(parser.value()?)?),
            Long("no-new-privs") => exec.no_new_privs = true,
            Long("console-socket") => exec.console_socket = Some(parser.value()?.into()),
            Long("pid-file") => exec.pid_file = Some(parser.value()?.into()),
            Short('d') | Long("detach") => exec.detach = true,
            Long("preserve-fds") => exec.preserve_fds = parser.value()?.parse()?,
            Value(value) => {
                exec.id = Some(id(value)?);
                exec.args = parser.raw_args()?.map(text).collect::<Result<_, _>>()?;
                break;
            }
            other => return Err(other.unexpected()),
        }
    }
    if exec.id.is_none() {
        return Err("which container?".into());
    }
    if exec.args.is_empty() && exec.process.is_none() {
        return Err("which command?".into());
    }
    Ok(Command::Exec(exec))
}

fn user(value: &str) -> Result<(u32, Option<u32>), lexopt::Error> {
    let number =
        |text: &str| text.parse::<u32>().map_err(|_| format!("--user takes UID[:GID], not {value:?}"));
    Ok(match value.split_once(':') {
        None => (number(value)?, None),
        Some((uid, gid)) => (number(uid)?, Some(number(gid)?)),
    })
}

fn kill(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut container, mut signal, mut all) = (None, None, false);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('a') | Long("all") => all = true,
            Value(value) if container.is_none() => container = Some(id(value)?),
            Value(value) if signal.is_none() => signal = Some(text(value)?),
            other => return Err(other.unexpected()),
        }
    }
    let id = container.ok_or("which container?")?;
    Ok(Command::Kill { id, signal: signal.unwrap_or_else(|| "TERM".to_owned()), all })
}

fn list(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut format = ListFormat::Table;
    while let Some(arg) = parser.next()? {
        match arg {
            Short('q') | Long("quiet") => format = ListFormat::Quiet,
            Short('f') | Long("format") => {
                format = match text(parser.value()?)?.as_str() {
                    "json" => ListFormat::Json,
                    "table" => ListFormat::Table,
                    other => return Err(format!("--format is table or json, not {other:?}").into()),
                }
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::List { format })
}

fn spec(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut bundle, mut rootless) = (PathBuf::from("."), false);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('b') | Long("bundle") => bundle = parser.value()?.into(),
            Long("rootless") => rootless = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Spec { bundle, rootless })
}
