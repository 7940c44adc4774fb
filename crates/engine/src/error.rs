//! Why a container could not be prepared or run.

use crate::options::OptionError;
use crate::root::RootError;
use crate::user::UserError;
use spec::ContainerId;
use std::io;

/// A failure of the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option that is refused.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// ROOT is no root file system.
    #[error(transparent)]
    Root(#[from] RootError),
    /// There is no such user in it.
    #[error(transparent)]
    User(#[from] UserError),
    /// The archive cannot be used. The message has its hints below its first line.
    #[error(transparent)]
    Archive(#[from] image::Error),
    /// The machine does not tell what it is.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// Nor does systemd.
    #[error(transparent)]
    Facts(#[from] runtime::Error),
    /// The configuration cannot become a plan.
    #[error("{0}")]
    Plan(planner::Error),
    /// The container was prepared, and did not start.
    #[error("cannot start {name}: {cause}")]
    Start {
        /// Its name.
        name: ContainerId,
        /// The step that failed, and why.
        cause: String,
        /// What to do about it, one line each.
        hints: Vec<String>,
        /// 126 when the command cannot be run, 127 when it is not found, else 125.
        code: u8,
    },
    /// A system call failed.
    #[error("cannot {doing}: {}", crate::words(source))]
    System {
        /// What was tried, and with what.
        doing: String,
        /// The error of the kernel.
        source: io::Error,
    },
}

impl Error {
    /// What to do about it, one line each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Option(error) => vec![error.hint.clone()],
            Self::Start { hints, .. } => hints.clone(),
            Self::Root(error) => error.hints(),
            Self::User(error) => error.hints(),
            Self::Plan(error) => {
                vec![error.hint.clone()].into_iter().filter(|hint| !hint.is_empty()).collect()
            }
            Self::Host(error) => {
                Some(error.hint().to_owned()).into_iter().filter(|hint| !hint.is_empty()).collect()
            }
            Self::Facts(error) => Some(error.hint()).into_iter().filter(|hint| !hint.is_empty()).collect(),
            Self::Archive(_) | Self::System { .. } => Vec::new(),
        }
    }

    /// The exit code of `cuddy run`.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Start { code, .. } => *code,
            _ => 125,
        }
    }
}

/// An error of the kernel, and what was tried.
pub(crate) fn system<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> Error {
    let doing = doing.into();
    move |source| Error::System { doing, source: source.into() }
}
