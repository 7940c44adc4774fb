//! The socket over which a process travels, as a pidfd.

use crate::Error;
use rustix::fd::OwnedFd;
use std::path::{Path, PathBuf};
use sys::socket;

/// Somebody who wants to have the process itself, in place of a pid that may pass to another.
#[derive(Debug)]
pub struct PidfdSocket {
    path: PathBuf,
    socket: OwnedFd,
}

impl PidfdSocket {
    /// Connects to who listens; before there is a process, so that it is not started in vain.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(path: &Path) -> Result<Self, Error> {
        let socket = socket::connect(path, None)
            .map_err(|errno| Error::file("cannot connect to pidfd socket", path)(errno.into()))?;
        Ok(Self { path: path.to_owned(), socket })
    }

    /// Sends a process that is a child of this one, and ends it where that fails.
    ///
    /// # Errors
    /// As for [`PidfdSocket::send`].
    pub fn send_or_end(self, pidfd: &OwnedFd) -> Result<(), Error> {
        self.send(pidfd).inspect_err(|_| {
            // One that has ended already is what is wanted.
            let _ = sys::signal::send(pidfd, 9);
            let _ = crate::Ended::of(pidfd);
        })
    }

    /// Sends a process.
    ///
    /// # Errors
    /// Nobody listens any more.
    pub fn send(self, pidfd: &OwnedFd) -> Result<(), Error> {
        let sent = socket::send_descriptor(&self.socket, b"pidfd", pidfd);
        sent.map(drop).map_err(|errno| Error::file("cannot send the process to", &self.path)(errno.into()))
    }
}
