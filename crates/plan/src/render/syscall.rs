use super::schedule;
use crate::words::{self, limit};
use crate::{
    Attr, Follow, Hook, IdKind, MountPoint, NEW_LISTENER, NetworkPlace, Op, Propagation, Slot, Target,
    TreeSource,
};
use spec::{CapabilitySet, DeviceKind, HookKind, NamespaceKind, State};
use std::fmt;
use std::path::Path;

/// One system call as strace(1) prints it, with slots for what is known only at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Name of the system call.
    pub name: &'static str,
    /// Arguments.
    pub args: String,
    /// The slot or word that the result is called by from here on.
    pub result: Option<String>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.args)?;
        self.result.as_ref().map_or(Ok(()), |result| write!(f, " = {result}"))
    }
}

pub(super) fn call(name: &'static str, args: impl Into<String>) -> Call {
    Call { name, args: args.into(), result: None }
}

fn gives(name: &'static str, args: impl Into<String>, result: impl ToString) -> Call {
    Call { name, args: args.into(), result: Some(result.to_string()) }
}

/// The system calls of an operation, in order, when it succeeds and nothing is already there.
#[must_use]
pub fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::MakeCgroup { .. }
        | Op::EnterCgroup { .. }
        | Op::OpenCgroup { .. }
        | Op::InheritCpuset { .. }
        | Op::WriteCgroup { .. }
        | Op::JoinCgroup { .. }
        | Op::FilterDevices { .. } => cgroup(op),
        Op::OpenProc
        | Op::OpenCuddy
        | Op::MakeIdMap { .. }
        | Op::OpenNamespace { .. }
        | Op::EnterNamespace { .. }
        | Op::EnterTarget { .. }
        | Op::AdoptNamespace { .. }
        | Op::OpenRoot
        | Op::Unshare { .. }
        | Op::WriteTimeOffsets { .. }
        | Op::Clone { .. }
        | Op::WriteIdMap { .. }
        | Op::ReturnTo { .. }
        | Op::Record { .. }
        | Op::RunHook { .. }
        | Op::Send { .. }
        | Op::Await { .. }
        | Op::AwaitStart => process(op),
        Op::SetHostname { name } => vec![call("sethostname", format!("{name:?}, {}", name.len()))],
        Op::SetDomainname { name } => vec![call("setdomainname", format!("{name:?}, {}", name.len()))],
        Op::LinkUp { interface } => vec![
            gives("socket", "AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP", "$socket"),
            call("ioctl", format!("$socket, SIOCGIFFLAGS, {{ifr_name={interface:?}}}")),
            call("ioctl", format!("$socket, SIOCSIFFLAGS, {{ifr_name={interface:?}, ifr_flags=...|IFF_UP}}")),
        ],
        Op::OpenNetlink | Op::MoveNetDevice { .. } => network(op),
        Op::SetSysctl { name, value } => write_proc(&format!("sys/{name}"), value),
        Op::SetPropagation { .. }
        | Op::NewMount { .. }
        | Op::MakeDirectories { .. }
        | Op::CloneTree { .. }
        | Op::OpenNull
        | Op::SetIdMap { .. }
        | Op::CopyMode { .. }
        | Op::CopyUp { .. }
        | Op::SetLabel { .. }
        | Op::Reconfigure { .. }
        | Op::ChangeMount { .. }
        | Op::SetAttr { .. }
        | Op::Attach { .. }
        | Op::Mask { .. }
        | Op::MakeReadOnly { .. }
        | Op::MakeRootReadOnly
        | Op::PivotRoot
        | Op::Chroot => mounts(op),
        Op::MakeDirectory { path, mode } => {
            vec![call("mkdirat", format!("{}, {:?}, 0{mode:o}", Slot::Root, relative(path)))]
        }
        Op::MakeDevice { within, path, kind, major, minor, mode, uid, gid } => {
            device(*within, path, *kind, (*major, *minor), *mode, (*uid, *gid))
        }
        Op::Detach { place } => vec![call("umount2", format!("{place:?}, MNT_DETACH|UMOUNT_NOFOLLOW"))],
        Op::MakeSymlink { target, path } => {
            vec![call("symlinkat", format!("{target:?}, {}, {:?}", Slot::Root, relative(path)))]
        }
        Op::OpenTerminal { .. } | Op::SendConsole | Op::UseTerminal => terminal(op),
        _ => credentials(op),
    }
}

fn cgroup(op: &Op) -> Vec<Call> {
    match op {
        Op::MakeCgroup { directory } => vec![call("mkdir", format!("{directory:?}, 0755"))],
        Op::InheritCpuset { directory, .. } => ["cpuset.cpus", "cpuset.mems"]
            .into_iter()
            .flat_map(|file| write_file(&directory.join(file), "value of the group above"))
            .collect(),
        Op::WriteCgroup { file, value, .. } => write_file(file, &format!("{value:?}")),
        Op::JoinCgroup { file } => write_file(file, "$init_pid"),
        Op::EnterCgroup { file } => write_file(file, "\"0\""),
        Op::OpenCgroup { directory } => vec![gives(
            "openat",
            format!("AT_FDCWD, {directory:?}, O_PATH|O_DIRECTORY|O_CLOEXEC"),
            Slot::Cgroup,
        )],
        Op::FilterDevices { directory, program } => vec![
            gives(
                "bpf",
                format!(
                    "BPF_PROG_LOAD, {{prog_type=BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt={}}}",
                    program.len()
                ),
                "$program",
            ),
            gives("openat", format!("AT_FDCWD, {directory:?}, O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$cgroup"),
            call(
                "bpf",
                "BPF_PROG_ATTACH, {target_fd=$cgroup, attach_bpf_fd=$program, attach_type=BPF_CGROUP_DEVICE, \
                 attach_flags=BPF_F_ALLOW_MULTI}",
            ),
        ],
        _ => unreachable!("not about cgroups"),
    }
}

fn write_file(file: &Path, text: &str) -> Vec<Call> {
    vec![
        gives("openat", format!("AT_FDCWD, {file:?}, O_WRONLY|O_CLOEXEC"), "$file"),
        call("write", format!("$file, {text}")),
    ]
}

/// A write below the proven procfs.
fn write_proc(path: &str, text: &str) -> Vec<Call> {
    vec![
        gives(
            "openat2",
            format!(
                "{}, {path:?}, {{flags=O_WRONLY|O_CLOEXEC, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}}",
                Slot::Proc
            ),
            "$file",
        ),
        call("write", format!("$file, {text:?}")),
    ]
}

fn clone_flag(kind: NamespaceKind) -> &'static str {
    match kind {
        NamespaceKind::User => "CLONE_NEWUSER",
        NamespaceKind::Pid => "CLONE_NEWPID",
        NamespaceKind::Mount => "CLONE_NEWNS",
        NamespaceKind::Network => "CLONE_NEWNET",
        NamespaceKind::Uts => "CLONE_NEWUTS",
        NamespaceKind::Ipc => "CLONE_NEWIPC",
        NamespaceKind::Cgroup => "CLONE_NEWCGROUP",
        NamespaceKind::Time => "CLONE_NEWTIME",
    }
}

/// Flags in the order strace prints them: by bit.
fn clone_flags(kinds: &[NamespaceKind]) -> Vec<&'static str> {
    let by_bit = [
        NamespaceKind::Time,
        NamespaceKind::Mount,
        NamespaceKind::Cgroup,
        NamespaceKind::Uts,
        NamespaceKind::Ipc,
        NamespaceKind::User,
        NamespaceKind::Pid,
        NamespaceKind::Network,
    ];
    by_bit.into_iter().filter(|kind| kinds.contains(kind)).map(clone_flag).collect()
}

fn process(op: &Op) -> Vec<Call> {
    match op {
        Op::OpenProc => vec![
            gives("openat", "AT_FDCWD, \"/proc\", O_PATH|O_DIRECTORY|O_CLOEXEC", Slot::Proc),
            call("fstatfs", format!("{}, {{f_type=PROC_SUPER_MAGIC}}", Slot::Proc)),
        ],
        // It runs from its own read-only mount by then.
        Op::OpenCuddy => {
            vec![gives("openat", "AT_FDCWD, \"/proc/self/exe\", O_PATH|O_CLOEXEC", Slot::Cuddy)]
        }
        Op::MakeIdMap { users, groups, slot } => vec![
            gives(
                "clone3",
                "{flags=CLONE_PIDFD|CLONE_NEWUSER, pidfd=$nobody_pidfd, exit_signal=SIGCHLD}",
                "$nobody",
            ),
            call("write", format!("/proc/$nobody/uid_map, {users:?}")),
            call("write", format!("/proc/$nobody/gid_map, {groups:?}")),
            gives("openat", "AT_FDCWD, \"/proc/$nobody/ns/user\", O_RDONLY|O_CLOEXEC", slot),
        ],
        Op::OpenNamespace { kind, file } => vec![
            gives("openat", format!("AT_FDCWD, {file:?}, O_RDONLY|O_CLOEXEC"), Slot::Namespace(*kind)),
            gives("ioctl", format!("{}, NS_GET_NSTYPE", Slot::Namespace(*kind)), clone_flag(*kind)),
        ],
        Op::EnterNamespace { kind } => {
            vec![call("setns", format!("{}, {}", Slot::Namespace(*kind), clone_flag(*kind)))]
        }
        Op::AdoptNamespace { kind } => {
            let path = format!("$host_pid/ns/{}", words::namespace(*kind));
            vec![
                gives("openat", format!("{}, {path:?}, O_RDONLY|O_CLOEXEC", Slot::Proc), "$namespace"),
                call("setns", format!("$namespace, {}", clone_flag(*kind))),
            ]
        }
        Op::EnterTarget { namespaces } => {
            vec![call("setns", format!("{}, {}", Slot::Target, clone_flags(namespaces).join("|")))]
        }
        Op::OpenRoot => {
            vec![gives("openat", "AT_FDCWD, \"/\", O_PATH|O_DIRECTORY|O_CLOEXEC", Slot::Root)]
        }
        Op::Unshare { namespaces } => vec![call("unshare", clone_flags(namespaces).join("|"))],
        Op::WriteTimeOffsets { text } => write_proc("self/timens_offsets", text),
        Op::Clone { namespaces, cgroup, owner: None } => {
            vec![clone3(&["CLONE_PIDFD"], namespaces, *cgroup, "SIGCHLD")]
        }
        Op::Clone { namespaces, cgroup, owner: Some(owner) } => vec![
            gives(
                "clone3",
                "{flags=CLONE_FILES|CLONE_PIDFD, pidfd=$between_pidfd, exit_signal=SIGCHLD}",
                "$between",
            ),
            call("prctl", "PR_SET_DUMPABLE, SUID_DUMP_DISABLE"),
            call("setns", format!("{owner}, CLONE_NEWUSER")),
            clone3(&["CLONE_PIDFD", "CLONE_PARENT"], namespaces, *cgroup, "0"),
        ],
        Op::WriteIdMap { kind, text } => {
            let file = match kind {
                IdKind::User => "uid_map",
                IdKind::Group => "gid_map",
            };
            write_proc(&format!("$init_pid/{file}"), text)
        }
        Op::ReturnTo { kind } => {
            let path = format!("self/ns/{}", words::namespace(*kind));
            vec![
                gives("openat", format!("{}, {path:?}, O_RDONLY|O_CLOEXEC", Slot::Proc), "$namespace"),
                call("setns", format!("$namespace, {}", clone_flag(*kind))),
            ]
        }
        Op::Record { status } => {
            vec![call("write", format!("$state_file, {{status: {status}, pid: $init_pid, ...}}"))]
        }
        Op::RunHook { hook, state } => run_hook(hook, state),
        Op::Send { rendezvous } => vec![call("write", format!("$channel, {rendezvous:?}"))],
        Op::Await { rendezvous } => vec![call("read", format!("$channel, {rendezvous:?}"))],
        Op::AwaitStart => vec![
            call("write", "$channel, Created"),
            gives("accept4", format!("{}, NULL, NULL, SOCK_CLOEXEC", Slot::StartSocket), "$starter"),
            call("read", "$starter, Start"),
        ],
        _ => unreachable!("not about processes"),
    }
}

fn clone3(flags: &[&str], namespaces: &[NamespaceKind], cgroup: Option<Slot>, signal: &str) -> Call {
    let mut flags = flags.to_vec();
    flags.extend(clone_flags(namespaces));
    flags.extend(cgroup.map(|_| "CLONE_INTO_CGROUP"));
    let cgroup = cgroup.map_or_else(String::new, |slot| format!(", cgroup={slot}"));
    let (flags, pidfd) = (flags.join("|"), Slot::InitPidfd);
    gives("clone3", format!("{{flags={flags}, pidfd={pidfd}, exit_signal={signal}{cgroup}}}"), "$init_pid")
}

fn run_hook(hook: &Hook, state: &State) -> Vec<Call> {
    let args = hook.args.iter().map(|arg| format!("{arg:?}")).collect::<Vec<_>>().join(", ");
    let env = hook.env.as_ref().map_or("as here".to_owned(), |env| format!("{} vars", env.len()));
    let inside = matches!(hook.kind, HookKind::CreateContainer | HookKind::StartContainer);
    let pid = if inside { "as seen inside" } else { "$init_pid" };
    let state = format!("{{id: {:?}, status: {}, pid: {pid}, ...}}", state.id, state.status);
    vec![
        call("write", format!("$hook_stdin, {state}")),
        gives("clone3", "{flags=CLONE_PIDFD, pidfd=$hook_pidfd, exit_signal=SIGCHLD}", "$hook"),
        gives("execve", format!("{:?}, [{args}], [/* {env} */]", hook.path), "0  # by $hook"),
        call("waitid", "P_PIDFD, $hook_pidfd, ..., WEXITED"),
    ]
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn open_inside(path: &Path, follow: Follow, name: &str) -> Call {
    let resolve = match follow {
        Follow::InRoot => "RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT",
        Follow::Never => "RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT",
    };
    let path = relative(path);
    gives("openat2", format!("{}, {path:?}, {{flags=O_PATH|O_CLOEXEC, resolve={resolve}}}", Slot::Root), name)
}

fn move_mount(slot: &str, target: &str) -> Call {
    call(
        "move_mount",
        format!("{slot}, \"\", {target}, \"\", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH"),
    )
}

fn setattr(slot: &str, recursive: bool, set: Attr, clear: Attr, propagation: Option<Propagation>) -> Call {
    let flags = if recursive { "AT_EMPTY_PATH|AT_RECURSIVE" } else { "AT_EMPTY_PATH" };
    let propagation = propagation.map_or("0 /* MS_??? */", Propagation::name);
    call(
        "mount_setattr",
        format!(
            "{slot}, \"\", {flags}, {{attr_set={set}, attr_clr={clear}, propagation={propagation}, userns_fd=0}}, 32"
        ),
    )
}

fn open_tree(source: &str, recursive: bool, result: impl ToString) -> Call {
    let recursive = if recursive { "|AT_RECURSIVE" } else { "" };
    gives("open_tree", format!("{source}, OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC{recursive}"), result)
}

fn mounts(op: &Op) -> Vec<Call> {
    match op {
        Op::SetPropagation { recursive, propagation } => {
            let flags = if *recursive { "AT_RECURSIVE" } else { "0" };
            vec![call(
                "mount_setattr",
                format!(
                    "AT_FDCWD, \"/\", {flags}, {{attr_set=0, attr_clr=0, propagation={}, userns_fd=0}}, 32",
                    propagation.name()
                ),
            )]
        }
        Op::NewMount { fstype, source, options, attr, slot } => {
            new_mount(fstype, source.as_deref(), options, *attr, *slot)
        }
        Op::MakeDirectories { slot, names } => {
            names.iter().map(|name| call("mkdirat", format!("{slot}, {name:?}, 0755"))).collect()
        }
        Op::CloneTree { source: TreeSource::Path(path), recursive, slot } => {
            vec![open_tree(&format!("AT_FDCWD, {path:?}"), *recursive, slot)]
        }
        Op::CloneTree { source: TreeSource::Slot(from), recursive, slot } => {
            let mut made = open_tree(&format!("{from}, \"\""), *recursive, slot);
            made.args = made.args.replace("OPEN_TREE_CLOEXEC", "OPEN_TREE_CLOEXEC|AT_EMPTY_PATH");
            vec![made]
        }
        Op::OpenNull => vec![
            gives("openat", "AT_FDCWD, \"/dev/null\", O_PATH|O_CLOEXEC", Slot::Null),
            call("fstat", format!("{}, {{st_mode=S_IFCHR, st_rdev=makedev(1, 3)}}", Slot::Null)),
        ],
        Op::SetAttr { slot, recursive, set, clear, propagation } => {
            vec![setattr(&slot.to_string(), *recursive, *set, *clear, *propagation)]
        }
        Op::SetIdMap { slot, map, recursive } => vec![call(
            "mount_setattr",
            format!(
                "{slot}, \"\", AT_EMPTY_PATH{}, {{attr_set=MOUNT_ATTR_IDMAP, attr_clr=0, propagation=0 /* MS_??? */, userns_fd={map}}}, 32",
                if *recursive { "|AT_RECURSIVE" } else { "" }
            ),
        )],
        Op::CopyMode { .. }
        | Op::CopyUp { .. }
        | Op::SetLabel { .. }
        | Op::Reconfigure { .. }
        | Op::ChangeMount { .. } => contents(op),
        Op::Attach { slot, target } => attach(*slot, target),
        Op::Mask { path } => vec![
            open_inside(path, Follow::InRoot, "$target"),
            gives(
                "open_tree",
                "$null, or $empty once it is attached, \"\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH",
                "$mask",
            ),
            move_mount("$mask", "$target"),
        ],
        Op::MakeReadOnly { path } => vec![
            open_inside(path, Follow::InRoot, "$target"),
            gives(
                "open_tree",
                "$target, \"\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE",
                "$tree",
            ),
            setattr("$tree", true, Attr::RDONLY, Attr::NONE, None),
            move_mount("$tree", "$target"),
        ],
        Op::MakeRootReadOnly => vec![setattr(&Slot::Root.to_string(), false, Attr::RDONLY, Attr::NONE, None)],
        Op::PivotRoot => vec![
            call("fchdir", Slot::Root.to_string()),
            call("pivot_root", "\".\", \".\""),
            call("umount2", "\".\", MNT_DETACH"),
            call("chdir", "\"/\""),
        ],
        Op::Chroot => {
            vec![call("fchdir", Slot::Root.to_string()), call("chroot", "\".\""), call("chdir", "\"/\"")]
        }
        _ => unreachable!("not about mounts"),
    }
}

/// Changes of a file system's content, and of mounts that have a place.
fn contents(op: &Op) -> Vec<Call> {
    match op {
        Op::CopyMode { slot, path } => vec![
            open_inside(path, Follow::InRoot, "$covered"),
            call("fstat", "$covered, {st_mode=$mode}"),
            gives("openat", format!("{slot}, \".\", O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$top"),
            call("fchmod", "$top, $mode"),
        ],
        Op::CopyUp { slot, path, .. } => vec![
            open_inside(path, Follow::InRoot, "$covered"),
            gives("openat", format!("{slot}, \".\", O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$top"),
            call("sendfile", "each file of $top, the same of $covered, NULL, all of it"),
        ],
        Op::SetLabel { slot, label } => vec![
            gives("openat", format!("{slot}, \".\", O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$top"),
            call("fsetxattr", format!("$top, \"security.selinux\", {label:?}, {}, 0", label.len())),
        ],
        Op::Reconfigure { path, options } => {
            let mut calls = vec![
                open_inside(path, Follow::InRoot, "$target"),
                gives("fspick", "$target, \"\", FSPICK_CLOEXEC|FSPICK_EMPTY_PATH", "$fs"),
            ];
            calls.extend(options.iter().map(|(key, value)| set_option(key, value.as_deref())));
            calls.push(call("fsconfig", "$fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0"));
            calls
        }
        Op::ChangeMount { path, recursive, set, clear, propagation } => vec![
            open_inside(path, Follow::InRoot, "$target"),
            setattr("$target", *recursive, *set, *clear, *propagation),
        ],
        _ => unreachable!("not about what is there"),
    }
}

/// One option of a file system that is made or changed.
fn set_option(key: &str, value: Option<&str>) -> Call {
    call(
        "fsconfig",
        match value {
            Some(value) => format!("$fs, FSCONFIG_SET_STRING, {key:?}, {value:?}, 0"),
            None => format!("$fs, FSCONFIG_SET_FLAG, {key:?}, NULL, 0"),
        },
    )
}

fn new_mount(
    fstype: &str,
    source: Option<&str>,
    options: &[(String, Option<String>)],
    attr: Attr,
    slot: Slot,
) -> Vec<Call> {
    let mut calls = vec![gives("fsopen", format!("{fstype:?}, FSOPEN_CLOEXEC"), "$fs")];
    if let Some(source) = source {
        calls.push(call("fsconfig", format!("$fs, FSCONFIG_SET_STRING, \"source\", {source:?}, 0")));
    }
    calls.extend(options.iter().map(|(key, value)| set_option(key, value.as_deref())));
    calls.push(call("fsconfig", "$fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0"));
    calls.push(gives("fsmount", format!("$fs, FSMOUNT_CLOEXEC, {attr}"), slot));
    calls
}

fn attach(slot: Slot, target: &Target) -> Vec<Call> {
    match target {
        Target::Host(path) => {
            vec![call(
                "move_mount",
                format!("{slot}, \"\", AT_FDCWD, {path:?}, MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_SYMLINKS"),
            )]
        }
        Target::Inside { path, follow, missing } => {
            let made = match missing {
                MountPoint::Directory => "a directory is made where there is none",
                MountPoint::File => "a file is made where there is none",
                MountPoint::Same => "a directory or file is made where there is none",
            };
            let mut open = open_inside(path, *follow, "$target");
            open.result = Some(format!("$target  # {made}"));
            vec![open, move_mount(&slot.to_string(), "$target")]
        }
    }
}

/// Interfaces, by the messages of rtnetlink(7).
fn network(op: &Op) -> Vec<Call> {
    let Op::MoveNetDevice { name, new_name, into } = op else {
        return vec![gives("socket", "AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE", Slot::Netlink)];
    };
    let process = match into {
        NetworkPlace::Made => "self",
        NetworkPlace::Init => "$init_pid",
        NetworkPlace::Joined => "",
    };
    let mut calls = Vec::new();
    let namespace = match into {
        NetworkPlace::Joined => Slot::Namespace(NamespaceKind::Network).to_string(),
        _ => {
            let path = format!("{process}/ns/net");
            calls.push(gives(
                "openat",
                format!("{}, {path:?}, O_RDONLY|O_CLOEXEC", Slot::Proc),
                "$namespace",
            ));
            "$namespace".to_owned()
        }
    };
    calls.extend([
        gives("openat", format!("{}, \"self/ns/net\", O_RDONLY|O_CLOEXEC", Slot::Proc), "$here"),
        call("setns", format!("{namespace}, CLONE_NEWNET")),
        gives("socket", "AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE", "$inside"),
        call("setns", "$here, CLONE_NEWNET"),
        gives("sendto", format!("{}, {{RTM_GETLINK}}", Slot::Netlink), format!("$index  # of {name}")),
        call("sendto", format!("{}, {{RTM_GETADDR}}", Slot::Netlink)),
        call(
            "sendto",
            format!(
                "{}, {{RTM_NEWLINK, $index, IFLA_IFNAME={new_name:?}, IFLA_NET_NS_FD={namespace}}}",
                Slot::Netlink
            ),
        ),
        call("sendto", "$inside, {RTM_NEWADDR, $index, each permanent address of global scope}"),
        call("sendto", "$inside, {RTM_NEWLINK, $index, IFF_UP}"),
    ]);
    calls
}

fn device(
    within: Slot,
    path: &Path,
    kind: DeviceKind,
    number: (u32, u32),
    mode: u32,
    owner: (u32, u32),
) -> Vec<Call> {
    let node = relative(path);
    let (letter, number) = match kind {
        DeviceKind::Block => ("S_IFBLK", format!("makedev({}, {})", number.0, number.1)),
        DeviceKind::Char | DeviceKind::Unbuffered => {
            ("S_IFCHR", format!("makedev({}, {})", number.0, number.1))
        }
        DeviceKind::Fifo => ("S_IFIFO", "0".to_owned()),
    };
    let mut calls = vec![call("mknodat", format!("{within}, {node:?}, {letter}|0{mode:o}, {number}"))];
    if within != Slot::Root {
        calls.push(call("fchownat", format!("{within}, {node:?}, {}, {}, 0", owner.0, owner.1)));
        calls.push(call("fchmodat", format!("{within}, {node:?}, 0{mode:o}")));
    } else if owner != (0, 0) {
        calls.push(call(
            "fchownat",
            format!("{within}, {node:?}, {}, {}, AT_SYMLINK_NOFOLLOW", owner.0, owner.1),
        ));
    }
    calls
}

fn terminal(op: &Op) -> Vec<Call> {
    match op {
        Op::OpenTerminal { rows, columns, .. } => {
            let mut calls = vec![
                gives(
                    "openat2",
                    format!(
                        "{}, \"dev/pts/ptmx\", {{flags=O_RDWR|O_NOCTTY|O_CLOEXEC, resolve=RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT}}",
                        Slot::Root
                    ),
                    Slot::Console,
                ),
                call("fstatfs", format!("{}, {{f_type=DEVPTS_SUPER_MAGIC}}", Slot::Console)),
                call("ioctl", format!("{}, TIOCSPTLCK, [0]", Slot::Console)),
                gives(
                    "ioctl",
                    format!("{}, TIOCGPTPEER, O_RDWR|O_NOCTTY|O_CLOEXEC", Slot::Console),
                    Slot::Terminal,
                ),
            ];
            if (*rows, *columns) != (0, 0) {
                calls.push(call(
                    "ioctl",
                    format!("{}, TIOCSWINSZ, {{ws_row={rows}, ws_col={columns}}}", Slot::Terminal),
                ));
            }
            calls
        }
        Op::SendConsole => {
            vec![call("sendmsg", format!("{}, {{SCM_RIGHTS [{}]}}", Slot::ConsoleSocket, Slot::Console))]
        }
        Op::UseTerminal => {
            let mut calls = vec![call("ioctl", format!("{}, TIOCSCTTY, 0", Slot::Terminal))];
            calls.extend((0..3).map(|fd| call("dup2", format!("{}, {fd}", Slot::Terminal))));
            calls
        }
        _ => unreachable!("not about terminals"),
    }
}

fn credentials(op: &Op) -> Vec<Call> {
    match op {
        Op::ResetSignals => vec![
            call("rt_sigaction", "each, {sa_handler=SIG_DFL}, NULL"),
            call("rt_sigprocmask", "SIG_SETMASK, [], NULL"),
        ],
        Op::SetNotDumpable => vec![call("prctl", "PR_SET_DUMPABLE, SUID_DUMP_DISABLE")],
        Op::NewSession => vec![call("setsid", "")],
        Op::NewKeyring { name } => vec![call("keyctl", format!("KEYCTL_JOIN_SESSION_KEYRING, {name:?}"))],
        Op::SetRlimit { resource, soft, hard } => vec![call(
            "prlimit64",
            format!("0, {}, {{rlim_cur={}, rlim_max={}}}, NULL", resource.name(), limit(*soft), limit(*hard)),
        )],
        Op::SetOomScoreAdj { value } => write_proc("self/oom_score_adj", &value.to_string()),
        Op::SetScheduler { .. }
        | Op::SetIoPriority { .. }
        | Op::SetAffinity { .. }
        | Op::ResetAffinity
        | Op::SetPersonality { .. }
        | Op::SetMemoryPolicy { .. } => vec![schedule::call(op)],
        Op::SetSecurityAttribute { attribute, value, .. } => write_proc(&format!("self/{attribute}"), value),
        Op::SetUmask { mask } => vec![call("umask", format!("0{mask:03o}"))],
        Op::OwnStdio { uid, gid } => (0..3).map(|fd| call("fchown", format!("{fd}, {uid}, {gid}"))).collect(),
        Op::DropBounding { drop } => {
            drop.iter().map(|capability| call("prctl", format!("PR_CAPBSET_DROP, {capability}"))).collect()
        }
        Op::KeepCapabilities => vec![call("prctl", "PR_SET_KEEPCAPS, 1")],
        Op::SetGroups { groups } => {
            let list: Vec<_> = groups.iter().map(u32::to_string).collect();
            vec![call("setgroups", format!("{}, [{}]", groups.len(), list.join(", ")))]
        }
        Op::SetGid { gid } => vec![call("setresgid", format!("{gid}, {gid}, {gid}"))],
        Op::SetUid { uid } => vec![call("setresuid", format!("{uid}, {uid}, {uid}"))],
        Op::SetCapabilities { effective, permitted, inheritable } => vec![call(
            "capset",
            format!(
                "{{version=_LINUX_CAPABILITY_VERSION_3, pid=0}}, {{effective={}, permitted={}, inheritable={}}}",
                set(*effective),
                set(*permitted),
                set(*inheritable)
            ),
        )],
        Op::SetAmbient { raise } => {
            let mut calls = vec![call("prctl", "PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0")];
            calls.extend(raise.iter().map(|capability| {
                call("prctl", format!("PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, {capability}, 0, 0"))
            }));
            calls
        }
        Op::ChangeDirectory { path } => vec![call("chdir", format!("{path:?}")), call("getcwd", "")],
        Op::FindHome { .. } => vec![gives(
            "openat2",
            "$root, \"etc/passwd\", {flags=O_RDONLY|O_NONBLOCK|O_NOCTTY|O_CLOEXEC, \
             resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}"
                .to_owned(),
            "$passwd",
        )],
        Op::FindProgram { name, search } if !name.contains('/') => {
            vec![gives("faccessat2", format!("each of {search:?}, {name:?}, X_OK, AT_EACCESS"), "$program")]
        }
        Op::FindProgram { name, .. } => {
            vec![call("faccessat2", format!("AT_FDCWD, {name:?}, X_OK, AT_EACCESS"))]
        }
        Op::CloseDescriptors { from, keep } => {
            let kept: String = keep.iter().map(|slot| format!(", {slot}")).collect();
            vec![call("close_range", format!("{from}, 4294967295, 0 /* but $channel{kept} */"))]
        }
        Op::PassDescriptors { slots } => {
            (3..).zip(slots).map(|(number, slot)| call("dup2", format!("{slot}, {number}"))).collect()
        }
        Op::SetNoNewPrivileges => vec![call("prctl", "PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0")],
        Op::SetSeccomp { flags, program, summary } => {
            let mut load = call(
                "seccomp",
                format!(
                    "SECCOMP_SET_MODE_FILTER, {}, {{len={}, filter=...}} /* {summary} */",
                    filter_flags(*flags),
                    program.len()
                ),
            );
            load.result = (flags & NEW_LISTENER != 0).then(|| Slot::Listener.to_string());
            vec![load]
        }
        Op::OfferListener => vec![call("write", format!("$channel, {}", Slot::Listener))],
        Op::TakeListener => vec![
            call("read", "$channel, number of $listener"),
            gives("pidfd_getfd", format!("{}, number of $listener, 0", Slot::InitPidfd), Slot::Listener),
        ],
        Op::SendListener { socket, state } => vec![
            gives("socket", "AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0", "$agent"),
            call("connect", format!("$agent, {{sun_path={socket:?}}}")),
            call("sendmsg", format!("$agent, {{{state}, SCM_RIGHTS [{}]}}", Slot::Listener)),
        ],
        Op::Exec { args, env } => {
            let args = args.iter().map(|arg| format!("{arg:?}")).collect::<Vec<_>>().join(", ");
            vec![call("execve", format!("$program, [{args}], [/* {} vars */]", env.len()))]
        }
        Op::ExecUnderInit { args, env } => {
            let args = args.iter().map(|arg| format!("{arg:?}")).collect::<Vec<_>>().join(", ");
            vec![call(
                "execveat",
                format!(
                    "$cuddy, \"\", [\"cuddy-init\", $program, {args}], [/* {} vars */], AT_EMPTY_PATH",
                    env.len()
                ),
            )]
        }
        _ => unreachable!("rendered elsewhere: {}", words::namespace(NamespaceKind::User)),
    }
}

/// `SECCOMP_FILTER_FLAG_*` of linux/seccomp.h, as strace prints them.
fn filter_flags(flags: u32) -> String {
    const NAMES: [&str; 6] =
        ["TSYNC", "LOG", "SPEC_ALLOW", "NEW_LISTENER", "TSYNC_ESRCH", "WAIT_KILLABLE_RECV"];
    let names = (0..).zip(NAMES).filter(|(bit, _)| flags & (1 << bit) != 0);
    let joined = names.map(|(_, name)| format!("SECCOMP_FILTER_FLAG_{name}")).collect::<Vec<_>>().join("|");
    if joined.is_empty() { "0".to_owned() } else { joined }
}

/// A capability set as strace prints it: names by number, or 0.
fn set(set: CapabilitySet) -> String {
    if set.is_empty() {
        return "0".to_owned();
    }
    set.iter().map(|capability| format!("1<<{capability}")).collect::<Vec<_>>().join("|")
}
