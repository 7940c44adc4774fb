use crate::failure::Error;
use plan::Slot;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;

/// The descriptors that a plan knows by name.
#[derive(Debug, Default)]
pub struct Slots(Vec<(Slot, OwnedFd)>);

impl Slots {
    /// Fills a slot.
    pub fn fill(&mut self, slot: Slot, fd: OwnedFd) {
        self.0.push((slot, fd));
    }

    /// What is in a slot. The checker has proven that it is filled.
    pub(crate) fn get(&self, slot: Slot) -> Result<BorrowedFd<'_>, Error> {
        let filled = self.0.iter().find(|(filled, _)| *filled == slot);
        filled.map(|(_, fd)| fd.as_fd()).ok_or_else(|| Error::told(Errno::BADF, format!("{slot} is empty")))
    }

    /// Takes what is in a slot out of it.
    pub(crate) fn take(&mut self, slot: Slot) -> Result<OwnedFd, Error> {
        let place = self.0.iter().position(|(filled, _)| *filled == slot);
        let place = place.ok_or_else(|| Error::told(Errno::BADF, format!("{slot} is empty")))?;
        Ok(self.0.swap_remove(place).1)
    }
}
