//! The small init of `--init`: pid 1 that starts one program, forwards signals to it and reaps.
//!
//! It is cuddy's own binary under another name, executed through a read-only mount; both programs call
//! [`is_init`] first of all.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus};
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStringExt;
use sys::clone::Process;
use sys::signal::SignalFd;

/// What our binary is called when it shall be this init: the first argument. The second is the path of the
/// program, the rest are its arguments.
pub const NAME: &CStr = c"cuddy-init";

/// Whether this process was started as the init of a container.
#[must_use]
pub fn is_init() -> bool {
    std::env::args_os().next().is_some_and(|name| name.as_encoded_bytes() == NAME.to_bytes())
}

/// Runs as the init of a container: starts the program in a process group of its own that has the terminal,
/// passes every signal on to it, reaps every orphan, and ends as the program ended.
pub fn run() -> ! {
    let code = supervise().unwrap_or_else(|error| {
        eprintln!("{}: {error}", NAME.to_string_lossy());
        125
    });
    sys::process::exit_now(code)
}

fn supervise() -> std::io::Result<i32> {
    // All but the faults of init itself, which nobody sends on purpose.
    let faults = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];
    let all: Vec<i32> = (1..=libc::SIGRTMAX()).filter(|signal| !faults.contains(signal)).collect();
    let signals = SignalFd::new(&all)?;
    let (child, pidfd) = match sys::clone::clone(0, None)? {
        Process::Child => start(),
        Process::Parent { pid, pidfd } => (pid, pidfd),
    };
    loop {
        match poll(&mut [PollFd::new(&signals, PollFlags::IN)], None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        while let Some(signal) = signals.read()? {
            if signal != libc::SIGCHLD {
                // The program may have ended in this moment; then its end is what comes next.
                let _ = sys::signal::send(&pidfd, signal);
            } else if let Some(code) = reap(child) {
                return Ok(code);
            }
        }
    }
}

/// Reaps everything that has ended; the exit code of `child` when it was among them.
fn reap(child: Pid) -> Option<i32> {
    let mut code = None;
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == child {
            code = Some(exit_code(status));
        }
    }
    code
}

/// The exit code of a process, or 128 and the signal that ended it, as shells say it.
fn exit_code(status: WaitStatus) -> i32 {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(125)
}

/// Becomes the program, in the foreground of the terminal if there is one.
fn start() -> ! {
    // Without a terminal these fail, and nothing is lost.
    let _ = rustix::process::setpgid(None, None);
    let _ = rustix::termios::tcsetpgrp(rustix::stdio::stdin(), rustix::process::getpid());
    let _ = sys::signal::reset();
    let mut args = std::env::args_os().skip(1).filter_map(|arg| CString::new(arg.into_vec()).ok());
    let program = args.next().unwrap_or_default();
    let args: Vec<_> = args.collect();
    let env: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| {
            let entry = [name.into_vec(), b"=".to_vec(), value.into_vec()].concat();
            CString::new(entry).ok()
        })
        .collect();
    let error = crate::program::diagnose(&program, &sys::exec::exec(&program, &args, &env));
    eprintln!("cuddy-init: cannot execute {}: {}", program.to_string_lossy(), error.words());
    sys::process::exit_now(if error.is(Errno::NOENT.raw_os_error()) { 127 } else { 126 })
}
