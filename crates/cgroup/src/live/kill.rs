//! Processes of a group, and ending them.

use super::{Cgroup, Directory, Error, Version, read_at, wait, write_at};
use crate::text;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long [`Cgroup::kill_all`] tries. A process in an uninterruptible sleep, say on a network disk, can outlast it.
const KILL_WITHIN: Duration = Duration::from_secs(10);
/// How long is waited for exits before the group is looked at again.
const ROUND: Duration = Duration::from_millis(100);

impl Cgroup {
    /// The processes in the group and in all groups below, in any of the hierarchies, by pid in the caller's pid
    /// namespace. A process that the namespace cannot see is left out.
    ///
    /// # Errors
    /// A `cgroup.procs` cannot be read.
    pub fn processes(&self) -> Result<Vec<i32>, Error> {
        let mut pids = BTreeSet::new();
        for directory in &self.directories {
            pids.extend(directory.processes()?);
        }
        Ok(pids.into_iter().collect())
    }

    /// Ends every process in the group and in all groups below, and waits until they are gone.
    ///
    /// v2 has `cgroup.kill` (Linux 5.14), which no fork escapes. In v1 the group is frozen, each process is sent
    /// SIGKILL through a pidfd, and the group is thawed so that they die; until none is left. A frozen group is
    /// thawed, too: a process frozen by v1 does not take notice of a signal.
    ///
    /// # Errors
    /// A process that cannot be signalled, or that is not gone after ten seconds.
    pub fn kill_all(&self) -> Result<(), Error> {
        let deadline = Instant::now() + KILL_WITHIN;
        loop {
            for directory in self.of(Version::V2) {
                match write_at(&directory.fd, "cgroup.kill", "1") {
                    Ok(()) | Err(Errno::NOENT | Errno::NODEV | Errno::OPNOTSUPP) => {}
                    Err(source) => {
                        let (file, value) = (directory.path.join("cgroup.kill"), "1".to_owned());
                        return Err(Error::Write { file, value, source });
                    }
                }
            }
            let pids = self.processes()?;
            let Some(first) = self.directories.first().filter(|_| !pids.is_empty()) else { return Ok(()) };
            if Instant::now() > deadline {
                let path = first.path.clone();
                return Err(Error::Timeout { path, state: "empty", after: KILL_WITHIN, pids });
            }
            let pidfds = self.kill_each(&pids, first)?;
            wait::for_exit(&pidfds, ROUND.min(deadline.saturating_duration_since(Instant::now()))).map_err(
                |source| Error::Process { call: "wait for", pid: pids[0], path: first.path.clone(), source },
            )?;
            if pidfds.is_empty() {
                wait::a_moment();
            }
        }
    }

    /// Sends SIGKILL to these processes, if they still are in the group; returns handles to them.
    fn kill_each(&self, pids: &[i32], first: &Directory) -> Result<Vec<OwnedFd>, Error> {
        let freezers: Vec<_> = self
            .of(Version::V1)
            .filter(|directory| read_at(&directory.fd, "freezer.state").is_ok())
            .collect();
        for freezer in &freezers {
            freezer.write("freezer.state", "FROZEN")?;
        }
        let handles: Vec<_> = pids
            .iter()
            .filter_map(|&pid| Some((pid, pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?)))
            .collect();
        // A pid may have passed to a stranger before its handle was made. One that is still listed now is either
        // ours, or its handle is to a process that has ended.
        let still: BTreeSet<_> = self.processes()?.into_iter().collect();
        let mut killed = Vec::new();
        let mut refused = None;
        for (pid, handle) in handles.into_iter().filter(|(pid, _)| still.contains(pid)) {
            match pidfd_send_signal(&handle, Signal::KILL) {
                Ok(()) => killed.push(handle),
                Err(Errno::SRCH) => {}
                Err(source) => {
                    let path = first.path.clone();
                    refused = Some(Error::Process { call: "kill", pid, path, source });
                }
            }
        }
        for freezer in &freezers {
            freezer.each(&mut |group| write_at(group, "freezer.state", "THAWED"))?;
        }
        refused.map_or(Ok(killed), Err)
    }
}

impl Directory {
    /// The processes in this directory and below.
    pub(super) fn processes(&self) -> Result<BTreeSet<i32>, Error> {
        let mut pids = BTreeSet::new();
        self.each(&mut |group| match read_at(group, "cgroup.procs") {
            Ok(text) => {
                pids.extend(text::processes(&text));
                Ok(())
            }
            // A group of threads; their processes are listed in the domain above.
            Err(Errno::OPNOTSUPP) => Ok(()),
            Err(error) => Err(error),
        })?;
        Ok(pids)
    }
}
