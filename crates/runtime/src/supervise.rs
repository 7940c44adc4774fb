//! What is done while a container runs in the foreground: pass signals on, and wait.

use crate::Notify;
use crate::reaper;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::Errno;
use rustix::process::Signal;
use std::io;
use sys::signal::SignalFd;

/// Signals that are passed on to the container. Not among them: those that a program gets for its own
/// mistakes, those that cannot be caught, and those that are about cuddy (SIGCHLD, SIGPIPE).
const PASSED_ON: [Signal; 6] =
    [Signal::HUP, Signal::INT, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::TERM];

/// Signals about the user's terminal, which cuddy answers itself.
const TERMINAL: [Signal; 3] = [Signal::WINCH, Signal::TSTP, Signal::CONT];

/// The real-time signals that the C library leaves to programs: systemd in a container is told with them.
const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;

/// The signals that cuddy reads from a descriptor while a container runs. Made before the container, so
/// that none is lost in between; the mask is put back when it is dropped.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// For a container without a terminal. Ctrl-Z stops cuddy as it would any program.
    ///
    /// # Errors
    /// signalfd(2) fails.
    pub fn for_pipes() -> io::Result<Self> {
        Self::block(&[])
    }

    /// For a container with a terminal: also the size of the user's, and being stopped and continued.
    ///
    /// # Errors
    /// signalfd(2) fails.
    pub fn for_terminal() -> io::Result<Self> {
        Self::block(&TERMINAL)
    }

    /// The same, and that children have ended: for a subreaper.
    ///
    /// # Errors
    /// signalfd(2) fails.
    pub(crate) fn for_subreaper(terminal: bool) -> io::Result<Self> {
        let others = if terminal { &TERMINAL[..] } else { &[] };
        Self::block(&[others, &[Signal::CHILD]].concat())
    }

    fn block(more: &[Signal]) -> io::Result<Self> {
        let named = PASSED_ON.iter().chain(more).map(|signal| signal.as_raw());
        SignalFd::new(&named.chain(REAL_TIME).collect::<Vec<i32>>()).map(Self)
    }

    /// The next one that came; `None`: there is none.
    pub(crate) fn next(&self) -> io::Result<Option<i32>> {
        self.0.read()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Sends a signal to the container's first process; that it has ended is no error. A signal about children is a subreaper's
/// own.
pub(crate) fn forward(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    if signal == Signal::CHILD.as_raw() {
        return reaper::reap_all_but(pidfd);
    }
    match sys::signal::send(pidfd, signal) {
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(()),
        other => other,
    }
}

/// Waits until the process of `pidfd` has ended, and passes signals on to it. For a container without a
/// terminal: it has the standard streams themselves, so there is nothing to copy.
///
/// # Errors
/// poll(2) or pidfd_send_signal(2) fails.
pub fn supervise(signals: &Signals, pidfd: BorrowedFd<'_>) -> io::Result<()> {
    supervise_with(signals, pidfd, None)
}

/// [`supervise`], and passes on that the program is ready.
pub(crate) fn supervise_with(
    signals: &Signals,
    pidfd: BorrowedFd<'_>,
    mut notify: Option<Notify>,
) -> io::Result<()> {
    loop {
        let mut fds =
            vec![PollFd::new(signals, PollFlags::IN), PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
        fds.extend(notify.as_ref().map(|notify| PollFd::new(notify, PollFlags::IN)));
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let ended = !fds[1].revents().is_empty();
        // The runtime itself is what the manager watches.
        if notify.as_ref().is_some_and(|notify| notify.pass_on(None)) {
            notify = None;
        }
        if ended {
            return Ok(());
        }
        while let Some(signal) = signals.next()? {
            forward(pidfd, signal)?;
        }
    }
}
