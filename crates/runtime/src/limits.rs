//! What is done to a container through its cgroups while it lives: pausing, shares, the list of its processes.

use crate::{Container, Error, Store};
use cgroup::live::Cgroup;
use spec::{ContainerId, IntelRdt, NamespaceKind, Status};

impl Container {
    /// Its cgroups, in all hierarchies.
    pub(crate) fn cgroups(&self) -> Result<Cgroup, Error> {
        Ok(Cgroup::open(&self.record.cgroups)?)
    }

    /// Whether its processes are frozen. One without cgroups is not: nobody could do it.
    pub(crate) fn is_paused(&self) -> bool {
        let groups = self.record.unified.iter().chain(&self.record.freezer);
        Cgroup::open(groups).is_ok_and(|group| group.is_frozen().unwrap_or(false))
    }

    /// Lets processes that were sent SIGKILL take notice of it: v1's freezer keeps them from that, also in groups that the
    /// container made.
    pub(crate) fn let_die(&self) -> Result<(), Error> {
        match self.cgroups()?.let_die() {
            // Somebody else has ended it, too, and removed its groups.
            Err(_) if self.cgroups()?.is_gone() => Ok(()),
            thawed => Ok(thawed?),
        }
    }

    /// The processes in a pid namespace of its own; `None`: it has none. One that has ended has no processes.
    pub(crate) fn members(&self) -> Option<Vec<i32>> {
        let Some(pid) = self.pid() else { return Some(Vec::new()) };
        let own = self.record.namespaces.contains(&NamespaceKind::Pid);
        own.then(|| crate::members::of(pid).ok().flatten()).flatten()
    }

    /// Its cgroups, of a container that lives and has some.
    pub(crate) fn living(&self, command: &'static str) -> Result<Cgroup, Error> {
        if !matches!(self.status(), Status::Created | Status::Running | Status::Paused) {
            return self.refuse(command, "created or running");
        }
        match self.record.cgroups.is_empty() {
            true => Err(Error::NoCgroups { id: self.record.id.to_string(), command }),
            false => self.cgroups(),
        }
    }
}

impl Store {
    /// Stops every process of a container where it stands. One that is paused stays so.
    ///
    /// # Errors
    /// The container does not run, has no cgroup that can freeze, or has a process that cannot be stopped.
    pub fn pause(&self, id: &ContainerId) -> Result<(), Error> {
        Ok(self.open_locked(id)?.living("pause")?.freeze()?)
    }

    /// Lets a paused container go on.
    ///
    /// # Errors
    /// It is not paused.
    pub fn resume(&self, id: &ContainerId) -> Result<(), Error> {
        let container = self.open_locked(id)?;
        if container.status() != Status::Paused {
            return container.refuse("resume", "paused");
        }
        Ok(container.cgroups()?.thaw()?)
    }

    /// Changes a container's shares of caches and memory bandwidth; what is not mentioned stays.
    ///
    /// # Errors
    /// The container does not run, its configuration has no `intelRdt`, or the kernel refuses a share.
    pub fn update_shares(&self, id: &ContainerId, shares: &IntelRdt) -> Result<(), Error> {
        let container = self.open_locked(id)?;
        if !matches!(container.status(), Status::Created | Status::Running | Status::Paused) {
            return container.refuse("update", "created or running");
        }
        let config = container.config()?;
        let asked = config.linux.as_ref().and_then(|linux| linux.intel_rdt.as_ref());
        let (Some(asked), Some(resctrl)) = (asked, host::resctrl()?) else {
            return Err(Error::NoShares(id.to_string()));
        };
        let file = planner::resctrl_group(asked, &resctrl, id)?;
        executor::write_schemata(&file, &planner::schemata(shares))
            .map_err(Error::file("cannot change the schemata of", file))
    }

    /// The pids of a container's processes, in the runtime's pid namespace.
    ///
    /// # Errors
    /// The container has neither cgroups nor a pid namespace of its own to ask.
    pub fn processes(&self, id: &ContainerId) -> Result<Vec<i32>, Error> {
        let container = self.open(id)?;
        if !container.record.cgroups.is_empty() {
            return Ok(container.cgroups()?.processes()?);
        }
        let none = || Error::NoCgroups { id: id.to_string(), command: "ps" };
        container.members().ok_or_else(none)
    }
}
