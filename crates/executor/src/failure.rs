use plan::{Op, Plan, Side, Slot, Target, TreeSource};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;

/// A step that failed, told so that a person can do something about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was to be done, in words.
    pub what: String,
    /// The cause in words: that of the errno, or a better one.
    pub why: String,
    /// The errno; 0 where there was none.
    pub errno: i32,
    /// Where the step stands in the plan, counted from one; 0 where no step failed.
    pub step: usize,
    /// How many steps there are.
    pub steps: usize,
    /// Who asked for the step: a JSON pointer, an option or `default`.
    pub from: String,
    /// What to do about it; empty where there is nothing better to say.
    pub hint: String,
    /// What kind of failure it is, for the exit code.
    pub kind: Kind,
}

/// What kind of failure it was: the engine's exit code depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The container could not be made.
    Setup,
    /// The command was not found (127).
    NotFound,
    /// The command was found and cannot be run (126).
    NotExecutable,
    /// A hook failed: the container is to be destroyed (runtime.md, "Lifecycle").
    Hook,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)?;
        if self.step > 0 {
            write!(f, " (step {} of {}, from {})", self.step, self.steps, self.from)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// An error inside a step, before it is known which step it was.
#[derive(Debug)]
pub(crate) enum Error {
    /// A system call failed.
    Call(io::Error),
    /// A system call failed and there is more to say than its errno.
    Told { errno: i32, why: String, hint: String, kind: Kind },
    /// The other side reported.
    Peer(Box<Failure>),
}

impl Error {
    pub(crate) fn told(errno: rustix::io::Errno, why: impl Into<String>) -> Self {
        let (why, hint) = (why.into(), String::new());
        Self::Told { errno: errno.raw_os_error(), why, hint, kind: Kind::Setup }
    }

    pub(crate) fn is(&self, errno: i32) -> bool {
        match self {
            Self::Call(error) => error.raw_os_error() == Some(errno),
            Self::Told { errno: own, .. } => *own == errno,
            Self::Peer(_) => false,
        }
    }

    /// The errno, if one is known.
    pub(crate) fn errno(&self) -> rustix::io::Errno {
        let number = match self {
            Self::Call(error) => error.raw_os_error(),
            Self::Told { errno, .. } => Some(*errno),
            Self::Peer(_) => None,
        };
        rustix::io::Errno::from_raw_os_error(number.filter(|number| *number > 0).unwrap_or(libc::EIO))
    }

    /// The cause in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Call(error) => sys::words(error),
            Self::Told { why, .. } => why.clone(),
            Self::Peer(failure) => failure.to_string(),
        }
    }

    pub(crate) fn into_failure(self, plan: &Plan, side: Side, index: usize) -> Failure {
        let step = &plan.script(side)[index];
        let failure = |why, errno, hint, kind| Failure {
            what: what(plan, &step.op),
            why,
            errno,
            step: plan.number(side, index),
            steps: plan.steps(),
            from: step.cause.from.to_string(),
            hint,
            kind,
        };
        match self {
            Self::Peer(failure) => *failure,
            Self::Call(error) => {
                let errno = error.raw_os_error().unwrap_or(0);
                failure(sys::words(&error), errno, crate::hint::hint(&step.op, errno), Kind::Setup)
            }
            Self::Told { errno, why, hint, kind } => {
                let hint = if hint.is_empty() { crate::hint::hint(&step.op, errno) } else { hint };
                failure(why, errno, hint, kind)
            }
        }
    }
}

/// What was to be done, in words. A hook that failed is announced as runc does it. A mount is called by what it is of, or
/// by the place that it will have: its slot tells a user nothing.
fn what(plan: &Plan, op: &Op) -> String {
    let (slot, name) = match op {
        Op::RunHook { hook, .. } => return format!("error running {hook}"),
        Op::Attach { slot, .. } => (slot, source(plan, *slot)),
        Op::SetIdMap { slot, .. }
        | Op::SetAttr { slot, .. }
        | Op::CopyMode { slot, .. }
        | Op::CopyUp { slot, .. }
        | Op::SetLabel { slot, .. } => (slot, place(plan, *slot)),
        _ => return op.to_string(),
    };
    let text = op.to_string();
    name.map(|name| text.replacen(&slot.to_string(), &name, 1)).unwrap_or(text)
}

/// What a mount is of: a path of the machine, or a kind of file system.
fn source(plan: &Plan, wanted: Slot) -> Option<String> {
    plan.host.0.iter().chain(&plan.init.0).find_map(|step| match &step.op {
        Op::CloneTree { source: TreeSource::Path(path), slot, .. } if *slot == wanted => {
            Some(path.display().to_string())
        }
        Op::CloneTree { source: TreeSource::Inside(path), slot, .. } if *slot == wanted => {
            Some(format!("{} of the container", path.display()))
        }
        Op::CloneTree { source: TreeSource::Slot(from), slot, .. } if *slot == wanted => source(plan, *from),
        Op::NewMount { fstype, slot, .. } if *slot == wanted => Some(fstype.clone()),
        _ => None,
    })
}

/// Where a mount will be.
fn place(plan: &Plan, wanted: Slot) -> Option<String> {
    plan.init.0.iter().find_map(|step| match &step.op {
        Op::Attach { slot, target: Target::Inside { path, .. } } if *slot == wanted => {
            Some(format!("the mount on {}", path.display()))
        }
        _ => None,
    })
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Call(error)
    }
}

impl From<rustix::io::Errno> for Error {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Call(errno.into())
    }
}
