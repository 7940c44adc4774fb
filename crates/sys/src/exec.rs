//! execveat(2), the one way a program is started.

use rustix::fd::{AsFd, AsRawFd};
use std::ffi::{CStr, CString};
use std::io;

/// A null-terminated array of strings, as execve(2) wants it.
struct Strings<'a> {
    pointers: Vec<*const libc::c_char>,
    _strings: std::marker::PhantomData<&'a CStr>,
}

impl<'a> Strings<'a> {
    fn new(strings: &'a [CString]) -> Self {
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        Self { pointers, _strings: std::marker::PhantomData }
    }
}

/// Becomes the program at `path`. Returns only with an error.
#[must_use]
pub fn exec(path: &CStr, args: &[CString], env: &[CString]) -> io::Error {
    let (argv, envp) = (Strings::new(args), Strings::new(env));
    // SAFETY: path and both arrays are null-terminated and live across the call.
    unsafe { libc::execve(path.as_ptr(), argv.pointers.as_ptr(), envp.pointers.as_ptr()) };
    io::Error::last_os_error()
}

/// Becomes the program that `file` is open at, without naming a path. Returns only with an error.
#[must_use]
pub fn exec_file(file: impl AsFd, args: &[CString], env: &[CString]) -> io::Error {
    let (argv, envp) = (Strings::new(args), Strings::new(env));
    // SAFETY: the path is the empty string, and both arrays are null-terminated and live across the call.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file.as_fd().as_raw_fd(),
            c"".as_ptr(),
            argv.pointers.as_ptr(),
            envp.pointers.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    io::Error::last_os_error()
}
