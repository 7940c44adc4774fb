//! Device rules of a group that exists.

use super::{Cgroup, Directory, Error, Version, write_at};
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
    /// Brings the group to new device rules. What both the old and the new ones allow can be used throughout, and what
    /// neither does never can. On v1 all is done when this returns `None`.
    ///
    /// # Errors
    /// Rules that make no sense, that v1 cannot express, or that the kernel refuses; a group that cannot be frozen.
    pub fn update_devices(&self, rules: &[DeviceRule]) -> Result<Option<NewProgram<'_>>, Error> {
        let rules = device::rules(rules)?;
        if let Some((directory, list)) = self.find(Version::V1, "devices.list")? {
            let change = v1::changes(&list, &rules)?;
            let freeze = change.has_gap && !self.is_frozen()?;
            if freeze {
                self.freeze()?;
            }
            let written = directory.change_devices(&change.lines);
            let thawed = if freeze { self.thaw() } else { Ok(()) };
            return written.and(thawed).map(|()| None);
        }
        let Some(directory) = self.of(Version::V2).next() else {
            return Err(Error::Unsupported { what: "change devices", needs: "devices.list or cgroup v2" });
        };
        let program = device::v2::program(&rules);
        Ok(Some(NewProgram { directory: directory.fd.as_fd(), program }))
    }
}

impl Directory {
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
