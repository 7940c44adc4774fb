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
    // The kernel's own struct sigaction: handler SIG_DFL, no flags, no restorer, an empty mask.
    let default = [0u64; 4];
    for signal in 1..=libc::SIGRTMAX() {
        // Not by signal(3): it refuses the two signals that libc keeps for itself, which posix_spawn(3) of
        // a caller leaves ignored. SIGKILL and SIGSTOP give an error that means that they are at their default.
        // SAFETY: default lives across the call, which only reads it; SIG_DFL runs no code of ours.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                default.as_ptr(),
                std::ptr::null_mut::<libc::c_void>(),
                size_of::<u64>(),
            )
        };
    }
    let none = set_of(&[]);
    // SAFETY: none is a defined set.
    check(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()) }.into())
        .map(drop)
}

/// Puts SIGCHLD back to its default where a caller has left it ignored: the kernel would reap children
/// itself, and nobody would learn how they ended (wait(2)).
pub(crate) fn unignore_children() {
    // SAFETY: an all-zero sigaction is valid memory for the kernel to fill in; SIG_DFL runs no code of ours.
    unsafe {
        let mut present: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGCHLD, std::ptr::null(), &raw mut present);
        if present.sa_sigaction == libc::SIG_IGN {
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        }
    }
}

/// The signals by which somebody asks a process to end.
const REQUESTS: [i32; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// Ends this process at SIGHUP, SIGINT, SIGQUIT and SIGTERM also where it is the first of its pid namespace: the kernel
/// gives such a one no signal that it has no handler for (pid_namespaces(7)). A program that is executed has the
/// defaults again (execve(2)).
///
/// # Errors
/// The errno of sigaction(2).
pub fn end_on_request() -> io::Result<()> {
    extern "C" fn end(signal: libc::c_int) {
        crate::process::exit_now(128 + signal)
    }
    for signal in REQUESTS {
        // SAFETY: an all-zero sigaction has no flags and an empty mask; the handler does nothing but _exit(2), which is safe
        // in a signal handler (signal-safety(7)).
        let set = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = end as *const () as usize;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut())
        };
        check(set.into())?;
    }
    Ok(())
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
