//! Network interfaces of the machine that become the container's.

use crate::Slots;
use crate::failure::Error;
use crate::netlink::{self, Link};
use plan::Slot;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

const NETWORK: u64 = libc::CLONE_NEWNET as u64;

/// Opens a socket of the machine's network, by which its interfaces can be moved from wherever this process
/// will be.
pub(crate) fn open_netlink(slots: &mut Slots) -> Result<(), Error> {
    slots.fill(Slot::Netlink, netlink::open()?);
    Ok(())
}

/// The network namespace of a process, by a path below the proven procfs.
pub(crate) fn namespace_of(slots: &Slots, process: &str) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = format!("{process}/ns/net");
    Ok(rustix::fs::openat(slots.get(Slot::Proc)?, file, flags, Mode::empty())?)
}

/// Moves an interface into a network namespace, with the addresses that go with it, and brings it up there.
pub(crate) fn move_device(slots: &Slots, name: &str, new: &str, into: BorrowedFd) -> Result<(), Error> {
    let outside = slots.get(Slot::Netlink)?;
    let inside = socket_in(slots, into)?;
    let link = netlink::links(outside)?.into_iter().find(|link| link.name == name);
    let link = link.ok_or_else(|| Error::told(Errno::NODEV, "the machine has no such interface"))?;
    let before = netlink::links(&inside)?;
    if before.iter().any(|other| other.name == new) {
        return Err(Error::told(
            Errno::EXIST,
            format!("there is an interface {new} in the container already"),
        ));
    }
    let addresses = netlink::addresses(outside, link.index)?;
    netlink::move_link(outside, link.index, new, into)?;
    let moved = arrived(&before, netlink::links(&inside)?)?;
    for address in addresses.iter().filter(|address| address.moves()) {
        match netlink::add_address(&inside, moved.index, address) {
            // The kernel has given it by itself.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(netlink::up(&inside, moved.index)?)
}

/// What is there now and was not before: the kernel may have chosen its number and its name.
fn arrived(before: &[Link], now: Vec<Link>) -> Result<Link, Error> {
    let mut new = now.into_iter().filter(|link| before.iter().all(|old| old.index != link.index));
    new.next().ok_or_else(|| Error::told(Errno::NODEV, "it did not arrive in the container"))
}

/// A socket of another network namespace. This process, which has one thread, goes there for it and comes back.
fn socket_in(slots: &Slots, namespace: BorrowedFd) -> Result<OwnedFd, Error> {
    let here = namespace_of(slots, "self")?;
    sys::namespace::enter(namespace, NETWORK)?;
    let socket = netlink::open();
    sys::namespace::enter(here.as_fd(), NETWORK)?;
    Ok(socket?)
}
