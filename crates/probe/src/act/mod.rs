//! The attempts: each does one thing that a container may or may not allow, and says what came of it.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use lexopt::{Error, Parser, ValueExt};
use probe::Verdict;
use serde_json::{Value, json};

use crate::{Out, USAGE, errno};

mod escape;
mod files;
mod load;
mod mounts;
mod naive;

/// What an attempt came to: its detail, or how it failed.
type Outcome = Result<Value, Failure>;

/// The error of the call that ended an attempt, and what else is known.
struct Failure {
    error: io::Error,
    detail: Value,
}

impl<E: Into<io::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure { error: error.into(), detail: Value::Null }
    }
}

/// Makes the attempt of this name with the arguments that are left.
pub fn run(name: &str, mut args: Parser, out: &Out) -> Result<ExitCode, Error> {
    // After the attempt's name all is arguments: a value such as -1 is no option.
    let args: Vec<String> = args.raw_args()?.map(|arg| arg.string()).collect::<Result<_, _>>()?;
    let attempt = [name].into_iter().chain(args.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let texts: Vec<&str> = args.iter().map(String::as_str).collect();

    let outcome = match (name, &texts[..]) {
        ("try-read", [path]) => files::read(path),
        ("try-write", [path]) => files::write(path),
        ("try-open", [path, flags]) => files::open(path, flags)?,
        ("write-proc", [path, value]) => files::write_value(path, value),
        ("mknod", [path, kind, major, minor]) => files::mknod(path, kind, parse(major)?, parse(minor)?)?,
        ("open-in-turn", [allowed, forbidden, stop]) => files::open_in_turn(allowed, forbidden, stop)?,
        ("hold-open", paths) => return hold_open(paths, attempt, out),

        ("try-mount", [source, target, fstype, flags]) => mounts::mount(source, target, fstype, flags, "")?,
        ("try-mount", [source, target, fstype, flags, data]) => {
            mounts::mount(source, target, fstype, flags, data)?
        }
        ("try-remount", [target, flags]) => mounts::remount(target, flags)?,

        ("chroot-escape", [marker]) => escape::by_chroot(marker),
        ("fd-escape", [marker]) => escape::by_descriptor(marker),
        ("exec-self-exe", []) => escape::by_executable(),
        ("kill", [pid]) => load::kill(parse(pid)?, 9)?,
        ("kill", [pid, signal]) => load::kill(parse(pid)?, parse(signal)?)?,
        ("signal-self", [signal]) => load::kill(std::process::id() as i32, parse(signal)?)?,

        ("try-connect", [address]) => files::connect(address),
        ("try-tcp", ["bind", port]) => files::bind_tcp(parse(port)?),
        ("try-tcp", ["connect", port]) => files::connect_tcp(parse(port)?),
        ("rewrite", [path]) => files::rewrite(path),

        ("naive-jail", [root, cwd, program, args @ ..]) => naive::jail(root, cwd, program, args),
        ("naive-enter", [pid, program, args @ ..]) => naive::enter(parse(pid)?, program, args),
        ("naive-linger", [pid]) => naive::linger(parse(pid)?),
        ("naive-mount", [source, path, tries]) => naive::mount(source, path, parse(tries)?),

        ("fill-memory", [bytes]) => load::fill_memory(parse(bytes)?),
        ("fork-many", [count]) => load::fork_many(parse(count)?),
        ("notify", messages) => load::notify(messages),
        ("burn", [seconds]) => load::burn(parse(seconds)?),

        ("sleep", []) => sleep(f64::MAX),
        ("sleep", [seconds]) => sleep(parse(seconds)?),
        ("exit", [code]) => return Ok(ExitCode::from(parse::<u8>(code)?)),
        _ => return Err(format!("cannot do `{attempt}`\n{USAGE}").into()),
    };
    out.print(&verdict(attempt, outcome))?;
    Ok(ExitCode::SUCCESS)
}

fn verdict(attempt: String, outcome: Outcome) -> Verdict {
    match outcome {
        Ok(detail) => Verdict { attempt, outcome: "ok".to_owned(), detail },
        Err(Failure { error, detail }) => Verdict { attempt, outcome: errno::name(&error), detail },
    }
}

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|error| format!("`{text}`: {error}").into())
}

/// Turns `ro,nosuid` into flags by a table; an empty text or `-` is none.
fn flags<F: Copy>(text: &str, table: &[(&str, F)], mut set: impl FnMut(F)) -> Result<(), Error> {
    for name in text.split(',').filter(|name| !name.is_empty() && *name != "-") {
        let known = table.iter().find(|(known, _)| *known == name);
        set(known.ok_or_else(|| format!("no flag `{name}`"))?.1);
    }
    Ok(())
}

fn sleep(seconds: f64) -> Outcome {
    thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    Ok(Value::Null)
}

/// Says what it could open, and keeps it open until it is killed.
fn hold_open(paths: &[&str], attempt: String, out: &Out) -> Result<ExitCode, Error> {
    let held: io::Result<Vec<_>> = paths.iter().map(File::open).collect();
    let (outcome, _files) = match held {
        Ok(files) => (Ok(json!({ "open": files.len() })), files),
        Err(error) => (Err(error.into()), Vec::new()),
    };
    out.print(&verdict(attempt, outcome))?;
    loop {
        thread::park();
    }
}
