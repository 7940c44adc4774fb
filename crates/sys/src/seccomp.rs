//! seccomp(2).

use crate::check;
use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::io;

const SET_MODE_FILTER: libc::c_uint = 1;

/// `SECCOMP_FILTER_FLAG_NEW_LISTENER` of `linux/seccomp.h`.
const NEW_LISTENER: u32 = 1 << 3;

/// Loads a filter of classic BPF for this thread and all it will start. With the flag
/// `SECCOMP_FILTER_FLAG_NEW_LISTENER`: the descriptor that tells of calls, close-on-exec.
///
/// # Errors
/// The errno of the call: `EACCES` with neither `no_new_privs` nor `CAP_SYS_ADMIN`, `EINVAL` for a
/// program that the kernel refuses or a flag it does not know, `EBUSY` where a filter with a listener is loaded.
pub fn set_filter(flags: u32, program: &[libc::sock_filter]) -> io::Result<Option<OwnedFd>> {
    let length = u16::try_from(program.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: filter points to len instructions that live across the call; the kernel only reads them.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, &raw const program) };
    let listener = check(result)?;
    // SAFETY: with this flag the result is a descriptor that was made for us, and nobody else knows it.
    Ok((flags & NEW_LISTENER != 0).then(|| unsafe { OwnedFd::from_raw_fd(listener as i32) }))
}

/// A call that waits until the listener answers (`struct seccomp_notif`, seccomp_unotify(2)).
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Notification {
    /// What the answer names.
    pub id: u64,
    /// Who makes the call, in the pid namespace of who listens; 0 when it is not in sight.
    pub pid: u32,
    flags: u32,
    /// Its number.
    pub call: i32,
    /// `AUDIT_ARCH_*`.
    pub arch: u32,
    instruction_pointer: u64,
    /// Its arguments.
    pub args: [u64; 6],
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It returns this and is not made.
    Value(i64),
    /// It fails with this errno and is not made.
    Errno(i32),
    /// It is made.
    Continue,
}

/// `struct seccomp_notif_resp`.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// `SECCOMP_IOCTL_NOTIF_RECV` and `SECCOMP_IOCTL_NOTIF_SEND` of `linux/seccomp.h`.
const RECEIVE: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;
const FLAG_CONTINUE: u32 = 1;

/// The next call that a filter with this listener asks about. Waits for one.
///
/// # Errors
/// The errno of the call: `ENOENT` where the caller was ended meanwhile.
pub fn next_notification(listener: impl AsFd) -> io::Result<Notification> {
    let mut notification = Notification::default();
    let fd = listener.as_fd().as_raw_fd();
    // SAFETY: the kernel wants the structure zeroed, as it is, and fills it in: its size is in the request.
    check(unsafe { libc::ioctl(fd, RECEIVE as _, &raw mut notification) }.into())?;
    Ok(notification)
}

/// Answers for the call with this id.
///
/// # Errors
/// The errno of the call: `ENOENT` where the caller was ended meanwhile.
pub fn answer(listener: impl AsFd, id: u64, answer: Answer) -> io::Result<()> {
    let (value, error, flags) = match answer {
        Answer::Value(value) => (value, 0, 0),
        Answer::Errno(errno) => (0, -errno, 0),
        Answer::Continue => (0, 0, FLAG_CONTINUE),
    };
    let mut response = Response { id, value, error, flags };
    let fd = listener.as_fd().as_raw_fd();
    // SAFETY: response lives across the call, and its size is in the request.
    check(unsafe { libc::ioctl(fd, SEND as _, &raw mut response) }.into()).map(drop)
}
