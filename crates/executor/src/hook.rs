//! One hook: a program that gets the container's state on standard input, and has to succeed in time. Programs of the
//! machine that map ids are run in the same way.
//!
//! ```text
//!   pipe "state"    filled before the fork ──▶ standard input, then end of file
//!   pipe "output"   ◀── standard output and error; the end of it goes into the error
//!   pipe "refused"  ◀── why the program could not be executed; execve closes it
//! ```

use crate::failure::{Error, Kind};
use plan::{Hook, HookKind, State};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};
use sys::clone::Process;

/// What a pipe holds unless it is told to hold more (pipe(7)).
const PIPE: usize = 65536;

/// How much of a hook's output is remembered: its end, where the cause of a failure stands.
const REMEMBERED: usize = 700;

/// How often the output is read after the end of the hook: more than a pipe holds. What a process that it
/// left behind goes on to write is not waited for.
const LAST_READS: usize = 64;

/// Runs a hook that is no step of a plan, in the namespaces of this process.
///
/// # Errors
/// What became of it, as words that follow its name: "failed with exit code 1".
pub fn run_hook(hook: &Hook, state: &State) -> Result<(), String> {
    attempt(hook, &json(state).map_err(|error| error.words())?, None).map_err(|error| error.words())
}

/// Runs a hook of a container whose init has this pid for who runs it. `until`: a process after whose end the
/// hook has nothing left to do.
pub(crate) fn run(hook: &Hook, state: &State, pid: Pid, until: Option<BorrowedFd>) -> Result<(), Error> {
    let state = State { pid: Some(pid.as_raw_nonzero().get()), ..state.clone() };
    attempt(hook, &json(&state)?, until).map_err(|error| match error {
        Error::Told { errno, why, hint, kind } => {
            Error::Told { errno, why: format!("{} {why}", hook.path.display()), hint, kind }
        }
        error => error,
    })
}

/// How long newuidmap(1) may take, which reads files that may come from a directory service (nss).
const MAPPER_SECONDS: u32 = 60;

/// Runs newuidmap(1) or newgidmap(1) for a process: its pid, and then three numbers for each range.
pub(crate) fn map_ids(program: &Path, pid: Pid, text: &str) -> Result<(), Error> {
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let pid = pid.as_raw_nonzero().to_string();
    let mapper = Hook {
        kind: HookKind::CreateRuntime,
        index: 0,
        path: program.to_owned(),
        args: [name, pid].into_iter().chain(text.split_whitespace().map(str::to_owned)).collect(),
        env: None,
        timeout: Some(MAPPER_SECONDS),
        directory: None,
        home: false,
        stdout: None,
        stderr: None,
    };
    attempt(&mapper, b"", None).map_err(|error| match error {
        Error::Told { errno, why, hint, .. } => {
            Error::Told { errno, why: format!("it {why}"), hint, kind: Kind::Setup }
        }
        error => error,
    })
}

fn json(state: &State) -> Result<Vec<u8>, Error> {
    Ok(serde_json::to_vec(state).map_err(std::io::Error::from)?)
}

fn attempt(hook: &Hook, input: &[u8], until: Option<BorrowedFd>) -> Result<(), Error> {
    let program = Program::of(hook)?;
    let input = filled(input)?;
    let (output, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let (stdout, stderr) = (opened(hook.stdout.as_deref())?, opened(hook.stderr.as_deref())?);
    let (refused, refusal) = pipe_with(PipeFlags::CLOEXEC)?;
    match sys::clone::clone(0, None)? {
        Process::Child => {
            let streams = [&input, stdout.as_ref().unwrap_or(&writer), stderr.as_ref().unwrap_or(&writer)];
            program.become_it(streams, &refusal)
        }
        Process::Parent { pid, pidfd } => {
            drop((input, writer, refusal, stdout, stderr));
            let mut child = Child { pid, pidfd, output, last: Vec::new() };
            let outcome = child.attend(hook.timeout, until)?;
            child.verdict(hook, outcome, &refused)
        }
    }
}

/// A file that output is appended to, made if it is not there.
fn opened(file: Option<&Path>) -> Result<Option<OwnedFd>, Error> {
    let Some(file) = file else { return Ok(None) };
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY;
    let opened = rustix::fs::open(file, flags, Mode::from_raw_mode(0o600));
    opened.map(Some).map_err(|errno| {
        let why = sys::words(&errno.into());
        Error::told(errno, format!("cannot be given {} for its output: {why}", file.display()))
    })
}

/// A pipe that has all of the text in it: nobody has to write while the hook runs, and nobody is told by
/// SIGPIPE that it does not read.
fn filled(text: &[u8]) -> Result<OwnedFd, Error> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    if text.len() > PIPE {
        fcntl_setpipe_size(&writer, text.len())?;
    }
    if rustix::io::write(&writer, text)? < text.len() {
        return Err(Error::told(Errno::NOBUFS, "the container's state is more than a pipe holds"));
    }
    rustix::fs::fcntl_setfl(&reader, OFlags::empty())?;
    Ok(reader)
}

/// What execve(2) wants, made before the fork.
struct Program {
    path: CString,
    args: Vec<CString>,
    env: Vec<CString>,
    directory: Option<CString>,
}

impl Program {
    fn of(hook: &Hook) -> Result<Self, Error> {
        let inherited =
            || std::env::vars_os().map(|(name, value)| [name.as_bytes(), value.as_bytes()].join(&b'='));
        let env: Vec<Vec<u8>> = match &hook.env {
            Some(env) => env.iter().map(|entry| entry.clone().into_bytes()).collect(),
            None => inherited().collect(),
        };
        let string = |bytes: &[u8]| CString::new(bytes).map_err(|_| Error::from(Errno::INVAL));
        let directory = hook.directory.as_ref().map(|place| string(place.as_os_str().as_bytes()));
        Ok(Self {
            path: string(hook.path.as_os_str().as_bytes())?,
            args: hook.args.iter().map(|arg| string(arg.as_bytes())).collect::<Result<_, _>>()?,
            env: env.iter().map(|entry| string(entry)).collect::<Result<_, _>>()?,
            directory: directory.transpose()?,
        })
    }

    /// The new process's whole life before it is the hook: a group of its own, default signals, and nothing
    /// open but its standard streams.
    fn become_it(&self, [input, stdout, stderr]: [&OwnedFd; 3], refusal: &OwnedFd) -> ! {
        let prepare = || -> Result<(), Error> {
            rustix::process::setpgid(None, None)?;
            sys::signal::reset()?;
            rustix::stdio::dup2_stdin(input)?;
            rustix::stdio::dup2_stdout(stdout)?;
            rustix::stdio::dup2_stderr(stderr)?;
            sys::fd::close_from_but(3, [refusal.as_fd()].into_iter())?;
            if let Some(directory) = &self.directory
                && rustix::process::chdir(directory).is_err()
            {
                // The bundle may be gone, or in a place that is not for root of a user namespace.
                rustix::process::chdir(c"/")?;
            }
            Ok(())
        };
        let error = prepare().map_or_else(
            |error| error,
            |()| {
                let error = sys::exec::exec(&self.path, &self.args, &self.env);
                crate::program::diagnose(&self.path, &error)
            },
        );
        // Nobody is left to tell where even that fails; the exit code remains.
        let _ = rustix::io::write(refusal, error.words().as_bytes());
        sys::process::exit_now(127)
    }
}

/// A hook that runs.
struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    output: OwnedFd,
    /// The end of its output.
    last: Vec<u8>,
}

/// How it came to an end.
enum Outcome {
    Ended(WaitIdStatus),
    /// It ran out of time, and was killed.
    Late,
    /// What it was for has ended, and it was killed.
    Pointless,
}

impl Child {
    /// Waits for the end, and reads the output meanwhile.
    fn attend(&mut self, timeout: Option<u32>, until: Option<BorrowedFd>) -> Result<Outcome, Error> {
        rustix::fs::fcntl_setfl(&self.output, OFlags::NONBLOCK)?;
        let deadline = timeout.map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
        let mut open = true;
        let outcome = loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let wait = left.and_then(|left| Timespec::try_from(left).ok());
            let mut fds = vec![PollFd::new(&self.pidfd, PollFlags::IN)];
            fds.extend(until.map(|until| PollFd::from_borrowed_fd(until, PollFlags::IN)));
            if open {
                fds.push(PollFd::new(&self.output, PollFlags::IN));
            }
            match poll(&mut fds, wait.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(self.kill(errno.into())),
            }
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            if ready[0] {
                break None;
            }
            if until.is_some() && ready[1] {
                break Some(Outcome::Pointless);
            }
            if open && ready[ready.len() - 1] {
                open = self.read();
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break Some(Outcome::Late);
            }
        };
        if outcome.is_some() {
            self.kill_group();
        }
        let status = self.reap()?;
        (0..LAST_READS).find(|_| !self.read());
        Ok(outcome.unwrap_or(Outcome::Ended(status)))
    }

    /// Reads what is there; whether more may come.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let Ok(length @ 1..) = rustix::io::read(&self.output, &mut buffer) else { return false };
        self.last.extend(&buffer[..length]);
        let excess = self.last.len().saturating_sub(REMEMBERED);
        self.last.drain(..excess);
        true
    }

    fn kill_group(&self) {
        // It is not reaped yet, so the group is still its own; one that has ended needs no signal.
        let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    fn kill(&mut self, error: Error) -> Error {
        self.kill_group();
        let _ = self.reap();
        error
    }

    fn reap(&self) -> Result<WaitIdStatus, Error> {
        loop {
            match rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED) {
                Ok(Some(status)) => return Ok(status),
                Ok(None) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn verdict(&self, hook: &Hook, outcome: Outcome, refused: &OwnedFd) -> Result<(), Error> {
        let (mut why, errno) = match outcome {
            Outcome::Late => {
                let seconds = hook.timeout.unwrap_or_default();
                (format!("ran past its timeout of {seconds} s and was killed"), Errno::TIMEDOUT)
            }
            Outcome::Pointless => ("was killed, as the container has ended".to_owned(), Errno::CANCELED),
            Outcome::Ended(status) => {
                let mut text = [0; 512];
                let length = rustix::io::read(refused, &mut text)?;
                let refusal = String::from_utf8_lossy(&text[..length]);
                match (status.exit_status(), status.terminating_signal()) {
                    _ if length > 0 => (format!("could not be executed: {refusal}"), Errno::NOEXEC),
                    (Some(0), _) => return Ok(()),
                    (Some(code), _) => (format!("failed with exit code {code}"), Errno::PERM),
                    (_, signal) => {
                        (format!("was ended by signal {}", signal.unwrap_or_default()), Errno::PERM)
                    }
                }
            }
        };
        let output = String::from_utf8_lossy(&self.last);
        let lines: Vec<_> = output.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        if !lines.is_empty() {
            why = format!("{why}: {}", lines.join("; "));
        }
        Err(Error::Told { errno: errno.raw_os_error(), why, hint: String::new(), kind: Kind::Hook })
    }
}
