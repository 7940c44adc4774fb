//! Commands with a time limit.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::de::DeserializeOwned;

/// Long for anything that a test starts, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// What came of a command.
#[derive(Debug)]
pub struct Done {
    /// The command, as it is written in Rust.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
}

impl Done {
    /// The exit code as a shell gives it: 128 and the number for a signal.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(0))
    }

    /// Itself, if the command succeeded.
    ///
    /// # Panics
    /// If not, with all that it said.
    #[track_caller]
    pub fn ok(self) -> Done {
        assert!(self.status.success(), "{self:#?}");
        self
    }

    /// The standard output as JSON: a [`probe::Report`], a [`probe::Verdict`], any value.
    ///
    /// # Panics
    /// If it is not that.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Runs a command to its end and captures its output.
///
/// Standard input is what the command was given, by [`input`] for example, and otherwise the test's own; the outputs go to
/// files and not to pipes, so that a container that lives on with them open does not keep the test waiting.
///
/// # Panics
/// If it takes longer than a minute, or cannot be started.
#[track_caller]
pub fn run(command: &mut Command) -> Done {
    run_within(LIMIT, command)
}

/// Runs a command like [`run`], with this time limit.
#[track_caller]
pub fn run_within(limit: Duration, command: &mut Command) -> Done {
    let (stdout, stderr) = (temporary(), temporary());
    command.stdout(clone(&stdout)).stderr(clone(&stderr));
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let in_time = ends_within(limit, &child);
    if !in_time {
        child.kill().expect("a child of ours can be killed");
    }
    let status = child.wait().expect("a child of ours can be waited for");
    let done = Done { command: format!("{command:?}"), status, stdout: text(&stdout), stderr: text(&stderr) };
    assert!(in_time, "still running after {limit:?}: {done:#?}");
    done
}

/// A standard input that has this text.
pub fn input(text: &str) -> Stdio {
    let mut file = temporary();
    file.write_all(text.as_bytes()).and_then(|()| file.rewind()).expect("a temporary file can be written");
    file.into()
}

/// Waits for the end of a child without reaping it.
pub fn ends_within(limit: Duration, child: &Child) -> bool {
    let pid = Pid::from_child(child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).expect("a child that is not reaped has a pidfd");
    let limit = Timespec::try_from(limit).expect("a limit of some seconds");
    loop {
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit)) {
            Ok(ended) => return ended > 0,
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => panic!("poll: {error}"),
        }
    }
}

fn temporary() -> File {
    tempfile::tempfile().expect("a temporary file")
}

fn clone(file: &File) -> File {
    file.try_clone().expect("a second descriptor")
}

/// All of a file, read without moving the position that it shares with a program that may still write.
fn text(file: &File) -> String {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, 0).expect("a temporary file can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}
