//! From options and operands to a command.

use super::given::{Given, text};
use super::{Command, Exec, ListFormat, Start, criu, duration, update};
use lexopt::Error;
use runtime::Subgroup;
use spec::ContainerId;
use std::ffi::OsString;
use usage as options;

/// The command of this name, which is one of the table.
pub(super) fn command(name: &str, given: &mut Given) -> Result<Command, Error> {
    Ok(match name {
        "create" => Command::Create(start(given)?),
        "run" => Command::Run(run(given)?),
        "start" => Command::Start { id: id(given)? },
        "state" => Command::State { id: id(given)? },
        "delete" if given.is_on(options::REGEX)? => Command::DeleteMatching {
            pattern: text(operand(given, "which containers?")?)?,
            force: given.is_on(options::FORCE)?,
        },
        "delete" => Command::Delete { id: id(given)?, force: given.is_on(options::FORCE)? },
        "kill" => kill(given)?,
        "exec" => Command::Exec(Box::new(exec(given)?)),
        "pause" => Command::Pause { id: id(given)? },
        "resume" => Command::Resume { id: id(given)? },
        "update" => {
            Command::Update { id: id(given)?, change: update::change(given)?, shares: update::shares(given)? }
        }
        "ps" => Command::Ps {
            id: id(given)?,
            json: given.text(options::FORMAT)?.is_some_and(|format| format == "json"),
            options: rest(given)?,
        },
        "events" => Command::Events {
            id: id(given)?,
            stats: given.is_on(options::STATS)?,
            interval: duration::interval(given)?,
        },
        "checkpoint" => Command::Checkpoint(Box::new(criu::checkpoint(given)?)),
        "restore" => Command::Restore(Box::new(criu::restore(given)?)),
        "list" => Command::List { format: list_format(given)? },
        "spec" => Command::Spec {
            bundle: given.path(options::BUNDLE).unwrap_or_else(|| ".".into()),
            rootless: given.is_on(options::FOR_ROOTLESS)?,
        },
        "features" => Command::Features,
        other => return Err(format!("{other} is not supported yet").into()),
    })
}

pub(super) fn operand(given: &mut Given, question: &'static str) -> Result<OsString, Error> {
    if given.operands.is_empty() {
        return Err(question.into());
    }
    Ok(given.operands.remove(0))
}

pub(super) fn id(given: &mut Given) -> Result<ContainerId, Error> {
    container(operand(given, "which container?")?)
}

pub(super) fn container(value: OsString) -> Result<ContainerId, Error> {
    text(value)?.parse().map_err(|error: spec::InvalidId| error.to_string().into())
}

fn rest(given: &mut Given) -> Result<Vec<String>, Error> {
    given.operands.drain(..).map(text).collect()
}

fn start(given: &mut Given) -> Result<Start, Error> {
    Ok(Start {
        id: container(operand(given, "which name shall the container have?")?)?,
        bundle: given.path(options::BUNDLE).unwrap_or_else(|| ".".into()),
        config: given.path(options::CONFIG),
        console_socket: given.path(options::CONSOLE_SOCKET),
        pidfd_socket: given.path(options::PIDFD_SOCKET),
        pid_file: given.path(options::PID_FILE),
        no_pivot: given.is_on(options::NO_PIVOT)?,
        no_new_keyring: given.is_on(options::NO_NEW_KEYRING)?,
        preserve_fds: given.number(options::PRESERVE_FDS)?.unwrap_or_default(),
        detach: false,
        keep: false,
        no_subreaper: false,
    })
}

fn run(given: &mut Given) -> Result<Start, Error> {
    Ok(Start {
        detach: given.is_on(options::DETACH)?,
        keep: given.is_on(options::KEEP)?,
        no_subreaper: given.is_on(options::NO_SUBREAPER)?,
        ..start(given)?
    })
}

fn kill(given: &mut Given) -> Result<Command, Error> {
    let id = id(given)?;
    let signal = match given.operands.is_empty() {
        true => "TERM".to_owned(),
        false => text(given.operands.remove(0))?,
    };
    Ok(Command::Kill { id, signal, all: given.is_on(options::ALL)? })
}

fn exec(given: &mut Given) -> Result<Exec, Error> {
    let exec = Exec {
        id: id(given)?,
        process: given.path(options::PROCESS),
        cwd: given.path(options::CWD),
        env: given.texts(options::ENV)?,
        tty: given.is_on(options::TTY)?,
        user: given.text(options::USER)?.as_deref().map(user).transpose()?,
        additional_gids: given.numbers(options::ADDITIONAL_GIDS)?,
        caps: given.texts(options::CAP)?,
        no_new_privs: given.switch(options::NO_NEW_PRIVS)?,
        process_label: given.text(options::PROCESS_LABEL)?,
        apparmor: given.text(options::APPARMOR)?,
        subgroups: subgroups(given.texts(options::CGROUP)?)?,
        ignore_paused: given.is_on(options::IGNORE_PAUSED)?,
        console_socket: given.path(options::CONSOLE_SOCKET),
        pidfd_socket: given.path(options::PIDFD_SOCKET),
        pid_file: given.path(options::PID_FILE),
        detach: given.is_on(options::DETACH)?,
        preserve_fds: given.number(options::PRESERVE_FDS)?.unwrap_or_default(),
        args: rest(given)?,
    };
    if exec.args.is_empty() && exec.process.is_none() {
        return Err("which command?".into());
    }
    Ok(exec)
}

fn user(value: &str) -> Result<(u32, Option<u32>), Error> {
    let number =
        |text: &str| text.parse::<u32>().map_err(|_| format!("--user takes UID[:GID], not {value:?}"));
    Ok(match value.split_once(':') {
        None => (number(value)?, None),
        Some((uid, gid)) => (number(uid)?, Some(number(gid)?)),
    })
}

/// `[CONTROLLER[,CONTROLLER...]:]PATH`. One without controllers is for all, so it stands alone.
fn subgroups(values: Vec<String>) -> Result<Vec<Subgroup>, Error> {
    let alone = values.len() == 1;
    let mut known = Vec::new();
    values
        .iter()
        .map(|value| {
            let wrong = |problem: &str| Err(format!("--cgroup {value}: {problem}").into());
            let Some((names, path)) = value.split_once(':') else {
                return match alone {
                    true => Ok(Subgroup { controllers: Vec::new(), path: value.into() }),
                    false => wrong("without a controller it is for all and stands alone"),
                };
            };
            let controllers: Vec<String> = names.split(',').map(str::to_owned).collect();
            for name in &controllers {
                match name.is_empty() {
                    true => return wrong("a controller has a name"),
                    false if known.contains(name) => return wrong("each controller can be given once"),
                    false => known.push(name.clone()),
                }
            }
            Ok(Subgroup { controllers, path: path.into() })
        })
        .collect()
}

fn list_format(given: &mut Given) -> Result<ListFormat, Error> {
    let format = given.text(options::FORMAT)?;
    let quiet = given.is_on(options::QUIET)?;
    Ok(match format.as_deref() {
        _ if quiet => ListFormat::Quiet,
        Some("json") => ListFormat::Json,
        _ => ListFormat::Table,
    })
}
