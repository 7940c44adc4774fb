//! Which function performs which operation, for each side.

use crate::channel::{Message, Wire};
use crate::failure::{Error, Failure};
use crate::{
    Launched, Slots, cgroups, end_process, hook, inside, landlock, listener, mounts, net_devices, process,
    resctrl, schedule, terminal,
};
use plan::{
    BpfInstruction, Hook, NamespaceKind, NetworkPlace, Op, Rendezvous, Slot, Status, Subject, Target,
    TreeSource, Within,
};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use rustix::process::Pid;
use std::ffi::CString;
use std::io;
use sys::clone::Process;

/// The process that creates the container, while it performs its script.
pub(crate) struct Host<'a> {
    slots: Slots,
    record: &'a mut dyn FnMut(Pid, Status) -> io::Result<()>,
    init: Option<(Pid, OwnedFd, Wire)>,
}

impl<'a> Host<'a> {
    pub(crate) fn new(slots: Slots, record: &'a mut dyn FnMut(Pid, Status) -> io::Result<()>) -> Self {
        Self { slots, record, init: None }
    }

    /// Performs one step. `script` gives what the process that a clone step makes does with its life.
    pub(crate) fn perform<F>(&mut self, op: &Op, script: impl FnOnce() -> F) -> Result<(), Error>
    where
        F: FnOnce(Slots, Wire),
    {
        match op {
            Op::Clone { namespaces, cgroup, within } => {
                self.clone(process::bits(namespaces), *cgroup, within, script())
            }
            Op::MakeCgroup { directory } => cgroups::make(directory),
            Op::InheritCpuset { directory, mount } => cgroups::inherit(directory, mount),
            Op::WriteCgroup { file, value, fallback } => cgroups::write(file, value, fallback.as_ref()),
            Op::AssignResctrl { group, makes, schemata, monitor } => {
                resctrl::assign(group, *makes, schemata, monitor.as_deref(), self.init()?.0)
            }
            Op::JoinCgroup { file } => cgroups::join(file, self.init()?.0),
            Op::StartUnit { unit, properties, takes_init } => {
                let init = if *takes_init { Some(self.init()?.0) } else { None };
                cgroups::start_unit(unit, properties, init)
            }
            Op::OpenCgroup { directory } => cgroups::open(&mut self.slots, directory),
            Op::GiveCgroup { directory, uid } => cgroups::give(directory, *uid),
            Op::FilterDevices { directory, program } => cgroups::filter_devices(directory, program),
            Op::WriteIdMap { kind, text } => {
                let pid = self.init()?.0;
                process::write_id_map(&self.slots, pid, *kind, text)
            }
            Op::RunIdMapper { program, text, .. } => hook::map_ids(program, self.init()?.0, text),
            Op::DenySetgroups => {
                let pid = self.init()?.0.as_raw_nonzero();
                process::write_proc(&self.slots, &format!("{pid}/setgroups"), "deny")
            }
            Op::SetScheduler { whose: Subject::Init, .. }
            | Op::SetIoPriority { whose: Subject::Init, .. } => schedule::set(op, Some(self.init()?.0)),
            Op::SetOomScoreAdj { whose: Subject::Init, value } => {
                let file = format!("{}/oom_score_adj", self.init()?.0.as_raw_nonzero());
                process::write_proc(&self.slots, &file, &value.to_string())
            }
            Op::SetOomScoreAdj { whose: Subject::Itself, .. } => process::attribute(op, &self.slots),
            Op::SetAffinity { .. } => schedule::set(op, None),
            Op::MoveNetDevice { name, new_name, into } => self.move_net_device(name, new_name, *into),
            Op::ReturnTo { kind } => process::return_to(&self.slots, *kind),
            Op::Record { status } => {
                let pid = self.init()?.0;
                Ok((self.record)(pid, *status)?)
            }
            Op::RunHook { hook, state } => {
                let (pid, pidfd, _) = self.init()?;
                hook::run(hook, state, *pid, Some(pidfd.as_fd()))
            }
            Op::TakeListener => {
                let number = self.init()?.2.listener()?;
                let (_, pidfd, _) = self.init.as_ref().ok_or(Errno::SRCH)?;
                listener::take(&mut self.slots, pidfd, number)
            }
            Op::SendListener { socket, state } => {
                let pid = self.init()?.0;
                listener::send(&mut self.slots, socket, state, pid)
            }
            Op::Send { rendezvous } => send(&self.init()?.2, *rendezvous),
            Op::Await { rendezvous } => self.init()?.2.meet(*rendezvous),
            both => either_side(both, &mut self.slots),
        }
    }

    fn move_net_device(&self, name: &str, new_name: &str, into: NetworkPlace) -> Result<(), Error> {
        let slots = &self.slots;
        let namespace = match into {
            NetworkPlace::Made => net_devices::namespace_of(slots, "self")?,
            NetworkPlace::Init => {
                net_devices::namespace_of(slots, &self.init()?.0.as_raw_nonzero().to_string())?
            }
            NetworkPlace::Joined => {
                slots.get(Slot::Namespace(NamespaceKind::Network))?.try_clone_to_owned()?
            }
        };
        net_devices::move_device(slots, name, new_name, namespace.as_fd())
    }

    fn init(&self) -> Result<&(Pid, OwnedFd, Wire), Error> {
        self.init.as_ref().ok_or_else(|| Error::told(rustix::io::Errno::SRCH, "init is not there yet"))
    }

    fn clone(
        &mut self,
        namespaces: u64,
        cgroup: Option<Slot>,
        within: &[Within],
        script: impl FnOnce(Slots, Wire),
    ) -> Result<(), Error> {
        let (ours, theirs) = Wire::pair()?;
        let cgroup = cgroup.map(|slot| self.slots.get(slot)).transpose()?;
        let within = within.iter().map(|one| Ok((self.slots.get(one.slot)?, process::bits(&one.namespaces))));
        let within = within.collect::<Result<Vec<_>, Error>>()?;
        let process = match within.as_slice() {
            [] => sys::clone::clone(namespaces, cgroup)?,
            within => sys::clone::clone_within(within, namespaces, cgroup)?,
        };
        match process {
            Process::Parent { pid, pidfd } => {
                self.init = Some((pid, pidfd, ours));
                Ok(())
            }
            Process::Child => {
                // Whatever happens, this copy of the caller must never return into the caller's code.
                let _never_return = EndAtUnwind;
                drop(ours);
                script(std::mem::take(&mut self.slots), theirs);
                sys::process::exit_now(1)
            }
        }
    }

    /// Ends init after a step of the host failed. Where init failed first, its word is the better one: the
    /// host's error is only that nobody answers.
    pub(crate) fn stop_init(&mut self, error: Error) -> Error {
        let Some((_, pidfd, channel)) = self.init.take() else { return error };
        end_process(&pidfd);
        let mut peer = None;
        while let Ok(Some(message)) = channel.receive() {
            if let Message::Failed(failure) = message {
                peer = Some(failure);
            }
        }
        match (error, peer) {
            (Error::Peer(failure), _) => Error::Peer(failure),
            (_, Some(failure)) => Error::Peer(Box::new(failure)),
            (error, None) => error,
        }
    }

    pub(crate) fn finish(self) -> Result<Launched, Failure> {
        let (pid, pidfd, channel) = self.init.ok_or_else(Failure::died)?;
        Ok(Launched { pid, pidfd, channel })
    }
}

/// Ends the process where a panic would unwind out of it.
struct EndAtUnwind;

impl Drop for EndAtUnwind {
    fn drop(&mut self) {
        sys::process::exit_now(1);
    }
}

/// The process that becomes the container, while it performs its script.
pub(crate) struct Init {
    slots: Slots,
    channel: Wire,
    /// The process of the other script, in its own pid namespace.
    host: Pid,
    program: Option<CString>,
    /// Whether a filter is in force: then it speaks by write(2) alone.
    filtered: bool,
    /// What [`Op::FindHome`] found.
    home: Option<String>,
}

impl Init {
    pub(crate) fn new(slots: Slots, channel: Wire, host: Pid) -> Self {
        Self { slots, channel, host, program: None, home: None, filtered: false }
    }

    pub(crate) fn perform(&mut self, op: &Op) -> Result<(), Error> {
        match op {
            Op::Send { rendezvous } => send(&self.channel, *rendezvous),
            Op::Await { rendezvous } => self.channel.meet(*rendezvous),
            Op::AwaitStart => self.await_start(),
            Op::AdoptNamespace { kind } => process::adopt_namespace(&self.slots, self.host, *kind),
            Op::EnterCgroup { file } => cgroups::enter(file),
            Op::CloseDescriptors { from, keep } => {
                let channel = self.channel.as_fd();
                Ok(sys::fd::close_from_but(*from, self.slots.only(keep).chain([channel]))?)
            }
            Op::FindHome { uid } => {
                self.home = Some(crate::home::find(&self.slots, *uid)?);
                Ok(())
            }
            Op::FindProgram { name, search } => {
                self.program = Some(crate::program::find(name, search)?);
                Ok(())
            }
            Op::RunHook { hook, state } => {
                let home = self.home.as_deref().filter(|_| hook.home);
                let env = hook.env.as_ref().map(|env| crate::home::add(env, home).into_owned());
                let hook = &Hook { env, ..hook.clone() };
                hook::run(hook, state, rustix::process::getpid(), None)
            }
            Op::Restrict { rules } => landlock::restrict(rules),
            Op::SetSeccomp { flags, program, .. } => self.set_filter(*flags, program),
            Op::OfferListener => {
                let number = self.slots.get(Slot::Listener)?.as_raw_fd();
                Ok(self.say(&Message::Listener(number))?)
            }
            Op::Exec { args, env } => {
                let env = crate::home::add(env, self.home.as_deref());
                Err(crate::program::exec(self.program.as_deref(), args, &env))
            }
            Op::ExecUnderInit { args, env } => {
                let env = crate::home::add(env, self.home.as_deref());
                let program = self.program.as_deref();
                Err(crate::program::exec_under_init(self.slots.get(Slot::Cuddy)?, program, args, &env))
            }
            Op::SetHostname { .. }
            | Op::SetDomainname { .. }
            | Op::LinkUp { .. }
            | Op::SetSysctl { .. }
            | Op::SetRlimit { .. }
            | Op::SetOomScoreAdj { .. }
            | Op::SetUmask { .. }
            | Op::SetNotDumpable
            | Op::ResetSignals
            | Op::NewSession
            | Op::NewKeyring { .. }
            | Op::SetSecurityAttribute { .. }
            | Op::ChangeDirectory { .. } => process::attribute(op, &self.slots),
            Op::SetScheduler { .. }
            | Op::SetIoPriority { .. }
            | Op::SetAffinity { .. }
            | Op::ResetAffinity
            | Op::SetPersonality { .. }
            | Op::SetMemoryPolicy { .. } => schedule::set(op, None),
            Op::OwnStdio { .. }
            | Op::DropBounding { .. }
            | Op::KeepCapabilities
            | Op::SetGroups { .. }
            | Op::SetGid { .. }
            | Op::SetUid { .. }
            | Op::SetCapabilities { .. }
            | Op::SetAmbient { .. }
            | Op::SetNoNewPrivileges => process::privilege(op),
            Op::PassDescriptors { slots } => self.pass(slots),
            Op::OpenTerminal { rows, columns, plain_lines } => {
                terminal::open(&mut self.slots, (*rows, *columns), *plain_lines)
            }
            Op::SendConsole => terminal::send(&mut self.slots),
            Op::UseTerminal => terminal::take(&mut self.slots),
            Op::SetPropagation { recursive, propagation } => {
                mounts::set_propagation(*recursive, *propagation)
            }
            Op::CopyMode { slot, path } => inside::copy_mode(&self.slots, *slot, path),
            Op::CopyUp { slot, path, keeps_mode } => inside::copy_up(&self.slots, *slot, path, *keeps_mode),
            Op::SetLabel { slot, label } => mounts::set_label(self.slots.get(*slot)?, label),
            Op::Reconfigure { path, options } => {
                mounts::reconfigure(inside::mount_point(&self.slots, path)?.as_fd(), options)
            }
            Op::ChangeMount { path, recursive, set, clear, propagation } => {
                let mount = inside::mount_point(&self.slots, path)?;
                mounts::set_attr(mount.as_fd(), *recursive, *set, *clear, *propagation)
            }
            Op::NoteMount { slot, file } => Ok(crate::noted::note(self.slots.get(*slot)?, file)?),
            Op::Mask { path } => inside::mask(&mut self.slots, path),
            Op::MakeReadOnly { path } => inside::make_read_only(&self.slots, path),
            Op::MakeRootReadOnly => mounts::make_root_read_only(&self.slots),
            Op::MakeDirectory { path, mode } => inside::make_directory(&self.slots, path, *mode),
            Op::Detach { place } => mounts::detach(place),
            Op::MakeSymlink { target, path } => inside::make_symlink(&self.slots, target, path),
            Op::PivotRoot => mounts::pivot_root(&self.slots),
            Op::MoveRoot => mounts::move_root(&self.slots),
            Op::Chroot => mounts::chroot(&self.slots),
            both => either_side(both, &mut self.slots),
        }
    }

    fn set_filter(&mut self, flags: u32, program: &[BpfInstruction]) -> Result<(), Error> {
        if let Some(listener) = process::set_filter(flags, program)? {
            self.slots.fill(Slot::Listener, listener);
        }
        self.filtered = true;
        Ok(())
    }

    fn say(&self, message: &Message) -> io::Result<()> {
        if self.filtered { self.channel.write(message) } else { self.channel.send(message) }
    }

    /// Puts descriptors where the program looks for them, and all others out of the way.
    fn pass(&mut self, slots: &[Slot]) -> Result<(), Error> {
        let passed = slots.iter().map(|slot| self.slots.take(*slot)).collect::<Result<Vec<_>, _>>()?;
        let above = 3 + i32::try_from(passed.len()).unwrap_or(i32::MAX);
        self.slots = Slots::default();
        self.channel.move_above(above)?;
        Ok(sys::fd::give(passed, 3)?)
    }

    /// Says that only the program remains, so that the end of the channel means that it runs.
    pub(crate) fn announce(&self) -> Result<(), Error> {
        Ok(self.say(&Message::Programming)?)
    }

    /// The creator is told and goes; the container can be ended like any other process. From here on whoever says `start` is told of failures.
    fn await_start(&mut self) -> Result<(), Error> {
        sys::signal::end_on_request()?;
        self.say(&Message::Meet(Rendezvous::Created))?;
        let listener = self.slots.take(Slot::StartSocket)?;
        loop {
            let starter = loop {
                match rustix::net::accept_with(&listener, SocketFlags::CLOEXEC) {
                    Ok(starter) => break Wire::over(starter),
                    Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNABORTED) => {}
                    Err(errno) => return Err(errno.into()),
                }
            };
            // A starter that goes away without a word changes nothing.
            if let Ok(Some(Message::Meet(Rendezvous::Start))) = starter.receive() {
                self.channel = starter;
                return Ok(());
            }
        }
    }

    /// Tells the other side what failed. Where it is gone, too, nobody is left to tell.
    pub(crate) fn report(&self, failure: &Failure) {
        let _ = self.say(&Message::Failed(failure.clone()));
    }
}

/// Steps that either script may have.
fn either_side(op: &Op, slots: &mut Slots) -> Result<(), Error> {
    match op {
        Op::OpenProc => process::open_proc(slots),
        Op::OpenCuddy => {
            slots.fill(Slot::Cuddy, sys::exe::read_only()?);
            Ok(())
        }
        Op::OpenNamespace { kind, file } => process::open_namespace(slots, *kind, file),
        Op::EnterNamespace { kind } => process::enter_namespace(slots, *kind),
        Op::EnterTarget { namespaces } => {
            Ok(sys::namespace::enter(slots.get(Slot::Target)?, process::bits(namespaces))?)
        }
        Op::OpenRoot { directory } => mounts::open_root(slots, directory),
        Op::OpenTargetRoot { pid } => process::open_target_root(slots, *pid),
        Op::Unshare { namespaces } => Ok(sys::namespace::unshare(process::bits(namespaces))?),
        Op::WriteTimeOffsets { text } => process::write_proc(slots, "self/timens_offsets", text),
        Op::NewMount { fstype, source, options, attr, slot } => {
            let mount = mounts::new(fstype, source.as_deref(), options, *attr)?;
            slots.fill(*slot, mount);
            Ok(())
        }
        Op::MakeDirectories { slot, names } => mounts::make_directories(slots, *slot, names),
        Op::CloneTree { source: TreeSource::Path(path), recursive, slot } => {
            let tree = mounts::clone_path(path, *recursive)?;
            if *slot == Slot::Root && !inside::is_a_directory(tree.as_fd())? {
                return Err(Error::told(Errno::NOTDIR, "it is not a directory"));
            }
            slots.fill(*slot, tree);
            Ok(())
        }
        Op::CloneTree { source: TreeSource::Inside(path), recursive, slot } => {
            let start = inside::find(slots, path)?;
            slots.fill(*slot, mounts::clone_descriptor(start.as_fd(), *recursive)?);
            Ok(())
        }
        Op::CloneTree { source: TreeSource::Slot(from), recursive, slot } => {
            let tree = mounts::clone_descriptor(slots.get(*from)?, *recursive)?;
            slots.fill(*slot, tree);
            Ok(())
        }
        Op::OpenNull => mounts::open_null(slots),
        Op::OpenNetlink => net_devices::open_netlink(slots),
        Op::MakeDevice { .. } => inside::make_device(slots, op),
        Op::MakeIdMap { users, groups, slot } => process::make_id_map(slots, users, groups, *slot),
        Op::SetIdMap { slot, map, recursive } => mounts::set_id_map(slots, *slot, *map, *recursive),
        Op::SetAttr { slot, recursive, set, clear, propagation } => {
            mounts::set_attr(slots.get(*slot)?, *recursive, *set, *clear, *propagation)
        }
        Op::Attach { slot, target: Target::Host(path) } => mounts::attach_on_host(slots, *slot, path),
        Op::Attach { slot, target: Target::Inside { path, follow, missing } } => {
            inside::attach(slots, *slot, path, *follow, *missing)
        }
        other => Err(Error::told(rustix::io::Errno::NOSYS, format!("{other} is in the wrong script"))),
    }
}

fn send(channel: &Wire, rendezvous: Rendezvous) -> Result<(), Error> {
    Ok(channel.send(&Message::Meet(rendezvous))?)
}
