//! Steps in words, as they stand in error messages: "mount proc on /proc".

use crate::{IdKind, Op, Slot, Target, TreeSource};
use spec::NamespaceKind;
use std::fmt;

fn list(namespaces: &[NamespaceKind]) -> String {
    namespaces.iter().map(|kind| kind.file_name()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeCgroup { directory } => write!(f, "make cgroup {}", directory.display()),
            Self::InheritCpuset { directory, .. } => {
                write!(f, "give {} the processors of the group above", directory.display())
            }
            Self::WriteCgroup { file, value, .. } => write!(f, "write {value:?} to {}", file.display()),
            Self::JoinCgroup { file } | Self::EnterCgroup { file } => {
                write!(f, "join the cgroup through {}", file.display())
            }
            Self::AssignResctrl { group, .. } => write!(f, "join the resctrl group {}", group.display()),
            Self::OpenCgroup { directory } => write!(f, "open cgroup {}", directory.display()),
            Self::StartUnit { unit, .. } => write!(f, "start {unit}"),
            Self::FilterDevices { directory, .. } => write!(f, "filter devices of {}", directory.display()),
            Self::GiveCgroup { directory, uid } => write!(f, "give {} to user {uid}", directory.display()),
            Self::OpenProc => f.write_str("open /proc of the machine"),
            Self::OpenCuddy => f.write_str("open cuddy's own binary"),
            Self::MakeIdMap { .. } => f.write_str("make an id mapping for mounts"),
            Self::SetIdMap { slot, .. } => write!(f, "map the owners of {slot}"),
            Self::CopyMode { slot, path } => write!(f, "give {slot} the mode of {}", path.display()),
            Self::CopyUp { slot, path, .. } => write!(f, "copy what is in {} to {slot}", path.display()),
            Self::SetLabel { slot, label } => write!(f, "label {slot} as {label}"),
            Self::Reconfigure { path, .. } => {
                write!(f, "change options of the file system on {} of the container", path.display())
            }
            Self::ChangeMount { path, .. } => {
                write!(f, "change the mount on {} of the container", path.display())
            }
            Self::OpenNamespace { kind, file } => {
                write!(f, "open {} as a {} namespace", file.display(), kind.file_name())
            }
            Self::EnterNamespace { kind } => write!(f, "join the {} namespace", kind.file_name()),
            Self::AdoptNamespace { kind } => {
                write!(f, "join the {} namespace that was made for it", kind.file_name())
            }
            Self::EnterTarget { namespaces } => {
                write!(f, "join the container's namespaces: {}", list(namespaces))
            }
            Self::OpenRoot { directory } => write!(f, "open {} as the root", directory.display()),
            Self::NoteMount { slot, file } => write!(f, "note in {} which mount {slot} is", file.display()),
            Self::OpenTargetRoot { .. } => f.write_str("open the container's root"),
            Self::Unshare { namespaces } => write!(f, "make new namespaces: {}", list(namespaces)),
            Self::WriteTimeOffsets { .. } => f.write_str("set the clock offsets"),
            Self::Clone { namespaces, .. } if namespaces.is_empty() => f.write_str("make the init process"),
            Self::Clone { namespaces, .. } => {
                write!(f, "make the init process in new namespaces: {}", list(namespaces))
            }
            Self::WriteIdMap { kind: IdKind::User, .. } => f.write_str("map user ids"),
            Self::WriteIdMap { kind: IdKind::Group, .. } => f.write_str("map group ids"),
            Self::RunIdMapper { kind, program, .. } => {
                let ids = if *kind == IdKind::User { "user" } else { "group" };
                write!(f, "map {ids} ids with {}", program.display())
            }
            Self::DenySetgroups => f.write_str("deny setgroups"),
            Self::ReturnTo { kind } => {
                write!(f, "go back to the {} namespace of the runtime", kind.file_name())
            }
            Self::Record { .. } => f.write_str("write the container's state"),
            Self::RunHook { hook, .. } => write!(f, "run {hook}, {}", hook.path.display()),
            Self::Send { rendezvous } => write!(f, "say {rendezvous:?}"),
            Self::Await { rendezvous } => write!(f, "wait for {rendezvous:?}"),
            Self::AwaitStart => f.write_str("wait for start"),
            Self::SetHostname { name } => write!(f, "set the host name to {name:?}"),
            Self::SetDomainname { name } => write!(f, "set the domain name to {name:?}"),
            Self::LinkUp { interface } => write!(f, "bring interface {interface} up"),
            Self::OpenNetlink => f.write_str("open a way to the machine's network interfaces"),
            Self::MoveNetDevice { name, new_name, .. } if name == new_name => {
                write!(f, "move network interface {name} into the container")
            }
            Self::MoveNetDevice { name, new_name, .. } => {
                write!(f, "move network interface {name} into the container as {new_name}")
            }
            Self::SetSysctl { name, value } => {
                write!(f, "set sysctl {} to {value:?}", name.replace('/', "."))
            }
            Self::SetPropagation { recursive: true, propagation } => {
                write!(f, "make all mounts {}", propagation.word())
            }
            Self::SetPropagation { recursive: false, propagation } => {
                write!(f, "make the root mount {}", propagation.word())
            }
            Self::NewMount { fstype, source: Some(source), .. } if source != fstype => {
                write!(f, "make a new {fstype} file system of {source}")
            }
            Self::NewMount { fstype, .. } => write!(f, "make a new {fstype} file system"),
            Self::MakeDirectories { slot, names } => write!(f, "make {} in {slot}", names.join(" and ")),
            Self::CloneTree { source: TreeSource::Path(path), .. } => {
                write!(f, "copy the mount of {}", path.display())
            }
            Self::CloneTree { source: TreeSource::Inside(path), .. } => {
                write!(f, "copy the mount of {} of the container", path.display())
            }
            Self::CloneTree { source: TreeSource::Slot(slot), .. } => write!(f, "copy the mount of {slot}"),
            Self::OpenNull => f.write_str("open /dev/null of the machine"),
            Self::SetAttr { slot, .. } => write!(f, "set attributes of {slot}"),
            Self::Attach { slot, target: Target::Host(path) } => {
                write!(f, "mount {slot} on {}", path.display())
            }
            Self::Attach { slot, target: Target::Inside { path, .. } } => {
                write!(f, "mount {slot} on {} of the container", path.display())
            }
            Self::Mask { path } => write!(f, "mask {}", path.display()),
            Self::MakeReadOnly { path } => write!(f, "make {} read-only", path.display()),
            Self::MakeRootReadOnly => f.write_str("make the root read-only"),
            Self::MakeDirectory { path, .. } => write!(f, "make directory {}", path.display()),
            Self::MakeDevice { path, .. } => write!(f, "make device {}", path.display()),
            Self::Detach { place } => write!(f, "unmount {}", place.display()),
            Self::MakeSymlink { target, path } => write!(f, "link {} to {target}", path.display()),
            Self::PivotRoot => f.write_str("make the container's root the root"),
            Self::MoveRoot => f.write_str("move the container's root over the root"),
            Self::Chroot => f.write_str("change the root without pivot_root"),
            Self::OpenTerminal { .. } => f.write_str("open a pseudo terminal of the container's devpts"),
            Self::SendConsole => write!(f, "send {} to {}", Slot::Console, Slot::ConsoleSocket),
            Self::UseTerminal => f.write_str("take the terminal"),
            Self::SetNotDumpable => f.write_str("shield this process from others"),
            Self::ResetSignals => f.write_str("reset signals"),
            Self::NewSession => f.write_str("start a session"),
            Self::NewKeyring { name } => write!(f, "make session keyring {name}"),
            Self::SetRlimit { resource, soft, hard } => {
                write!(f, "set {} to {}:{}", resource.name(), limit(*soft), limit(*hard))
            }
            Self::SetOomScoreAdj { value, .. } => write!(f, "set oom_score_adj to {value}"),
            Self::SetScheduler { policy, .. } => write!(f, "set the scheduling policy {}", policy.name),
            Self::SetIoPriority { class, level, .. } => {
                write!(f, "set the I/O priority {} {level}", class.name)
            }
            Self::SetAffinity { cpus } => write!(f, "stay on processors {cpus}"),
            Self::ResetAffinity => f.write_str("take every processor of the group"),
            Self::SetPersonality { domain } => write!(f, "set the personality {}", domain.name),
            Self::SetMemoryPolicy { mode, .. } => write!(f, "set the memory policy {}", mode.name),
            Self::SetSecurityAttribute { attribute, value, .. } => write!(f, "set {attribute} to {value:?}"),
            Self::SetUmask { mask } => write!(f, "set the umask to {mask:04o}"),
            Self::OwnStdio { uid, .. } => write!(f, "give standard input and output to user {uid}"),
            Self::DropBounding { .. } => f.write_str("drop capabilities from the bounding set"),
            Self::KeepCapabilities => f.write_str("keep capabilities over the change of user"),
            Self::SetGroups { groups } => write!(f, "set the groups to {groups:?}"),
            Self::SetGid { gid } => write!(f, "become group {gid}"),
            Self::SetUid { uid } => write!(f, "become user {uid}"),
            Self::SetCapabilities { .. } => f.write_str("set the capabilities"),
            Self::SetAmbient { .. } => f.write_str("raise ambient capabilities"),
            Self::ChangeDirectory { path } => write!(f, "chdir to the working directory {}", path.display()),
            Self::FindHome { uid } => write!(f, "look up the home directory of user {uid}"),
            Self::FindProgram { name, .. } => write!(f, "find {name:?}"),
            Self::CloseDescriptors { from, .. } => write!(f, "close descriptors from {from} on"),
            Self::PassDescriptors { slots } => {
                let slots: Vec<_> = slots.iter().map(Slot::to_string).collect();
                write!(f, "give {} to the program", slots.join(", "))
            }
            Self::SetNoNewPrivileges => f.write_str("allow no new privileges"),
            Self::Restrict { .. } => f.write_str("restrict this process with Landlock"),
            Self::SetSeccomp { .. } => f.write_str("load the system call filter"),
            Self::OfferListener => f.write_str("offer the filter's listener"),
            Self::TakeListener => f.write_str("take the filter's listener"),
            Self::SendListener { socket, .. } => {
                write!(f, "send the filter's listener to {}", socket.display())
            }
            Self::Exec { args, .. } | Self::ExecUnderInit { args, .. } => {
                write!(f, "execute {:?}", args.first().map_or("", String::as_str))
            }
        }
    }
}

/// A resource limit as `ulimit` prints it.
pub(crate) fn limit(value: u64) -> String {
    if value == u64::MAX { "unlimited".to_owned() } else { value.to_string() }
}
