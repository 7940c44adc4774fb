use crate::{Container, Error, Notify, Store};
use executor::{Kind, Message, Wire};
use plan::{NamespaceKind, Rendezvous};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{WaitId, WaitIdOptions};
use spec::{ContainerId, Status};
use std::ffi::OsStr;
use std::io;
use sys::socket::{address, open_directory};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It exited, with this code.
    Exited(i32),
    /// A signal ended it.
    Signaled(i32),
}

impl Ended {
    /// The exit code, or 128 and the signal, as shells say it.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Signaled(signal) => 128 + signal,
        }
    }

    /// Waits for the end of a child.
    ///
    /// # Errors
    /// The process is no child of this one.
    pub fn of(pidfd: impl AsFd) -> io::Result<Self> {
        loop {
            match rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED) {
                Ok(Some(status)) => {
                    let exited = status.exit_status().map(Self::Exited);
                    let signaled = status.terminating_signal().map(Self::Signaled);
                    return exited
                        .or(signaled)
                        .ok_or_else(|| io::Error::other("it neither exited nor was ended"));
                }
                Ok(None) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// A signal by number or name, with or without `SIG`, in any case; also `RTMIN+3` and `RTMAX-1`.
#[must_use]
pub fn signal_number(text: &str) -> Option<i32> {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
        "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
        "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    // Two of the kernel's 32 are kept by libc.
    const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;
    if let Ok(number) = text.parse() {
        // 0 is no signal but the question whether it could be sent (kill(2)).
        return (0..=64).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |base: i32, rest: &str| match rest {
        "" => Some(base),
        _ => rest.parse::<i32>().ok().map(|offset| base + offset).filter(|number| REAL_TIME.contains(number)),
    };
    if let Some(rest) = name.strip_prefix("RTMIN") {
        return real_time(*REAL_TIME.start(), rest);
    }
    if let Some(rest) = name.strip_prefix("RTMAX") {
        return real_time(*REAL_TIME.end(), rest);
    }
    (1..).zip(NAMES).find(|(_, known)| *known == name).map(|(number, _)| number)
}

impl Container {
    pub(crate) fn refuse<T>(&self, command: &'static str, needs: &'static str) -> Result<T, Error> {
        Err(Error::Status { id: self.record.id.to_string(), status: self.status(), command, needs })
    }

    /// Its init by descriptor, while it lives.
    pub(crate) fn init(&self) -> Option<OwnedFd> {
        self.record.init.as_ref()?.open()
    }
}

impl Container {
    /// What to tell when the kernel killed processes of the container for lack of memory: the limit, the peak
    /// and the cgroup. `None`: it did not, or nobody counts.
    #[must_use]
    pub fn out_of_memory(&self) -> Option<String> {
        let group = cgroup::live::Cgroup::open(&self.record.cgroups).ok()?;
        let report = group.oom_report().ok()??;
        (report.kills > 0).then(|| report.to_string())
    }
}

impl Store {
    /// Lets the program of a created container start.
    ///
    /// `manager` is the socket of a service manager: it is told when the program is ready, and that is waited for.
    ///
    /// # Errors
    /// The container is not in the state `created`, or its program cannot be executed. Where a hook failed the
    /// container is destroyed (runtime.md, "Lifecycle", steps 7 and 9).
    pub fn start(&self, id: &ContainerId, manager: Option<&OsStr>) -> Result<(), Error> {
        self.pass_creator(id, false, ("start", "created"))?;
        let mut container = self.open_locked(id)?;
        if container.status() != Status::Created {
            return container.refuse("start", "created");
        }
        let listen = |manager| Notify::listen(container.directory(), manager);
        let notify = manager.map(listen).transpose()?.flatten();
        let connect = || -> io::Result<Wire> {
            let directory = open_directory(container.directory())?;
            let socket = rustix::net::socket_with(
                AddressFamily::UNIX,
                SocketType::SEQPACKET,
                SocketFlags::CLOEXEC,
                None,
            )?;
            rustix::net::connect(&socket, &address(&directory, crate::store::SOCKET)?)?;
            let wire = Wire::over(socket);
            wire.send(&Message::Meet(Rendezvous::Start))?;
            Ok(wire)
        };
        let wire = connect().map_err(Error::file("cannot reach init through", container.start_socket()))?;
        let started = wire.wait_for_program();
        let socket = container.start_socket();
        std::fs::remove_file(&socket).map_err(Error::file("cannot remove", socket))?;
        match started {
            Ok(()) => {
                // A hook may take its time, and others must be able to end the container meanwhile.
                container.unlock();
                container.poststart().map_err(|error| self.destroy(&container, error))?;
                match (notify, container.init()) {
                    (Some(notify), Some(init)) => {
                        notify.wait(init.as_fd(), container.pid()).map_err(Error::Attend)
                    }
                    _ => Ok(()),
                }
            }
            Err(failure) if failure.kind == Kind::Hook => Err(self.destroy(&container, failure.into())),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Ends and removes a container whose creation or start failed, and runs the hooks that follow its end; the
    /// failure, with what could not be undone. It is what the user has to mend, so it comes first.
    #[must_use]
    pub fn destroy(&self, container: &Container, error: Error) -> Error {
        let mut failures: Vec<String> =
            end(container).err().map(|error| error.to_string()).into_iter().collect();
        failures.extend(executor::undo(&container.record.undo));
        failures.extend(self.remove_directory(&container.record.id).err().map(|error| error.to_string()));
        let path = |hook: &plan::Hook| hook.path.display().to_string();
        let hooks = container.poststop().into_iter();
        failures.extend(hooks.map(|(hook, why)| format!("run {hook}: {} {why}", path(hook))));
        match failures.is_empty() {
            true => error,
            false => Error::Unclean { error: Box::new(error), failures },
        }
    }

    /// Sends a signal to the container's init; `all`: to everything in its cgroups, also when init has ended.
    ///
    /// # Errors
    /// The container does not run, or may not be signalled.
    pub fn kill(&self, id: &ContainerId, signal: i32, all: bool) -> Result<(), Error> {
        let container = self.open(id)?;
        let told = |error| Error::Signal { id: id.to_string(), signal, error };
        // Without a pid namespace the end of init is not the end of the others.
        let others = all || (signal == 9 && !container.record.namespaces.contains(&NamespaceKind::Pid));
        let Some(init) = container.init() else {
            if all || (others && self.processes(id).is_ok_and(|left| !left.is_empty())) {
                return self.signal_all(&container, signal, None).map_err(told);
            }
            return container.refuse("kill", "created or running");
        };
        if others {
            return self.signal_all(&container, signal, Some(init.as_fd())).map_err(told);
        }
        sys::signal::send(&init, signal).map_err(told)?;
        if signal == 9 { container.let_die() } else { Ok(()) }
    }

    /// Removes a container that has ended; `force`: ends it before, and finishes what a killed runtime
    /// left. Forcing what does not exist is no error. What is returned is worth a warning, one sentence each.
    ///
    /// # Errors
    /// The container runs, or something of it cannot be removed.
    pub fn delete(&self, id: &ContainerId, force: bool) -> Result<Vec<String>, Error> {
        self.pass_creator(id, force, ("delete", "stopped"))?;
        let container = match self.open_locked(id) {
            // A start that was killed before its first record changed nothing but this directory.
            Err(Error::Missing(_)) if force => return self.remove_leftover(id).map(|()| Vec::new()),
            container => container?,
        };
        let (status, init) = container.look();
        match (status, &init) {
            (Status::Stopped | Status::Created, _) | (_, None) => {}
            _ if force => {}
            (_, Some(init)) if ends_soon(init.as_fd()) => {}
            _ => return container.refuse("delete", "stopped"),
        }
        end_init(&container, init)?;
        self.remove(&container)
    }

    /// Waits while another process creates the container. A creator that runs hooks holds the lock for as long as
    /// they like, and a hook may be who asks: then `ending` ends its init, so that the creator fails and cleans up;
    /// any other command is refused.
    fn pass_creator(
        &self,
        id: &ContainerId,
        ending: bool,
        refusal: (&'static str, &'static str),
    ) -> Result<(), Error> {
        const PAUSE: std::time::Duration = std::time::Duration::from_millis(10);
        loop {
            let container = match self.open(id) {
                Ok(container) if container.is_being_created() && container.is_locked()? => container,
                _ => return Ok(()),
            };
            match (container.init(), ending) {
                (Some(_), false) => return container.refuse(refusal.0, refusal.1),
                (Some(_), true) => end(&container)?,
                (None, _) => {}
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Removes what is left of a container whose init has ended, and runs the hooks that follow its end. What is
    /// returned is worth a warning, one sentence each.
    ///
    /// # Errors
    /// Everything that could not be removed; its name stays taken then, so that it can be tried again.
    pub fn remove(&self, container: &Container) -> Result<Vec<String>, Error> {
        let _held = match container.is_held() {
            true => None,
            // Somebody else may have removed it, and made another of that name.
            false => match self.open_locked(&container.record.id) {
                Ok(now) if now.record.init == container.record.init => Some(now),
                Ok(_) | Err(Error::Missing(_)) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            },
        };
        container.undo()?;
        self.remove_directory(&container.record.id)?;
        Ok(crate::hooks::warnings(container.poststop()))
    }

    /// Sends a signal to everything in the container's cgroups.
    fn signal_all(&self, container: &Container, signal: i32, init: Option<BorrowedFd>) -> io::Result<()> {
        let group = cgroup::live::Cgroup::open(&container.record.cgroups).map_err(io::Error::other)?;
        // The groups were opened by their names. While the record is there the names are not another container's.
        match self.open(&container.record.id) {
            Ok(now) if now.record.init == container.record.init => {}
            _ => return Ok(()),
        }
        let without = container.record.cgroups.is_empty();
        if signal == 9 && !without {
            return group.kill_all().map_err(io::Error::other);
        }
        let members = if without { container.members() } else { None };
        let alone = without && members.is_none();
        let pids = members.map_or_else(|| group.processes(), Ok).map_err(io::Error::other)?;
        for pid in pids {
            let Some(pid) = rustix::process::Pid::from_raw(pid) else { continue };
            let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else {
                continue;
            };
            match sys::signal::send(&pidfd, signal) {
                // It ended between the list and the signal.
                Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => {}
                result => result?,
            }
        }
        // Without cgroups and a pid namespace init is all that is known of it.
        match init.filter(|_| alone) {
            Some(init) => sys::signal::send(init, signal),
            None => Ok(()),
        }
    }
}

/// Ends the init of a container, if it has one.
fn end(container: &Container) -> Result<(), Error> {
    end_init(container, container.init())
}

fn end_init(container: &Container, init: Option<OwnedFd>) -> Result<(), Error> {
    let Some(init) = init else { return Ok(()) };
    let told = |error| Error::Signal { id: container.record.id.to_string(), signal: 9, error };
    match sys::signal::send(&init, 9) {
        Err(error) if error.raw_os_error() != Some(Errno::SRCH.raw_os_error()) => Err(told(error)),
        _ => {
            container.let_die()?;
            wait_for_end(init.as_fd()).map_err(|error| {
                match container.cgroups().ok().and_then(|group| group.frozen_above()) {
                    Some(above) => Error::FrozenAbove { id: container.record.id.to_string(), above },
                    None => told(error),
                }
            })
        }
    }
}

/// Whether the program of a running container comes to its end within a moment: callers that start something short delete
/// it right afterwards, and other runtimes take that long to start it.
fn ends_soon(init: BorrowedFd) -> bool {
    let moment = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    matches!(poll(&mut [PollFd::new(&init, PollFlags::IN)], Some(&moment)), Ok(1..))
}

/// Waits until a process that was sent SIGKILL is gone, for at most ten seconds.
pub(crate) fn wait_for_end(pidfd: BorrowedFd) -> io::Result<()> {
    let limit = Timespec { tv_sec: 10, tv_nsec: 0 };
    match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&limit))? {
        0 => Err(io::Error::other("it does not end; it hangs in the kernel")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        let cases = [
            ("9", Some(9)),
            ("KILL", Some(9)),
            ("SIGTERM", Some(15)),
            ("sigusr1", Some(10)),
            ("SIGSYS", Some(31)),
            ("RTMIN", Some(34)),
            ("SIGRTMIN+3", Some(37)),
            ("RTMAX-1", Some(63)),
            ("RTMIN+99", None),
            ("0", Some(0)),
            ("65", None),
            ("MOO", None),
            ("", None),
        ];
        for (text, number) in cases {
            assert_eq!(signal_number(text), number, "{text:?}");
        }
    }
}
