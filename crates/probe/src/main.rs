//! `probe`: what a process inside a container sees, and what it gets away with.
//!
//! Without a subcommand it prints a [`probe::Report`]; a subcommand is one attempt and prints a [`probe::Verdict`].

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};
use serde::Serialize;

mod act;
mod errno;
mod see;

const USAGE: &str = "\
usage: probe [--out PATH|fd:N] [--sysctl NAME]...       print what is visible here, as JSON
       probe [--out PATH|fd:N] ATTEMPT [ARG...]         try something, print a verdict as JSON

files    try-read PATH | try-write PATH | try-open PATH FLAG,... | write-proc PATH VALUE | rewrite PATH
         mknod PATH c|b MAJOR MINOR | try-connect PATH|@NAME | try-tcp bind|connect PORT
         open-in-turn ALLOWED FORBIDDEN STOP
mounts   try-mount SOURCE TARGET TYPE FLAG,... [DATA] | try-remount TARGET FLAG,...
escapes  chroot-escape MARKER | fd-escape MARKER | exec-self-exe | kill PID [SIGNAL]
naive    naive-jail ROOT CWD PROGRAM [ARG...] | naive-enter PID PROGRAM [ARG...] | naive-linger PID
         naive-mount SOURCE PATH TRIES
load     fill-memory BYTES | fork-many N | burn SECONDS | notify TEXT...
to be    sleep [SECONDS] | hold-open PATH... | exit N | signal-self N
";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("probe: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, lexopt::Error> {
    let mut args = Parser::from_env();
    let mut out = Out::Stdout;
    let mut sysctls = Vec::new();
    while let Some(arg) = args.next()? {
        match arg {
            Arg::Long("out") => out = Out::parse(args.value()?.string()?),
            Arg::Long("sysctl") => sysctls.push(args.value()?.string()?),
            Arg::Short('h') | Arg::Long("help") => {
                print!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            Arg::Value(attempt) => return act::run(&attempt.string()?, args, &out),
            other => return Err(other.unexpected()),
        }
    }
    out.print(&see::everything(&sysctls))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the JSON goes.
enum Out {
    Stdout,
    File(String),
}

impl Out {
    fn parse(text: String) -> Out {
        match text.strip_prefix("fd:") {
            Some(number) => Out::File(format!("/proc/self/fd/{number}")),
            None => Out::File(text),
        }
    }

    /// Writes one line. The file is opened only now, so that it is not among the descriptors that are reported.
    fn print(&self, value: &impl Serialize) -> Result<(), lexopt::Error> {
        let mut line = serde_json::to_vec(value).expect("a report has only text as keys");
        line.push(b'\n');
        let written = match self {
            Out::Stdout => io::stdout().write_all(&line).and_then(|()| io::stdout().flush()),
            Out::File(path) if fs::exists(path).unwrap_or(false) => {
                OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(&line))
            }
            Out::File(path) => fs::write(path, &line),
        };
        written.map_err(|error| lexopt::Error::Custom(format!("cannot write the report: {error}").into()))
    }
}
