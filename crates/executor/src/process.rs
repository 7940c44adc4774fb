//! Namespaces, attributes and privileges of a process.

use crate::Slots;
use crate::failure::Error;
use plan::{BpfInstruction, CapabilitySet, IdKind, NamespaceKind, Op, Slot};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;
use rustix::process::Pid;
use std::ffi::CString;
use std::path::Path;
use sys::clone::Process;

const PROC_SUPER_MAGIC: i64 = 0x9fa0;

/// The `CLONE_NEW*` bits of namespaces.
pub(crate) fn bits(kinds: &[NamespaceKind]) -> u64 {
    kinds.iter().map(|kind| bit(*kind)).fold(0, |all, bit| all | bit)
}

pub(crate) fn bit(kind: NamespaceKind) -> u64 {
    let bit = match kind {
        NamespaceKind::User => libc::CLONE_NEWUSER,
        NamespaceKind::Pid => libc::CLONE_NEWPID,
        NamespaceKind::Mount => libc::CLONE_NEWNS,
        NamespaceKind::Network => libc::CLONE_NEWNET,
        NamespaceKind::Uts => libc::CLONE_NEWUTS,
        NamespaceKind::Ipc => libc::CLONE_NEWIPC,
        NamespaceKind::Cgroup => libc::CLONE_NEWCGROUP,
        NamespaceKind::Time => 0x80,
    };
    bit as u64
}

pub(crate) fn open_proc(slots: &mut Slots) -> Result<(), Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = rustix::fs::openat(CWD, c"/proc", flags, Mode::empty())?;
    if !is_proc(proc.as_fd())? {
        return Err(Error::told(Errno::XDEV, "/proc of the machine is not procfs"));
    }
    slots.fill(Slot::Proc, proc);
    Ok(())
}

/// Whether a file is of some procfs.
pub(crate) fn is_proc(file: BorrowedFd) -> Result<bool, Errno> {
    Ok(rustix::fs::fstatfs(file)?.f_type as i64 == PROC_SUPER_MAGIC)
}

/// Writes below the proven procfs, through nothing that is mounted over it and no link out of it.
pub(crate) fn write_proc(slots: &Slots, path: &str, text: &str) -> Result<(), Error> {
    // `self` is procfs's own link and the only one on the way; it is resolved here.
    let resolved = path.strip_prefix("self/").map_or(Ok(path.to_owned()), |rest| {
        let own = rustix::fs::readlinkat(slots.get(Slot::Proc)?, c"self", Vec::new())?;
        Ok::<_, Error>(format!("{}/{rest}", own.to_string_lossy()))
    })?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let file = sys::path::open(slots.get(Slot::Proc)?, resolved, flags, Mode::empty(), resolve)?;
    rustix::io::write(&file, text.as_bytes())?;
    Ok(())
}

pub(crate) fn write_id_map(slots: &Slots, pid: Pid, kind: IdKind, text: &str) -> Result<(), Error> {
    let file = match kind {
        IdKind::User => "uid_map",
        IdKind::Group => "gid_map",
    };
    write_proc(slots, &format!("{}/{file}", pid.as_raw_nonzero()), text)
}

/// A user namespace with a mapping and nobody in it: its maker ends as soon as it is open.
pub(crate) fn make_id_map(slots: &mut Slots, users: &str, groups: &str, slot: Slot) -> Result<(), Error> {
    let (ours, theirs) = crate::channel::Wire::pair()?;
    match sys::clone::clone(bit(NamespaceKind::User), None)? {
        Process::Child => {
            drop(ours);
            // Nothing is ever sent: this ends when the other side closes.
            let _ = theirs.receive();
            sys::process::exit_now(0)
        }
        Process::Parent { pid, pidfd } => {
            let made = open_id_map(slots, pid, users, groups);
            drop(ours);
            crate::end_process(&pidfd);
            slots.fill(slot, made?);
            Ok(())
        }
    }
}

fn open_id_map(slots: &Slots, pid: Pid, users: &str, groups: &str) -> Result<rustix::fd::OwnedFd, Error> {
    write_id_map(slots, pid, IdKind::User, users)?;
    write_id_map(slots, pid, IdKind::Group, groups)?;
    let file = format!("{}/ns/user", pid.as_raw_nonzero());
    Ok(rustix::fs::openat(slots.get(Slot::Proc)?, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The root of a running container's init. The pid is proven by the descriptor: while that process has not been reaped nobody
/// else has its pid.
pub(crate) fn open_target_root(slots: &mut Slots, pid: i32) -> Result<(), Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(slots.get(Slot::Proc)?, format!("{pid}/root"), flags, Mode::empty())?;
    sys::signal::send(slots.get(Slot::Target)?, 0)?;
    slots.fill(Slot::Root, root);
    Ok(())
}

pub(crate) fn open_namespace(slots: &mut Slots, kind: NamespaceKind, file: &Path) -> Result<(), Error> {
    let namespace = rustix::fs::open(file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    match sys::namespace::kind(&namespace) {
        Ok(found) if found == bit(kind) => {}
        Ok(_) => return Err(Error::told(Errno::INVAL, "it is a namespace of another kind")),
        Err(_) => return Err(Error::told(Errno::INVAL, "it is not a namespace")),
    }
    slots.fill(Slot::Namespace(kind), namespace);
    Ok(())
}

pub(crate) fn enter_namespace(slots: &Slots, kind: NamespaceKind) -> Result<(), Error> {
    Ok(sys::namespace::enter(slots.get(Slot::Namespace(kind))?, bit(kind))?)
}

/// Joins a namespace of the process that made this one.
pub(crate) fn adopt_namespace(slots: &Slots, host: Pid, kind: NamespaceKind) -> Result<(), Error> {
    let file = format!("{}/ns/{}", host.as_raw_nonzero(), kind.file_name());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let namespace = rustix::fs::openat(slots.get(Slot::Proc)?, file, flags, Mode::empty())?;
    Ok(sys::namespace::enter(namespace, bit(kind))?)
}

/// Goes back to the namespace that this process is in, so that its children are in it, too. setns(2): for pid
/// and time namespaces it says where children are born.
pub(crate) fn return_to(slots: &Slots, kind: NamespaceKind) -> Result<(), Error> {
    let file = format!("self/ns/{}", kind.file_name());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let own = rustix::fs::openat(slots.get(Slot::Proc)?, file, flags, Mode::empty())?;
    Ok(sys::namespace::enter(own, bit(kind))?)
}

/// What a process is, apart from its privileges.
pub(crate) fn attribute(op: &Op, slots: &Slots) -> Result<(), Error> {
    match op {
        Op::SetHostname { name } => rustix::system::sethostname(name.as_bytes())?,
        Op::SetDomainname { name } => rustix::system::setdomainname(name.as_bytes())?,
        Op::LinkUp { interface } => sys::link::up(interface)?,
        Op::SetSysctl { name, value } => write_proc(slots, &format!("sys/{name}"), value)?,
        Op::SetOomScoreAdj { value, .. } => write_proc(slots, "self/oom_score_adj", &value.to_string())?,
        Op::SetSecurityAttribute { attribute, value, fallback } => {
            match (write_proc(slots, &format!("self/{attribute}"), value), fallback) {
                (Err(error), Some(other)) if error.is(Errno::NOENT.raw_os_error()) => {
                    write_proc(slots, &format!("self/{other}"), value)?;
                }
                (result, _) => result?,
            }
        }
        Op::SetRlimit { resource, soft, hard } => sys::process::set_rlimit(resource.number(), *soft, *hard)?,
        Op::SetUmask { mask } => drop(rustix::process::umask(Mode::from_raw_mode(*mask))),
        Op::SetNotDumpable => sys::process::set_dumpable(false)?,
        Op::ResetSignals => sys::signal::reset()?,
        Op::NewSession => drop(rustix::process::setsid()?),
        Op::NewKeyring { name } => {
            let name = CString::new(name.as_str()).map_err(|_| Errno::INVAL)?;
            sys::keyring::join_session(&name)?;
        }
        Op::ChangeDirectory { path } => change_directory(path)?,
        other => return Err(Error::told(Errno::NOSYS, format!("{other} is no attribute"))),
    }
    Ok(())
}

/// A descriptor that leaked from outside could make the new directory one of the machine's: then getcwd(2)
/// has no path for it below the root.
fn change_directory(path: &Path) -> Result<(), Error> {
    rustix::process::chdir(path)?;
    let inside = rustix::process::getcwd(Vec::new()).is_ok_and(|cwd| cwd.to_bytes().first() == Some(&b'/'));
    if inside { Ok(()) } else { Err(Error::told(Errno::PERM, "it lies outside the container's root")) }
}

/// What a process may do.
pub(crate) fn privilege(op: &Op) -> Result<(), Error> {
    match op {
        Op::OwnStdio { uid, gid } => own_stdio(*uid, *gid),
        Op::DropBounding { drop } => drop_bounding(*drop),
        Op::KeepCapabilities => Ok(rustix::thread::set_keep_capabilities(true)?),
        Op::SetGroups { groups } => {
            let groups: Vec<_> = groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
            Ok(rustix::thread::set_thread_groups(&groups)?)
        }
        Op::SetGid { gid } => {
            let gid = Gid::from_raw(*gid);
            Ok(rustix::thread::set_thread_res_gid(gid, gid, gid)?)
        }
        Op::SetUid { uid } => {
            let uid = Uid::from_raw(*uid);
            Ok(rustix::thread::set_thread_res_uid(uid, uid, uid)?)
        }
        Op::SetCapabilities { effective, permitted, inheritable } => {
            let sets = rustix::thread::CapabilitySets {
                effective: kernel_set(*effective),
                permitted: kernel_set(*permitted),
                inheritable: kernel_set(*inheritable),
            };
            Ok(rustix::thread::set_capabilities(None, sets)?)
        }
        Op::SetAmbient { raise } => {
            rustix::thread::clear_ambient_capability_set()?;
            for capability in raise.iter() {
                let one = kernel_set(CapabilitySet::EMPTY.with(capability));
                rustix::thread::configure_capability_in_ambient_set(one, true)?;
            }
            Ok(())
        }
        Op::SetNoNewPrivileges => Ok(rustix::thread::set_no_new_privs(true)?),
        other => Err(Error::told(Errno::NOSYS, format!("{other} is no privilege"))),
    }
}

fn kernel_set(set: CapabilitySet) -> rustix::thread::CapabilitySet {
    rustix::thread::CapabilitySet::from_bits_retain(set.bits())
}

/// One capability at a time; one that the kernel does not have, or that is gone already, needs no drop.
fn drop_bounding(drop: CapabilitySet) -> Result<(), Error> {
    for capability in drop.iter() {
        let one = kernel_set(CapabilitySet::EMPTY.with(capability));
        match rustix::thread::remove_capability_from_bounding_set(one) {
            Ok(()) | Err(Errno::INVAL) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// The null device is everybody's; what else is open is the container's, so that its user can open it
/// again through `/dev/stdout`.
fn own_stdio(uid: u32, gid: u32) -> Result<(), Error> {
    for fd in
        [rustix::stdio::stdin().as_fd(), rustix::stdio::stdout().as_fd(), rustix::stdio::stderr().as_fd()]
    {
        let Ok(stat) = rustix::fs::fstat(fd) else { continue };
        let group = (!rustix::termios::isatty(fd)).then_some(gid);
        let owned = stat.st_uid == uid && group.is_none_or(|gid| stat.st_gid == gid);
        if owned || crate::mounts::is_null(fd)? {
            continue;
        }
        rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), group.map(Gid::from_raw))?;
    }
    Ok(())
}

/// Loads a filter; its listener, if the flags ask for one.
pub(crate) fn set_filter(flags: u32, program: &[BpfInstruction]) -> Result<Option<OwnedFd>, Error> {
    let filter = |i: &BpfInstruction| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k };
    let program: Vec<_> = program.iter().map(filter).collect();
    Ok(sys::seccomp::set_filter(flags, &program)?)
}
