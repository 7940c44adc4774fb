use crate::supervise::{Signals, supervise_with};
use crate::{Ended, Notify, console, terminal};
use rustix::fd::{AsFd, OwnedFd};
use std::io;

/// What attends to a container, or to one more process of it, while its caller waits: relays its terminal, or
/// passes signals on.
#[derive(Debug)]
pub struct Foreground {
    signals: Signals,
    socket: Option<OwnedFd>,
    notify: Option<Notify>,
}

impl Foreground {
    /// Made before the process, so that no signal is lost in between. With a terminal there is also the console
    /// socket to start the process with.
    ///
    /// # Errors
    /// signalfd(2) or socketpair(2) fails.
    pub fn new(terminal: bool) -> io::Result<(Self, Option<OwnedFd>)> {
        let signals = if terminal { Signals::for_terminal()? } else { Signals::for_pipes()? };
        Self::with(signals, terminal)
    }

    /// The same, for a process that becomes the parent of what the container's processes leave behind, and reaps it, as runc
    /// does (`PR_SET_CHILD_SUBREAPER`, prctl(2)). In a pid namespace of its own the container's init does that; without one
    /// they would go to the machine's init.
    ///
    /// # Errors
    /// signalfd(2), prctl(2) or socketpair(2) fails.
    pub fn subreaper(terminal: bool) -> io::Result<(Self, Option<OwnedFd>)> {
        let signals = Signals::for_subreaper(terminal)?;
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        Self::with(signals, terminal)
    }

    fn with(signals: Signals, terminal: bool) -> io::Result<(Self, Option<OwnedFd>)> {
        if !terminal {
            return Ok((Self { signals, socket: None, notify: None }, None));
        }
        let (ours, theirs) = console::pair()?;
        Ok((Self { signals, socket: Some(ours), notify: None }, Some(theirs)))
    }

    /// Passes on, while it attends, that the program is ready. Not for a program with a terminal: no service has one.
    #[must_use]
    pub fn notifying(self, notify: Option<Notify>) -> Self {
        Self { notify, ..self }
    }

    /// Attends to a child until it has ended, and reaps it. `interactive`: what is typed goes to its terminal.
    ///
    /// # Errors
    /// The terminal cannot be relayed; the child is killed then, for nobody would attend to it any more.
    pub fn attend(self, pidfd: &OwnedFd, interactive: bool) -> io::Result<Ended> {
        let attended = match self.socket.as_ref().map(console::receive).transpose() {
            Ok(Some(Some(master))) => terminal::relay(&self.signals, master, pidfd.as_fd(), interactive),
            Ok(_) => supervise_with(&self.signals, pidfd.as_fd(), self.notify),
            Err(error) => Err(error),
        };
        if let Err(error) = attended {
            // It may have ended already; its end is waited for either way.
            let _ = sys::signal::send(pidfd, 9);
            let _ = Ended::of(pidfd);
            return Err(error);
        }
        Ended::of(pidfd)
    }
}
