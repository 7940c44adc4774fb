//! Bytes between two terminals, until the container ends.
//!
//! One thread, one poll(2). Each direction has a buffer of its own, so that a user who does not read
//! (a pager, a slow line) does not keep what is typed from the container.

use super::RawMode;
use crate::supervise::{Signals, forward, supervise};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::Signal;
use rustix::{stdio, termios};
use std::io;

/// The user's side.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// What is typed; `None` without `-i`.
    pub input: Option<BorrowedFd<'a>>,
    /// Where output goes.
    pub output: BorrowedFd<'a>,
}

/// Relays between the terminal whose `master` this is and standard input and output, until the process
/// of `pidfd` has ended and its last output is shown. Standard input is left alone unless `interactive`.
///
/// # Errors
/// poll(2) fails, or the master cannot be used. Not an error: that the user's terminal goes away. That of the
/// container goes away then, too: the kernel tells its programs with SIGHUP, and a shell, which as process 1 is
/// not ended by that, finds the end of its input.
pub fn relay(signals: &Signals, master: OwnedFd, pidfd: BorrowedFd<'_>, interactive: bool) -> io::Result<()> {
    let ends = Ends { input: interactive.then(stdio::stdin), output: stdio::stdout() };
    relay_between(signals, ends, master, pidfd)
}

/// [`relay`] between other descriptors.
///
/// # Errors
/// As [`relay`].
pub fn relay_between(
    signals: &Signals,
    ends: Ends<'_>,
    master: OwnedFd,
    pidfd: BorrowedFd<'_>,
) -> io::Result<()> {
    // The master is ours alone, unlike the user's descriptors: those stay blocking and are only touched
    // when poll says that they are ready.
    let flags = rustix::fs::fcntl_getfl(&master)?;
    rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
    let mut relay = Relay {
        signals,
        pidfd,
        master: master.as_fd(),
        input: ends.input,
        output: Some(ends.output),
        terminal: ends.input.into_iter().chain([ends.output]).find(|fd| termios::isatty(fd)),
        raw: None,
        typed: Buffer::new(),
        shown: Buffer::new(),
        hung_up: false,
        abandoned: false,
        ended: false,
        reads_left: LAST_WORDS,
    };
    relay.take_terminal()?;
    relay.resize();
    while !relay.turn()? {}
    if !relay.abandoned {
        return Ok(());
    }
    drop(relay);
    drop(master);
    supervise(signals, pidfd)
}

/// How long a master is left alone, in nanoseconds, that nobody in the container has open. Some
/// process may open it again, which poll(2) does not tell.
const HUNG_UP_PAUSE: i64 = 100_000_000;

/// How often the master is read after the end: more than the kernel holds for a terminal.
const LAST_WORDS: u32 = 1024;

struct Relay<'a> {
    signals: &'a Signals,
    pidfd: BorrowedFd<'a>,
    master: BorrowedFd<'a>,
    /// `None` once it is at its end.
    input: Option<BorrowedFd<'a>>,
    /// `None` once nobody reads it: what comes is dropped then, so that the container does not stand still.
    output: Option<BorrowedFd<'a>>,
    /// The user's terminal, for its mode and size.
    terminal: Option<BorrowedFd<'a>>,
    raw: Option<RawMode>,
    /// On its way into the container.
    typed: Buffer,
    /// On its way to the user.
    shown: Buffer,
    /// Nobody in the container has the terminal open.
    hung_up: bool,
    /// The user's terminal is gone.
    abandoned: bool,
    /// The container has ended: only what it wrote before is left to be shown.
    ended: bool,
    /// How many more reads there are after that.
    reads_left: u32,
}

impl<'a> Relay<'a> {
    /// Raw mode, if there is somebody who types. Without `-i` the user's terminal keeps its own Ctrl-C.
    fn take_terminal(&mut self) -> io::Result<()> {
        if let Some(input) = self.input.filter(|input| termios::isatty(input)) {
            self.raw = Some(RawMode::enter(input)?);
        }
        Ok(())
    }

    /// Gives the container's terminal the size of the user's. The kernel sends SIGWINCH inside.
    fn resize(&self) {
        if let Some(size) = self.terminal.and_then(|terminal| termios::tcgetwinsize(terminal).ok()) {
            // A container that ends at this moment has no size.
            let _ = termios::tcsetwinsize(self.master, size);
        }
    }

    /// Waits for something to happen and does what can be done; `true` when all is over.
    fn turn(&mut self) -> io::Result<bool> {
        let asked = self.ask();
        let mut fds: Vec<PollFd<'_>> =
            asked.iter().map(|(_, fd, events)| PollFd::from_borrowed_fd(*fd, *events)).collect();
        let pause = Timespec { tv_sec: 0, tv_nsec: HUNG_UP_PAUSE };
        match poll(&mut fds, self.hung_up.then_some(&pause)) {
            Ok(0) => self.hung_up = false,
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ready: Vec<Source> = asked
            .iter()
            .zip(&fds)
            .filter(|(_, fd)| !fd.revents().is_empty())
            .map(|((source, ..), _)| *source)
            .collect();
        for source in ready {
            match source {
                Source::Signals => self.answer_signals()?,
                Source::Container => (self.ended, self.hung_up) = (true, false),
                Source::Input => self.read_input(),
                Source::Output => self.write_output(),
                Source::Master => self.use_master()?,
            }
        }
        Ok(self.abandoned || (self.ended && self.is_drained()?))
    }

    /// What there is to wait for. poll(2) reports a hangup also where no event is asked for, so a
    /// descriptor with nothing to ask is left out.
    fn ask(&self) -> Vec<(Source, BorrowedFd<'a>, PollFlags)> {
        let mut asked = vec![(Source::Signals, self.signals.as_fd(), PollFlags::IN)];
        if !self.ended {
            asked.push((Source::Container, self.pidfd, PollFlags::IN));
            asked.extend(
                self.input.filter(|_| self.typed.is_empty()).map(|fd| (Source::Input, fd, PollFlags::IN)),
            );
        }
        asked.extend(
            self.output.filter(|_| !self.shown.is_empty()).map(|fd| (Source::Output, fd, PollFlags::OUT)),
        );
        let mut events = PollFlags::empty();
        events.set(PollFlags::IN, self.shown.is_empty());
        events.set(PollFlags::OUT, !self.typed.is_empty());
        if !self.hung_up && !self.ended && !events.is_empty() {
            asked.push((Source::Master, self.master, events));
        }
        asked
    }

    fn answer_signals(&mut self) -> io::Result<()> {
        while let Some(signal) = self.signals.next()? {
            match Signal::from_named_raw(signal) {
                Some(Signal::WINCH) => self.resize(),
                Some(Signal::TSTP) => self.suspend()?,
                // The shell may have had the terminal in between.
                Some(Signal::CONT) => self.take_terminal_again()?,
                // There is nobody left to be told, and the user wants to go.
                _ if self.ended => self.output = None,
                _ => forward(self.pidfd, signal)?,
            }
        }
        self.look_for_user();
        Ok(())
    }

    /// Finds out whether the user's terminal has hung up. The end of the input alone does not say so: that may be
    /// a file.
    fn look_for_user(&mut self) {
        let Some(terminal) = self.terminal else { return };
        let mut fds = [PollFd::from_borrowed_fd(terminal, PollFlags::empty())];
        let asked = poll(&mut fds, Some(&Timespec::default()));
        self.abandoned = asked.is_ok() && fds[0].revents().contains(PollFlags::HUP);
    }

    /// Stops cuddy with the terminal as it was; the container goes on.
    fn suspend(&mut self) -> io::Result<()> {
        self.raw = None;
        rustix::process::kill_process(rustix::process::getpid(), Signal::STOP)?;
        self.take_terminal_again()
    }

    fn take_terminal_again(&mut self) -> io::Result<()> {
        self.raw = None;
        self.take_terminal()?;
        self.resize();
        Ok(())
    }

    fn read_input(&mut self) {
        let Some(input) = self.input else { return };
        match self.typed.fill(input) {
            Ok(1..) | Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(0) | Err(_) => {
                self.input = None;
                self.look_for_user();
            }
        }
    }

    fn write_output(&mut self) {
        let Some(output) = self.output else { return };
        match self.shown.drain(output) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => {
                self.output = None;
                self.shown.clear();
                self.look_for_user();
            }
        }
    }

    fn use_master(&mut self) -> io::Result<()> {
        if !self.typed.is_empty() {
            match self.typed.drain(self.master) {
                Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::IO) => self.typed.clear(),
                Err(errno) => return Err(errno.into()),
            }
        }
        if self.shown.is_empty() {
            self.hung_up = !self.read_master()?;
        }
        Ok(())
    }

    /// Reads what the container wrote; `false`: nobody has its terminal open any more (EIO).
    fn read_master(&mut self) -> io::Result<bool> {
        let read = self.shown.fill(self.master);
        if self.output.is_none() {
            self.shown.clear();
        }
        match read {
            Ok(0) | Err(Errno::IO) => Ok(false),
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(true),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Whether all that the container wrote before it ended was shown. A process outside of it that still
    /// has its terminal could write for ever, so it is asked no more than [`LAST_WORDS`] times.
    fn is_drained(&mut self) -> io::Result<bool> {
        if self.output.is_none() || self.reads_left == 0 {
            return Ok(self.output.is_none() || self.shown.is_empty());
        }
        if self.shown.is_empty() {
            self.reads_left -= 1;
            self.read_master()?;
        }
        Ok(self.shown.is_empty())
    }
}

/// What a turn can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Signals,
    Container,
    Input,
    Output,
    Master,
}

/// Bytes on their way: filled when empty, drained until empty.
struct Buffer {
    /// No more than PIPE_BUF: poll(2) says that a pipe takes this much without blocking, and the user's
    /// descriptors are blocking ones (pipe(7)).
    bytes: [u8; 4096],
    from: usize,
    to: usize,
}

impl Buffer {
    fn new() -> Self {
        Self { bytes: [0; 4096], from: 0, to: 0 }
    }

    fn is_empty(&self) -> bool {
        self.from == self.to
    }

    fn clear(&mut self) {
        (self.from, self.to) = (0, 0);
    }

    /// Reads once; the number of bytes, 0 at the end.
    fn fill(&mut self, fd: BorrowedFd<'_>) -> rustix::io::Result<usize> {
        self.clear();
        self.to = rustix::io::read(fd, &mut self.bytes)?;
        Ok(self.to)
    }

    /// Writes once what it can.
    fn drain(&mut self, fd: BorrowedFd<'_>) -> rustix::io::Result<()> {
        self.from += rustix::io::write(fd, &self.bytes[self.from..self.to])?;
        Ok(())
    }
}
