//! System calls that rustix does not wrap, as safe functions; two that have another way where a filter refuses them; and
//! the little around calls that several crates need: sockets by descriptor, an error in words.
//!
//! All of cuddy's `unsafe` is here; each block says which invariant makes it sound. Errors are plain
//! [`std::io::Error`]s with the errno of the call: what it was for is the caller's to say.

pub mod bpf;
pub mod clone;
mod entry;
pub mod exe;
pub mod exec;
pub mod fd;
pub mod keyring;
pub mod landlock;
pub mod link;
pub mod mount;
pub mod namespace;
pub mod path;
pub mod process;
pub mod schedule;
pub mod seccomp;
pub mod signal;
pub mod socket;
#[cfg(panic = "abort")]
mod unwind;

use std::io;

/// An error of the kernel in words, to stand within a sentence: without the "(os error 2)" that Rust adds.
#[must_use]
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let bare = text.split(" (os error").next().unwrap_or_default();
    let mut letters = bare.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The result of a raw system call: -1 means that errno says why.
fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
