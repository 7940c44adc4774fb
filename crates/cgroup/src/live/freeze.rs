//! Stopping a group where it stands.

use super::{Cgroup, Directory, Error, Version, read_at, wait};
use std::time::{Duration, Instant};

/// How long the kernel may take to stop every process. One in an uninterruptible sleep cannot be stopped.
const FREEZE_WITHIN: Duration = Duration::from_secs(10);

const NO_FREEZER: Error = Error::Unsupported { what: "freeze", needs: "cgroup.freeze or freezer.state" };

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
    /// No freezer, or the kernel refuses.
    pub fn thaw(&self) -> Result<(), Error> {
        for freezer in self.freezers()? {
            match freezer {
                Freezer::V1(directory) => directory.write("freezer.state", "THAWED")?,
                Freezer::V2(directory) => {
                    directory.write("cgroup.freeze", "0")?;
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
        Ok(v2.into_iter().chain(v1).any(|(_, text)| !matches!(text.trim(), "0" | "THAWED")))
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
