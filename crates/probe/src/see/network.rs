//! Network interfaces, asked of the kernel by rtnetlink(7): `/sys` and `/proc/net` may be masked or of another namespace.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;

use probe::{Interface, Report};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

use super::malformed;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
/// NLM_F_REQUEST and NLM_F_DUMP.
const DUMP_REQUEST: u16 = 0x001 | 0x300;

const IFLA_IFNAME: u16 = 3;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFF_UP: u32 = 1;

/// `struct nlmsghdr`: length, type, flags, sequence, port.
const HEADER: usize = 16;
/// `struct ifinfomsg`: family, padding, type, index, flags, change.
const IFINFO: usize = 16;
/// `struct ifaddrmsg`: family, prefix length, flags, scope, index.
const IFADDR: usize = 8;

pub fn interfaces(report: &mut Report) -> io::Result<()> {
    // Protocol 0 of netlink is NETLINK_ROUTE.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;

    dump(&socket, RTM_GETLINK, RTM_NEWLINK, IFINFO, |info, attributes| {
        let name = attributes.find(IFLA_IFNAME).ok_or_else(|| malformed("link"))?;
        report.interfaces.push(Interface {
            name: String::from_utf8_lossy(name.strip_suffix(&[0]).unwrap_or(name)).into_owned(),
            index: u32_at(info, 4),
            up: u32_at(info, 8) & IFF_UP != 0,
            addresses: Vec::new(),
        });
        Ok(())
    })?;
    dump(&socket, RTM_GETADDR, RTM_NEWADDR, IFADDR, |info, attributes| {
        // On a point-to-point link IFA_ADDRESS is the other end.
        let bytes = attributes.find(IFA_LOCAL).or_else(|| attributes.find(IFA_ADDRESS));
        let address = bytes.and_then(address).ok_or_else(|| malformed("address"))?;
        let index = u32_at(info, 4);
        if let Some(interface) = report.interfaces.iter_mut().find(|interface| interface.index == index) {
            interface.addresses.push(format!("{address}/{}", info[1]));
        }
        Ok(())
    })
}

/// Asks for all objects of one type and hands each, its fixed part of `fixed` bytes and its attributes, to `take`.
fn dump(
    socket: &OwnedFd,
    request: u16,
    reply: u16,
    fixed: usize,
    mut take: impl FnMut(&[u8], Attributes) -> io::Result<()>,
) -> io::Result<()> {
    let length = HEADER + IFINFO;
    let mut message = vec![0; length];
    message[0..4].copy_from_slice(&(length as u32).to_ne_bytes());
    message[4..6].copy_from_slice(&request.to_ne_bytes());
    message[6..8].copy_from_slice(&DUMP_REQUEST.to_ne_bytes());
    send(socket, &message, SendFlags::empty())?;

    let mut buffer = vec![0; 64 * 1024];
    loop {
        let (received, _) = recv(socket, &mut buffer[..], RecvFlags::empty())?;
        let mut rest = &buffer[..received];
        while rest.len() >= HEADER {
            let length = u32_at(rest, 0) as usize;
            let message = rest.get(HEADER..length).ok_or_else(|| malformed("netlink message"))?;
            match u16_at(rest, 4) {
                NLMSG_DONE => return Ok(()),
                NLMSG_ERROR if message.len() >= 4 => {
                    return Err(io::Error::from_raw_os_error(-(u32_at(message, 0) as i32)));
                }
                kind if kind == reply && message.len() >= fixed => {
                    take(&message[..fixed], Attributes(&message[fixed..]))?;
                }
                _ => {}
            }
            rest = rest.get(aligned(length)..).unwrap_or_default();
        }
    }
}

/// A list of `struct rtattr`: length with its header, type, value, padding to four bytes.
struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    fn find(&self, wanted: u16) -> Option<&'a [u8]> {
        let mut rest = self.0;
        while rest.len() >= 4 {
            let length = usize::from(u16_at(rest, 0));
            let value = rest.get(4..length)?;
            if u16_at(rest, 2) == wanted {
                return Some(value);
            }
            rest = rest.get(aligned(length)..).unwrap_or_default();
        }
        None
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| Ipv6Addr::from(sixteen).to_string())
}

fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_a_loopback_interface() {
        let mut report = Report::default();
        interfaces(&mut report).unwrap();
        assert!(report.interfaces.iter().any(|interface| interface.name == "lo"), "{:?}", report.interfaces);
    }
}
