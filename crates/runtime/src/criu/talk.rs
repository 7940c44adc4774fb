//! The conversation with `criu swrk`.
//!
//! ```text
//!   runtime                                  criu
//!      │ ── request(Dump | Restore) ─────────▶ │
//!      │ ◀──── notice("setup-namespaces") ──── │   at points on the way; with a descriptor where one is
//!      │ ── noticed(well) ───────────────────▶ │   handed over
//!      │ ◀──── response(Dump | Restore) ────── │
//!      │ ── end of file ─────────────────────▶ │   and criu ends
//! ```

use super::message::{self, Kind, Notice, Options, Response};
use super::protobuf::Message;
use crate::{Ended, Error};
use executor::{Launched, Slots};
use plan::{Plan, Slot};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketFlags, SocketType,
};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;

/// More than any message of criu, which has a name, two numbers and one line of its log.
const LONGEST: usize = 16 * 1024;

/// A criu that waits to be told what to do.
#[derive(Debug)]
pub(crate) struct Criu {
    socket: OwnedFd,
    pidfd: OwnedFd,
    /// Its pid, which is in the container's groups when it restores.
    pub pid: rustix::process::Pid,
}

/// What a notice brought along, besides its name.
pub(crate) type Handed = Option<OwnedFd>;

impl Criu {
    /// Starts criu as a plan says.
    ///
    /// # Errors
    /// The step that failed: that there is no criu, most likely.
    pub fn start(plan: &Plan) -> Result<Self, Error> {
        let pair =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (socket, theirs) = pair.map_err(|errno| Error::Criu(super::Failure::talk(&errno.into())))?;
        let mut slots = Slots::default();
        slots.fill(Slot::Criu, theirs);
        let launched = executor::launch(plan, slots, &mut |_, _| Ok(()))?;
        let (pid, pidfd) = Launched::wait_for_program(launched)?;
        Ok(Self { socket, pidfd, pid })
    }

    /// Asks for one thing, and does at every notice on the way what `notice` does. Where that fails criu is told,
    /// takes back what it did, and the error is what went wrong.
    ///
    /// # Errors
    /// What went wrong, without what criu has logged about it.
    pub fn ask(
        &self,
        kind: Kind,
        options: &Options,
        notice: &mut dyn FnMut(&Notice, Handed) -> Result<(), Error>,
    ) -> Result<Response, Error> {
        let told = |error: io::Error| Error::Criu(super::Failure::talk(&error));
        self.send(&message::request(kind, options)).map_err(told)?;
        let mut failed = None;
        loop {
            let (response, handed) = self.receive().map_err(told)?;
            if let Some(reached) = &response.notice {
                let done = notice(reached, handed);
                self.send(&message::noticed(done.is_ok())).map_err(told)?;
                failed = failed.or(done.err());
            } else if let Some(error) = failed {
                return Err(error);
            } else if response.success && response.is(kind) {
                return Ok(response);
            } else {
                return Err(Error::Criu(super::Failure::answered(&response)));
            }
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// waitid(2) fails.
    pub fn end(self) -> io::Result<Ended> {
        drop(self.socket);
        Ended::of(self.pidfd)
    }

    fn send(&self, message: &Message) -> io::Result<()> {
        rustix::net::send(&self.socket, message.as_bytes(), SendFlags::NOSIGNAL)?;
        Ok(())
    }

    fn receive(&self) -> io::Result<(Response, Handed)> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut bytes = vec![0; LONGEST];
        let length = loop {
            let parts = &mut [IoSliceMut::new(&mut bytes)];
            match rustix::net::recvmsg(&self.socket, parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                Ok(message) => break message.bytes,
                // What criu said before it went comes next.
                Err(Errno::INTR | Errno::CONNRESET) => {}
                Err(errno) => return Err(errno.into()),
            }
        };
        if length == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "criu ended in the middle of it"));
        }
        let handed = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        let response = Response::read(&bytes[..length]);
        response
            .map(|response| (response, handed))
            .ok_or_else(|| io::Error::other("criu said what is no message"))
    }
}
