//! Signals as descriptors, and back to their defaults.

use crate::check;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

fn set_of(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: an all-zero sigset_t is valid memory for sigemptyset, which then defines it; sigaddset is
    // given a defined set, and refuses numbers that are no signals.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        set
    }
}

/// Signals that are read from a descriptor, signalfd(2), in place of interrupting.
#[derive(Debug)]
pub struct SignalFd {
    fd: OwnedFd,
    before: libc::sigset_t,
}

impl SignalFd {
    /// Blocks these signals and returns a close-on-exec, non-blocking descriptor of them. The mask is put
    /// back when it is dropped.
    ///
    /// # Errors
    /// The errno of sigprocmask(2) or signalfd(2).
    pub fn new(signals: &[i32]) -> io::Result<Self> {
        let set = set_of(signals);
        let mut before = set_of(&[]);
        // SAFETY: both sets are defined and live across the call.
        check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut before) }.into())?;
        // SAFETY: set is defined; -1 asks for a new descriptor.
        let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        let fd = check(fd.into())?;
        // SAFETY: the call made this descriptor and nobody else has it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd as i32) }, before })
    }

    /// The next signal that is there; `None`: there is none.
    ///
    /// # Errors
    /// The errno of read(2).
    pub fn read(&self) -> io::Result<Option<i32>> {
        let mut info = [0u8; size_of::<libc::signalfd_siginfo>()];
        match rustix::io::read(&self.fd, &mut info) {
            Ok(_) => Ok(Some(i32::from_ne_bytes([info[0], info[1], info[2], info[3]]))),
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for SignalFd {
    fn drop(&mut self) {
        // SAFETY: before was defined by the kernel; a mask that was valid once still is.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut()) };
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Puts every signal back to its default action and unblocks all of them.
///
/// A process keeps ignored signals and its mask over execve(2), so whatever the caller of cuddy ignored,
/// and SIGPIPE which Rust's runtime ignores, would reach the container.
///
/// # Errors
/// The errno of sigprocmask(2).
pub fn reset() -> io::Result<()> {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL runs no code of ours. The two signals whose action cannot be set, and the two
        // that libc keeps for itself, give an error that means that they are at their default.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let none = set_of(&[]);
    // SAFETY: none is a defined set.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) }.into())
        .map(drop)
}

/// Sends a signal to the process of a pidfd, also one of the real-time signals.
///
/// # Errors
/// `ESRCH` when the process has ended, `EINVAL` when there is no such signal.
pub fn send(pidfd: impl AsFd, signal: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open; a null siginfo asks for what kill(2) would send.
    check(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_fd().as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    })
    .map(drop)
}
