use crate::failure::Error;
use plan::Slot;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;

/// The descriptors that a plan knows by name.
#[derive(Debug, Default)]
pub struct Slots {
    filled: Vec<(Slot, OwnedFd)>,
    /// Whether [`Slot::Empty`] covers a path already: only a mount that has a place can be copied before
    /// Linux 6.15.
    pub(crate) empty_is_attached: bool,
}

impl Slots {
    /// Fills a slot.
    pub fn fill(&mut self, slot: Slot, fd: OwnedFd) {
        self.filled.push((slot, fd));
    }

    /// What is in a slot. The checker has proven that it is filled.
    pub(crate) fn get(&self, slot: Slot) -> Result<BorrowedFd<'_>, Error> {
        let filled = self.filled.iter().find(|(filled, _)| *filled == slot);
        filled.map(|(_, fd)| fd.as_fd()).ok_or_else(|| Error::told(Errno::BADF, format!("{slot} is empty")))
    }

    /// Empties all slots but these, and gives what is left.
    pub(crate) fn only(&mut self, keep: &[Slot]) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.filled.retain(|(slot, _)| keep.contains(slot));
        self.filled.iter().map(|(_, fd)| fd.as_fd())
    }

    /// Takes what is in a slot out of it.
    pub(crate) fn take(&mut self, slot: Slot) -> Result<OwnedFd, Error> {
        let place = self.filled.iter().position(|(filled, _)| *filled == slot);
        let place = place.ok_or_else(|| Error::told(Errno::BADF, format!("{slot} is empty")))?;
        Ok(self.filled.swap_remove(place).1)
    }
}
