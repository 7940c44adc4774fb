//! The socket over which a process travels, as a pidfd.

use crate::{Error, console};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

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
        let socket = console::dial(path).map_err(Error::file("cannot connect to pidfd socket", path))?;
        Ok(Self { path: path.to_owned(), socket })
    }

    /// Sends a process.
    ///
    /// # Errors
    /// Nobody listens any more.
    pub fn send(self, pidfd: &OwnedFd) -> Result<(), Error> {
        let send = || -> io::Result<()> {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            let descriptors = [pidfd.as_fd()];
            if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
                return Err(io::Error::other("no room for a descriptor"));
            }
            // A stream carries descriptors with at least one byte (unix(7)).
            let name = [IoSlice::new(b"pidfd")];
            rustix::net::sendmsg(&self.socket, &name, &mut ancillary, SendFlags::NOSIGNAL)?;
            Ok(())
        };
        send().map_err(Error::file("cannot send the process to", &self.path))
    }
}
