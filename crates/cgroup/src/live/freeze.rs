//! Stopping a group where it stands.

use super::{Cgroup, Directory, Error, Version, read_at, wait, write_at};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the kernel may take to stop every process. One in an uninterruptible sleep cannot be stopped.
const FREEZE_WITHIN: Duration = Duration::from_secs(10);

const NO_FREEZER: Error = Error::Unsupported { what: "freeze", needs: "cgroup.freeze or freezer.state" };

/// v1's file.
const V1: &str = "freezer.state";

/// The file that freezes, in the version of its hierarchy.
enum Freezer<'a> {
    V1(&'a Directory),
    V2(&'a Directory),
}

impl Cgroup {
    /// Stops every process of the group and waits until all are. v2's freezer is preferred where the group is in
    /// both: it tells when it is done, and a process frozen by it can still be killed.
    ///
    /// # Errors
    /// No freezer, or a process that cannot be stopped within ten seconds; then all are let go again.
    pub fn freeze(&self) -> Result<(), Error> {
        let deadline = Instant::now() + FREEZE_WITHIN;
        let (directory, frozen) = match self.freezers()?[0] {
            Freezer::V2(directory) => {
                directory.write("cgroup.freeze", "1")?;
                (directory, wait::for_event(directory, "frozen 1", deadline)?)
            }
            Freezer::V1(directory) => (directory, freeze_v1(directory, deadline)?),
        };
        if frozen {
            return Ok(());
        }
        self.thaw()?;
        let (path, pids) = (directory.path.clone(), directory.processes()?.into_iter().collect());
        Err(Error::Timeout { path, state: "frozen", after: FREEZE_WITHIN, pids })
    }

    /// Lets a frozen group run, whichever of its freezers stopped it. One that is not frozen stays as it is.
    ///
    /// # Errors
    /// No freezer, the kernel refuses, or a group above is frozen: this one goes on when that one does.
    pub fn thaw(&self) -> Result<(), Error> {
        for freezer in self.freezers()? {
            match freezer {
                Freezer::V1(directory) => {
                    directory.write("freezer.state", "THAWED")?;
                    directory.must_go_on()?;
                }
                Freezer::V2(directory) => {
                    directory.write("cgroup.freeze", "0")?;
                    directory.must_go_on()?;
                    let deadline = Instant::now() + FREEZE_WITHIN;
                    if !wait::for_event(directory, "frozen 0", deadline)? {
                        let (path, pids) = (directory.path.clone(), Vec::new());
                        return Err(Error::Timeout { path, state: "thawed", after: FREEZE_WITHIN, pids });
                    }
                }
            }
        }
        Ok(())
    }

    /// Thaws the group and all below in v1's freezer, whose processes do not take notice of SIGKILL. What v2 has frozen
    /// can be killed as it is. A group without a freezer, or that is gone, has none to thaw.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn let_die(&self) -> Result<(), Error> {
        for directory in self.of(Version::V1).filter(|directory| read_at(&directory.fd, V1).is_ok()) {
            directory.each(&mut |group| match read_at(group, V1)?.trim() {
                "THAWED" => Ok(()),
                _ => write_at(group, V1, "THAWED"),
            })?;
        }
        Ok(())
    }

    /// The group above that keeps this one frozen, if one does.
    #[must_use]
    pub fn frozen_above(&self) -> Option<PathBuf> {
        self.directories.iter().find_map(Directory::frozen_above)
    }

    /// Whether the group is frozen by any of its freezers, or on its way there.
    ///
    /// # Errors
    /// No freezer.
    pub fn is_frozen(&self) -> Result<bool, Error> {
        let v2 = self.find(Version::V2, "cgroup.freeze")?;
        let v1 = self.find(Version::V1, "freezer.state")?;
        if v2.is_none() && v1.is_none() {
            return Err(NO_FREEZER);
        }
        if v2.into_iter().chain(v1).any(|(_, text)| !matches!(text.trim(), "0" | "THAWED")) {
            return Ok(true);
        }
        // v2 does not tell in cgroup.freeze that a group above is frozen; v1's freezer.state does.
        let events = self.find(Version::V2, "cgroup.events")?.map(|(_, text)| text).unwrap_or_default();
        Ok(events.lines().any(|line| line == "frozen 1"))
    }

    /// The freezers of the group, v2's first; there is at least one.
    fn freezers(&self) -> Result<Vec<Freezer<'_>>, Error> {
        let v2 = self.find(Version::V2, "cgroup.freeze")?.map(|(directory, _)| Freezer::V2(directory));
        let v1 = self.find(Version::V1, "freezer.state")?.map(|(directory, _)| Freezer::V1(directory));
        match v2.into_iter().chain(v1).collect::<Vec<_>>() {
            none if none.is_empty() => Err(NO_FREEZER),
            freezers => Ok(freezers),
        }
    }
}

impl Directory {
    fn must_go_on(&self) -> Result<(), Error> {
        let above = self.frozen_above();
        above.map_or(Ok(()), |above| Err(Error::FrozenAbove { path: self.path.clone(), above }))
    }

    /// The nearest group above that was frozen by itself.
    fn frozen_above(&self) -> Option<PathBuf> {
        let (file, frozen) = match self.version {
            Version::V1 => ("freezer.self_freezing", "1"),
            Version::V2 => ("cgroup.freeze", "1"),
        };
        let above = self.path.ancestors().skip(1);
        // The root of a hierarchy has neither file, and cannot be frozen.
        let state = |group: &Path| std::fs::read_to_string(group.join(file)).ok();
        let mut states = above.map_while(|group| Some((group, state(group)?)));
        states.find(|(_, state)| state.trim() == frozen).map(|(group, _)| group.to_owned())
    }
}

/// v1 tells nobody when it is done, and a process that forks in the middle may need to be asked again
/// (`admin-guide/cgroup-v1/freezer-subsystem.rst`).
fn freeze_v1(directory: &Directory, deadline: Instant) -> Result<bool, Error> {
    const FILE: &str = "freezer.state";
    loop {
        directory.write(FILE, "FROZEN")?;
        let state = read_at(&directory.fd, FILE).map_err(|source| directory.unreadable(FILE, source))?;
        if state.trim() == "FROZEN" {
            return Ok(true);
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
        wait::a_moment();
    }
}
