//! `ps`.

use super::print;
use runtime::{Ended, Error, Store};
use rustix::pipe::{PipeFlags, pipe_with};
use spec::ContainerId;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use sys::clone::Process;

/// Lists a container's processes: their pids as JSON, or the lines that ps(1) has for them.
pub(super) fn list(store: &Store, id: &ContainerId, json: bool, options: &[String]) -> Result<(), Error> {
    let pids = store.processes(id)?;
    if json {
        return print(&serde_json::to_string(&pids).unwrap_or_default());
    }
    let all = ["-ef".to_owned()];
    let (ended, text) = output_of("ps", if options.is_empty() { &all } else { options })
        .map_err(|error| Error::reading(Path::new("the output of ps"), error))?;
    let failed = |status: String| Error::Program { program: "ps", status };
    if ended.code() != 0 {
        return Err(failed(format!("exit code {}", ended.code())));
    }
    let lines = lines_of(&text, &pids).ok_or_else(|| failed("shows no PID".to_owned()))?;
    lines.into_iter().try_for_each(print)
}

/// Runs a program that is looked for along PATH, as execvp(3) does: how it ended, and its standard output.
fn output_of(program: &str, args: &[String]) -> io::Result<(Ended, String)> {
    let string = |bytes: &[u8]| CString::new(bytes).map_err(io::Error::from);
    let words: Vec<_> = [program]
        .into_iter()
        .chain(args.iter().map(String::as_str))
        .map(|arg| string(arg.as_bytes()))
        .collect::<Result<_, _>>()?;
    let variables = std::env::vars_os().map(|(name, value)| [name.as_bytes(), value.as_bytes()].join(&b'='));
    let env: Vec<_> = variables.map(|variable| string(&variable)).collect::<Result<_, _>>()?;
    let search = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    let places: Vec<_> = search
        .split(':')
        .map(|place| string(format!("{place}/{program}").as_bytes()))
        .collect::<Result<_, _>>()?;
    let (output, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    match sys::clone::clone(0, None)? {
        Process::Child => {
            if rustix::stdio::dup2_stdout(&writer).is_ok() {
                places.iter().for_each(|place| drop(sys::exec::exec(place, &words, &env)));
            }
            sys::process::exit_now(127)
        }
        Process::Parent { pidfd, .. } => {
            drop(writer);
            let mut text = Vec::new();
            File::from(output).read_to_end(&mut text)?;
            Ok((Ended::of(pidfd)?, String::from_utf8_lossy(&text).into_owned()))
        }
    }
}

/// The headings, and the lines that have one of these pids in the column PID.
fn lines_of<'a>(text: &'a str, pids: &[i32]) -> Option<Vec<&'a str>> {
    let headings = text.lines().next()?;
    let column = headings.split_whitespace().position(|heading| heading == "PID")?;
    let is_one = |line: &&str| {
        let pid = line.split_whitespace().nth(column).and_then(|word| word.parse().ok());
        pid.is_some_and(|pid| pids.contains(&pid))
    };
    Some(std::iter::once(headings).chain(text.lines().skip(1).filter(is_one)).collect())
}

#[cfg(test)]
mod tests {
    use super::lines_of;

    #[test]
    fn lines_are_found_by_their_pid() {
        let text = "  PID TTY      CMD\n    1 ?        init 12\n   12 ?        sleep 1\n  120 ?        x\n";
        assert_eq!(lines_of(text, &[12, 99]).unwrap(), ["  PID TTY      CMD", "   12 ?        sleep 1"]);
        assert_eq!(lines_of("UID CMD\n0 x\n", &[0]), None);
        assert_eq!(lines_of("", &[]), None);
    }
}
