//! Device rules of a group that exists.

use super::{Cgroup, Directory, Error, Version, read_at, write_at};
use crate::device::{self, v1, v2::DeviceProgram};
use crate::refusal;
use rustix::io::Errno;
use spec::DeviceRule;
use std::os::fd::{AsFd, BorrowedFd};

/// What is left to do for a group whose devices are for v2: the program that takes the place of the one on the group.
/// bpf(2) is for others to call.
#[derive(Debug)]
pub struct NewProgram<'a> {
    /// The group's directory.
    pub directory: BorrowedFd<'a>,
    /// The program.
    pub program: DeviceProgram,
}

impl Cgroup {
    /// Whether the group can have these device rules, as far as that can be told before.
    pub(super) fn check_devices(&self, rules: &[DeviceRule]) -> Result<(), Error> {
        let rules = device::rules(rules)?;
        if self.find(Version::V1, "devices.list")?.is_some() {
            v1::lines(&rules)?;
        }
        Ok(())
    }

    /// Runs `act` while nobody in the group can use a device, where the list of devices is v1's and `act` writes it anew:
    /// nobody is to be caught in between.
    ///
    /// # Errors
    /// Those of `act`, and a group that cannot be frozen.
    pub fn with_devices_still<T, E: From<Error>>(&self, act: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if self.find(Version::V1, "devices.list")?.is_none() || self.is_frozen()? {
            return act();
        }
        self.freeze()?;
        let done = act();
        let thawed = self.thaw();
        let done = done?;
        thawed?;
        Ok(done)
    }

    /// Brings the group to new device rules. What both the old and the new ones allow can be used throughout, and what
    /// neither does never can. On v1 all is done when this returns `None`.
    ///
    /// # Errors
    /// Rules that make no sense, that v1 cannot express, or that the kernel refuses; a group that cannot be frozen. The old
    /// rules hold then; only where they allowed all devices but some, nothing is known of those, and what was denied on the
    /// way stays so.
    pub fn update_devices(&self, rules: &[DeviceRule]) -> Result<Option<NewProgram<'_>>, Error> {
        let rules = device::rules(rules)?;
        if let Some((directory, list)) = self.find(Version::V1, "devices.list")? {
            let change = v1::changes(&list, &rules)?;
            let write =
                || directory.change_devices(&change.lines).map_err(|error| directory.list(&list, error));
            return if change.has_gap { self.with_devices_still(write) } else { write() }.map(|()| None);
        }
        let Some(directory) = self.of(Version::V2).next() else {
            return Err(Error::Unsupported { what: "change devices", needs: "devices.list or cgroup v2" });
        };
        let program = device::v2::program(&rules);
        Ok(Some(NewProgram { directory: directory.fd.as_fd(), program }))
    }
}

impl Directory {
    /// After an error, allows what a `devices.list` of before says, and nothing else.
    fn list(&self, list: &str, error: Error) -> Error {
        let Some(old) = v1::listed_rules(list) else { return error };
        let back = self.find_list().and_then(|now| self.change_devices(&v1::changes(&now, &old)?.lines));
        match back {
            Ok(()) => error,
            Err(back) => Error::Halfway { error: Box::new(error), back: Box::new(back) },
        }
    }

    fn find_list(&self) -> Result<String, Error> {
        const LIST: &str = "devices.list";
        read_at(&self.fd, LIST).map_err(|source| self.unreadable(LIST, source))
    }

    fn change_devices(&self, lines: &[v1::Line]) -> Result<(), Error> {
        for line in lines {
            match (write_at(&self.fd, line.file, &line.text), &line.rule) {
                (Ok(()), _) => {}
                // As at the start: what the group above does not have is denied, and only a default may be.
                (Err(Errno::PERM), Some(rule)) if rule.index.is_none() => {}
                (Err(source), rule) => {
                    let file = self.path.join(line.file);
                    let pointer =
                        rule.as_ref().map_or("/linux/resources/devices".to_owned(), device::Rule::pointer);
                    let advice = refusal::advice(&file, source);
                    return Err(Error::Refused { pointer, file, value: line.text.clone(), source, advice });
                }
            }
        }
        Ok(())
    }
}
