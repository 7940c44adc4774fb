//! What the two processes say to each other.
//!
//! ```text
//!   host                                init
//!     │ ── Meet(IdMapsWritten) ────────▶ │
//!     │ ── Meet(NetworkMade) ──────────▶ │
//!     │ ── Meet(CgroupsReady) ─────────▶ │
//!     │ ◀──────────── Meet(MountsMade)   │      (with hooks of the runtime's namespaces)
//!     │ ── Meet(HooksDone) ────────────▶ │
//!     │ ◀───────────── Listener(number)  │      (a filter that asks somebody)
//!     │ ── Meet(ListenerTaken) ────────▶ │
//!     │ ◀──────────────── Meet(Created)  │      (create; with such a filter after it, else before)
//!     │ ── Meet(Start) ────────────────▶ │      (run; for create it comes over the start socket)
//!     │ ◀─────────────────── Programming │      only the filter and the program remain
//!     │ ◀──────── end of file            │      execve closed it: the program runs
//!     │ ◀─────────────── Failed(failure) │      at any time, before init dies
//! ```
//!
//! With such a filter what init says from then on goes by write(2) and what it hears by read(2): the fewer
//! calls, the fewer a profile has to let through.
//!
//! A sequenced-packet socket, so that each message is whole, and its end tells that the other side is gone.

use crate::failure::{Error, Failure, Kind};
use plan::Rendezvous;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};
use std::io;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A rendezvous of the plan.
    Meet(Rendezvous),
    /// init has nothing left to do but to become the program.
    Programming,
    /// The number that the listener of init's filter has there.
    Listener(i32),
    /// init failed and is about to die.
    Failed(Failure),
}

const PROGRAMMING: u8 = b'P';
const FAILED: u8 = b'F';
const LISTENER: u8 = b'L';
const MEETINGS: [(u8, Rendezvous); 8] = [
    (b'i', Rendezvous::IdMapsWritten),
    (b'n', Rendezvous::NetworkMade),
    (b'c', Rendezvous::CgroupsReady),
    (b'm', Rendezvous::MountsMade),
    (b'h', Rendezvous::HooksDone),
    (b'r', Rendezvous::Created),
    (b's', Rendezvous::Start),
    (b't', Rendezvous::ListenerTaken),
];

/// The longest message; a failure that is longer is cut in its words.
const LONGEST: usize = 16 * 1024;

/// One end of a connection between the host's side and init.
#[derive(Debug)]
pub struct Wire(OwnedFd);

impl Wire {
    /// Both ends of a new one.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (one, other) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(one), Self(other)))
    }

    /// Takes a connected sequenced-packet socket, like that of a created container's start socket.
    #[must_use]
    pub fn over(socket: OwnedFd) -> Self {
        Self(socket)
    }

    /// Its descriptor.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Makes room for descriptors that have to be at small numbers.
    pub(crate) fn move_above(&mut self, number: i32) -> io::Result<()> {
        self.0 = rustix::io::fcntl_dupfd_cloexec(&self.0, number)?;
        Ok(())
    }

    /// Sends one message.
    ///
    /// # Errors
    /// `EPIPE` when the other side is gone.
    pub fn send(&self, message: &Message) -> io::Result<()> {
        rustix::net::send(&self.0, &encode(message)?, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Sends one message by write(2). When the other side is gone, SIGPIPE ends this process.
    pub(crate) fn write(&self, message: &Message) -> io::Result<()> {
        rustix::io::write(&self.0, &encode(message)?)?;
        Ok(())
    }

    /// The next message; `None`: the other side is gone.
    ///
    /// # Errors
    /// The errno of read(2), or a message that is none of ours.
    pub fn receive(&self) -> io::Result<Option<Message>> {
        let mut buffer = [0; LONGEST];
        let length = loop {
            match rustix::io::read(&self.0, &mut buffer[..]) {
                Ok(length) => break length,
                // The other side is gone and had not read all; what it said before comes next.
                Err(Errno::INTR | Errno::CONNRESET) => {}
                Err(errno) => return Err(errno.into()),
            }
        };
        let Some((first, rest)) = buffer[..length].split_first() else { return Ok(None) };
        if *first == PROGRAMMING {
            return Ok(Some(Message::Programming));
        }
        if *first == LISTENER {
            let number = rest.try_into().map_err(|_| io::Error::other("a listener without a number"))?;
            return Ok(Some(Message::Listener(i32::from_ne_bytes(number))));
        }
        if *first == FAILED {
            return Ok(Some(Message::Failed(serde_json::from_slice(rest)?)));
        }
        let meeting = MEETINGS.iter().find(|(byte, _)| byte == first);
        let (_, rendezvous) = meeting.ok_or_else(|| io::Error::other("a message that is none of ours"))?;
        Ok(Some(Message::Meet(*rendezvous)))
    }

    /// Waits for the number of the listener that init offers.
    pub(crate) fn listener(&self) -> Result<i32, Error> {
        match self.receive()? {
            Some(Message::Listener(number)) => Ok(number),
            other => Err(unexpected(other)),
        }
    }

    /// Waits for a rendezvous.
    pub(crate) fn meet(&self, rendezvous: Rendezvous) -> Result<(), Error> {
        match self.receive()? {
            Some(Message::Meet(met)) if met == rendezvous => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    /// Waits until the other side has become the program.
    ///
    /// # Errors
    /// What it reported, or that it died without a word.
    pub fn wait_for_program(&self) -> Result<(), Failure> {
        let mut programming = false;
        loop {
            match self.receive() {
                Ok(Some(Message::Programming)) => programming = true,
                Ok(Some(Message::Failed(failure))) => return Err(failure),
                Ok(None) if programming => return Ok(()),
                Ok(None) => return Err(Failure::died()),
                Ok(Some(Message::Meet(_) | Message::Listener(_))) => {}
                Err(error) => return Err(Failure { why: error.to_string(), ..Failure::died() }),
            }
        }
    }
}

/// What came in place of what was waited for.
fn unexpected(message: Option<Message>) -> Error {
    match message {
        Some(Message::Failed(failure)) => Error::Peer(Box::new(failure)),
        None => Error::told(Errno::PIPE, "the other process has died"),
        Some(other) => Error::told(Errno::PROTO, format!("{other:?} came instead")),
    }
}

/// A message as it travels.
fn encode(message: &Message) -> io::Result<Vec<u8>> {
    Ok(match message {
        Message::Meet(rendezvous) => {
            MEETINGS.iter().filter(|(_, known)| known == rendezvous).map(|(byte, _)| *byte).collect()
        }
        Message::Programming => vec![PROGRAMMING],
        Message::Listener(number) => [&[LISTENER][..], &number.to_ne_bytes()].concat(),
        Message::Failed(failure) => {
            let mut bytes = vec![FAILED];
            let mut failure = failure.clone();
            for text in [&mut failure.what, &mut failure.why, &mut failure.hint] {
                *text = text.chars().take(1024).collect();
            }
            bytes.extend(serde_json::to_vec(&failure)?);
            bytes
        }
    })
}

impl Failure {
    /// init ended without saying why: it was killed.
    pub(crate) fn died() -> Self {
        Self {
            what: "start the program".to_owned(),
            why: "the init process was killed before it was ready".to_owned(),
            errno: 0,
            step: 0,
            steps: 0,
            from: String::new(),
            hint: "a memory limit below what a start takes does this; the kernel's log says more".to_owned(),
            kind: Kind::Setup,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_arrives_as_it_was_sent() {
        let (host, init) = Wire::pair().unwrap();
        let messages = MEETINGS.map(|(_, rendezvous)| Message::Meet(rendezvous)).into_iter().chain([
            Message::Programming,
            Message::Listener(7),
            Message::Failed(Failure::died()),
        ]);
        for message in messages {
            init.send(&message).unwrap();
            assert_eq!(host.receive().unwrap(), Some(message));
        }
        drop(init);
        assert_eq!(host.receive().unwrap(), None);
    }

    #[test]
    fn last_words_arrive_though_ours_were_not_heard() {
        let (host, init) = Wire::pair().unwrap();
        host.send(&Message::Meet(Rendezvous::Start)).unwrap();
        init.send(&Message::Failed(Failure::died())).unwrap();
        drop(init);
        assert_eq!(host.receive().unwrap(), Some(Message::Failed(Failure::died())));
        assert_eq!(host.receive().unwrap(), None);
    }

    #[test]
    fn a_death_is_told_apart_from_a_start() {
        for (messages, started) in [(vec![Message::Programming], true), (vec![], false)] {
            let (host, init) = Wire::pair().unwrap();
            messages.iter().for_each(|message| init.send(message).unwrap());
            drop(init);
            assert_eq!(host.wait_for_program().is_ok(), started);
        }
    }
}
