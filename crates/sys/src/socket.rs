//! Unix sockets: where they are, and descriptors that travel over them.

use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType,
};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Opens the directory of a socket, for [`address`].
///
/// # Errors
/// The errno of open(2).
pub fn open_directory(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// The address of a socket in a directory. It may have 108 bytes (unix(7)) and a path more, so it goes by way of
/// the directory's descriptor.
///
/// # Errors
/// The name alone is too long, or has a zero byte.
pub fn address(directory: &OwnedFd, name: impl AsRef<Path>) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new(by_descriptor(directory).join(name))
}

fn by_descriptor(file: &OwnedFd) -> PathBuf {
    Path::new("/proc/self/fd").join(file.as_raw_fd().to_string())
}

/// Connects to a stream socket that somebody listens on. With patience, neither that nor what is sent later waits
/// for longer.
///
/// # Errors
/// The errno of connect(2), mostly: nobody listens there.
pub fn connect(path: &Path, patience: Option<Duration>) -> Result<OwnedFd, Errno> {
    let file = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, patience)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(by_descriptor(&file))?)?;
    Ok(socket)
}

/// Sends a descriptor along with text, of which there has to be a byte at least (unix(7)); how much of the text was
/// sent.
///
/// # Errors
/// The errno of sendmsg(2).
pub fn send_descriptor(socket: impl AsFd, text: &[u8], descriptor: impl AsFd) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor.as_fd()];
    if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(Errno::NOBUFS);
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(text)], &mut ancillary, SendFlags::NOSIGNAL)
}
