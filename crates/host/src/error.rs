use rustix::io::Errno;
use std::path::PathBuf;

/// A fact that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: Errno,
    },
    /// A file or an answer of the kernel is not in its documented form.
    #[error("cannot make sense of {what}: {text:?}")]
    Malformed {
        /// File or system call.
        what: &'static str,
        /// The part that was not understood.
        text: String,
    },
    /// A system call failed.
    #[error("{call} failed: {source}")]
    Call {
        /// Name of the call.
        call: &'static str,
        /// What the kernel said.
        source: Errno,
    },
    /// systemd could not be asked.
    #[error(transparent)]
    Systemd(#[from] systemd::Error),
}

impl Error {
    /// What to do about it; empty where there is nothing better to say.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Systemd(error) => error.hint(),
            _ => "",
        }
    }
}
