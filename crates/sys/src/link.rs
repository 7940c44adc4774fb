//! Network interfaces, netdevice(7): only what the loopback device needs.

use crate::check;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Brings an interface of this network namespace up.
///
/// # Errors
/// `ENODEV` when there is none of that name, `EPERM` without `CAP_NET_ADMIN` over the namespace.
pub fn up(name: &str) -> io::Result<()> {
    // SAFETY: an all-zero ifreq is valid: an empty name and no address.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    // SAFETY: plain integers in, a descriptor or -1 out.
    let socket =
        check(unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) }.into())?;
    // SAFETY: the call above made this descriptor and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket as i32) };
    // SAFETY: request is an ifreq with a terminated name, which the kernel fills in.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS, &raw mut request) }.into())?;
    // SAFETY: SIOCGIFFLAGS filled in this member of the union.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
    // SAFETY: as above; the kernel only reads it.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }.into()).map(drop)
}
