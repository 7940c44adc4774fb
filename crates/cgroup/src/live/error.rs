use rustix::io::Errno;
use std::path::PathBuf;
use std::time::Duration;

/// Something that could not be done to a group.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A directory could not be opened or listed.
    #[error("cannot open cgroup {path}: {source}", path = .path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: Errno,
    },
    /// A directory that is no container's group.
    #[error("{path} {problem}", path = .path.display())]
    NotAGroup {
        /// The directory.
        path: PathBuf,
        /// What it is.
        problem: &'static str,
    },
    /// A file could not be read.
    #[error("cannot read {file}: {source}", file = .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the kernel said.
        source: Errno,
    },
    /// A setting was refused.
    #[error("cannot write {value:?} to {file}: {source}", file = .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What was written.
        value: String,
        /// What the kernel said.
        source: Errno,
    },
    /// A file is not in its documented form.
    #[error("cannot make sense of {file}: {text:?}", file = .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What it holds.
        text: String,
    },
    /// A process could not be signalled or watched.
    #[error("cannot {call} process {pid} of cgroup {path}: {source}", path = .path.display())]
    Process {
        /// The call.
        call: &'static str,
        /// The process.
        pid: i32,
        /// Its group.
        path: PathBuf,
        /// What the kernel said.
        source: Errno,
    },
    /// A directory could not be removed.
    #[error("cannot remove cgroup {path}: {source}{}", still(.pids), path = .path.display())]
    Remove {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: Errno,
        /// Processes that are still in it.
        pids: Vec<i32>,
    },
    /// The kernel took longer than is waited for.
    #[error("cgroup {path} is not {state} after {after:?}{}", still(.pids), path = .path.display())]
    Timeout {
        /// The directory.
        path: PathBuf,
        /// The state that was waited for.
        state: &'static str,
        /// How long.
        after: Duration,
        /// Processes in the group.
        pids: Vec<i32>,
    },
    /// A new value of a setting was refused.
    #[error("{pointer}: cannot write {value:?} to {file}: {source}{}", in_brackets(advice), file = .file.display())]
    Refused {
        /// Where the setting stands, as in `config.json`.
        pointer: String,
        /// The kernel's file.
        file: PathBuf,
        /// What was written.
        value: String,
        /// What the kernel said.
        source: Errno,
        /// What to do about it; may be empty.
        advice: &'static str,
    },
    /// A change was refused half-way, and what was made of it could not be taken back.
    #[error("{error}; what was changed before that could not be changed back: {back}")]
    Halfway {
        /// What was refused.
        error: Box<Self>,
        /// What could not be changed back.
        back: Box<Self>,
    },
    /// The new limit is below what is in use, and the config asks for that to be refused.
    #[error(
        "{pointer}: {limit} is less than the {usage} bytes in use ({file}), and memory.checkBeforeUpdate is set",
        file = .file.display()
    )]
    BelowUsage {
        /// Where the limit stands, as in `config.json`.
        pointer: &'static str,
        /// The new limit in bytes.
        limit: i64,
        /// What is in use, in bytes.
        usage: u64,
        /// The kernel's file that says so.
        file: PathBuf,
    },
    /// A group goes on when the one above does.
    #[error(
        "{path} stays frozen: a group above it is frozen; thaw {above} first",
        path = .path.display(), above = .above.display()
    )]
    FrozenAbove {
        /// The group's directory.
        path: PathBuf,
        /// The frozen one above.
        above: PathBuf,
    },
    /// No hierarchy of the group can do this.
    #[error("cannot {what}: no directory of the group has {needs}")]
    Unsupported {
        /// What was asked.
        what: &'static str,
        /// The files that could.
        needs: &'static str,
    },
    /// The limits themselves are wrong.
    #[error(transparent)]
    Limits(#[from] crate::Error),
}

fn still(pids: &[i32]) -> String {
    match pids {
        [] => String::new(),
        [pid] => format!("; process {pid} is still in it"),
        [first, ..] => format!("; {} processes are still in it, {first} among them", pids.len()),
    }
}

fn in_brackets(advice: &str) -> String {
    if advice.is_empty() { String::new() } else { format!(" ({advice})") }
}
