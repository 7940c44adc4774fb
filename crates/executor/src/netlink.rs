//! As much of rtnetlink(7) as it takes to move a network interface.
//!
//! A request is a header of 16 bytes, a body that depends on its type, and attributes; an answer is the same,
//! and a list of answers ends with `NLMSG_DONE`. All numbers are in the byte order of the machine.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;

const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_CREATE: u16 = 0x400;

const IFLA_IFNAME: u16 = 3;
const IFLA_NET_NS_FD: u16 = 28;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;
const IFA_RT_PRIORITY: u16 = 9;

const IFF_UP: u32 = 1;
/// Flags of an address that somebody chose, and not the kernel: no duplicate detection, no route of its own,
/// temporary addresses, home address (if_addr.h).
const CHOSEN: u32 = 0x02 | 0x200 | 0x100 | 0x10;
const IFA_F_PERMANENT: u32 = 0x80;
const RT_SCOPE_UNIVERSE: u8 = 0;

/// A socket of the network namespace that this process is in, and stays one of it wherever the process goes.
pub(crate) fn open() -> Result<OwnedFd, Errno> {
    // No protocol is number 0, which is NETLINK_ROUTE.
    rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub index: u32,
    pub name: String,
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    family: u8,
    prefix: u8,
    scope: u8,
    flags: u32,
    /// Those attributes that are the address: its parts, its broadcast address, the metric of its route.
    parts: Vec<(u16, Vec<u8>)>,
}

impl Address {
    /// Whether it goes with its interface: permanent, of global scope (config-linux.md, "Network Devices").
    pub(crate) fn moves(&self) -> bool {
        self.flags & IFA_F_PERMANENT != 0 && self.scope == RT_SCOPE_UNIVERSE
    }
}

/// All interfaces.
pub(crate) fn links(socket: impl AsFd) -> Result<Vec<Link>, Errno> {
    let answers = request(socket.as_fd(), RTM_GETLINK, NLM_F_DUMP, &[0; 16])?;
    Ok(answers.iter().filter_map(|body| link(body)).collect())
}

fn link(body: &[u8]) -> Option<Link> {
    let index = u32::from_ne_bytes(body.get(4..8)?.try_into().ok()?);
    let (_, name) = attributes(body.get(16..)?).find(|(kind, _)| *kind == IFLA_IFNAME)?;
    let name = name.split(|byte| *byte == 0).next()?;
    Some(Link { index, name: String::from_utf8_lossy(name).into_owned() })
}

/// The addresses of an interface.
pub(crate) fn addresses(socket: impl AsFd, index: u32) -> Result<Vec<Address>, Errno> {
    let answers = request(socket.as_fd(), RTM_GETADDR, NLM_F_DUMP, &[0; 8])?;
    let own = answers.iter().filter(|body| body.get(4..8) == Some(&index.to_ne_bytes()));
    Ok(own.filter_map(|body| address(body)).collect())
}

fn address(body: &[u8]) -> Option<Address> {
    let [family, prefix, flags, scope, _, _, _, _] = *body.first_chunk::<8>()?;
    let mut address = Address { family, prefix, scope, flags: flags.into(), parts: Vec::new() };
    for (kind, value) in attributes(&body[8..]) {
        match (kind, value.try_into()) {
            // The longer form of the flags.
            (IFA_FLAGS, Ok(flags)) => address.flags = u32::from_ne_bytes(flags),
            (IFA_ADDRESS | IFA_LOCAL | IFA_BROADCAST | IFA_RT_PRIORITY, _) => {
                address.parts.push((kind, value.to_owned()))
            }
            _ => {}
        }
    }
    Some(address)
}

/// Moves an interface to another network namespace, under a name that may be a template like `eth%d`.
pub(crate) fn move_link(
    socket: impl AsFd,
    index: u32,
    name: &str,
    namespace: BorrowedFd,
) -> Result<(), Errno> {
    use rustix::fd::AsRawFd;
    let mut body = link_body(index, 0);
    attribute(&mut body, IFLA_IFNAME, &[name.as_bytes(), &[0]].concat());
    attribute(&mut body, IFLA_NET_NS_FD, &namespace.as_raw_fd().to_ne_bytes());
    request(socket.as_fd(), RTM_NEWLINK, NLM_F_ACK, &body).map(drop)
}

/// Brings an interface up.
pub(crate) fn up(socket: impl AsFd, index: u32) -> Result<(), Errno> {
    request(socket.as_fd(), RTM_NEWLINK, NLM_F_ACK, &link_body(index, IFF_UP)).map(drop)
}

/// Gives an interface an address.
pub(crate) fn add_address(socket: impl AsFd, index: u32, address: &Address) -> Result<(), Errno> {
    let Address { family, prefix, scope, flags, parts } = address;
    let flags = flags & CHOSEN;
    let mut body = vec![*family, *prefix, flags as u8, *scope];
    body.extend(index.to_ne_bytes());
    for (kind, value) in parts {
        attribute(&mut body, *kind, value);
    }
    attribute(&mut body, IFA_FLAGS, &flags.to_ne_bytes());
    let how = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    request(socket.as_fd(), RTM_NEWADDR, how, &body).map(drop)
}

/// `struct ifinfomsg`, with flags to set.
fn link_body(index: u32, flags: u32) -> Vec<u8> {
    let mut body = vec![0; 4];
    for number in [index, flags, flags] {
        body.extend(number.to_ne_bytes());
    }
    body
}

/// Sends a request and gives the bodies of what is answered.
fn request(socket: BorrowedFd, kind: u16, flags: u16, body: &[u8]) -> Result<Vec<Vec<u8>>, Errno> {
    let length = 16 + body.len() as u32;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend((flags | NLM_F_REQUEST).to_ne_bytes());
    // One request at a time, so that neither a number nor a port is needed to tell answers apart.
    message.extend([0; 8]);
    message.extend(body);
    rustix::net::send(socket, &message, SendFlags::NOSIGNAL)?;
    let mut answers = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let (length, _) = rustix::net::recv(socket, &mut buffer[..], RecvFlags::empty())?;
        if take(&buffer[..length], &mut answers)? {
            return Ok(answers);
        }
    }
}

/// Reads one datagram of answers; whether it was the last.
fn take(mut rest: &[u8], answers: &mut Vec<Vec<u8>>) -> Result<bool, Errno> {
    while let Some(header) = rest.first_chunk::<16>() {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let body = rest.get(16..length).ok_or(Errno::BADMSG)?;
        match u16::from_ne_bytes([header[4], header[5]]) {
            NLMSG_DONE => return Ok(true),
            NLMSG_ERROR => {
                let number = i32::from_ne_bytes(*body.first_chunk().ok_or(Errno::BADMSG)?);
                return if number == 0 { Ok(true) } else { Err(Errno::from_raw_os_error(-number)) };
            }
            _ => answers.push(body.to_owned()),
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    body.extend((4 + value.len() as u16).to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<4>()?;
        let length = u16::from_ne_bytes([header[0], header[1]]) as usize;
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([header[2], header[3]]), value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_to_four_bytes() {
        let mut body = Vec::new();
        attribute(&mut body, 3, b"eth0\0");
        attribute(&mut body, 28, &7u32.to_ne_bytes());
        assert_eq!(body.len(), 12 + 8);
        let read: Vec<_> = attributes(&body).collect();
        assert_eq!(read, [(3, &b"eth0\0"[..]), (28, &7u32.to_ne_bytes()[..])]);
    }

    #[test]
    fn answers_that_are_cut_end_without_a_panic() {
        let whole = {
            let mut message = 20u32.to_ne_bytes().to_vec();
            message.extend(NLMSG_ERROR.to_ne_bytes());
            message.extend([0; 10]);
            message.extend((-17i32).to_ne_bytes());
            message
        };
        assert_eq!(take(&whole, &mut Vec::new()), Err(Errno::EXIST));
        assert_eq!(take(&whole[..18], &mut Vec::new()), Err(Errno::BADMSG));
        assert_eq!(take(&whole[..9], &mut Vec::new()), Ok(false));
        assert_eq!(link(&whole), None);
        assert_eq!(address(&[0; 7]), None);
        assert_eq!(attributes(&[9, 0, 0]).count(), 0);
    }

    #[test]
    fn the_loopback_interface_is_listed() {
        let links = links(open().unwrap()).unwrap();
        assert!(links.iter().any(|link| link.name == "lo"), "{links:?}");
    }
}
