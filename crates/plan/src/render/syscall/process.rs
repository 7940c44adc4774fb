//! Processes, the namespaces that they are in, and how they meet.

use super::{Call, call, gives, write_proc};
use crate::{Hook, IdKind, Op, Slot, Within};
use spec::{HookKind, NamespaceKind, State};
use std::path::Path;

pub(super) fn calls(op: &Op) -> Vec<Call> {
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
        Op::EnterNamespace { kind } => vec![enter(*kind)],
        Op::AdoptNamespace { kind } => {
            let path = format!("$host_pid/ns/{}", kind.file_name());
            vec![
                gives("openat", format!("{}, {path:?}, O_RDONLY|O_CLOEXEC", Slot::Proc), "$namespace"),
                call("setns", format!("$namespace, {}", clone_flag(*kind))),
            ]
        }
        Op::EnterTarget { namespaces } => {
            vec![call("setns", format!("{}, {}", Slot::Target, clone_flags(namespaces).join("|")))]
        }
        Op::Unshare { namespaces } => vec![call("unshare", clone_flags(namespaces).join("|"))],
        Op::WriteTimeOffsets { text } => write_proc("self/timens_offsets", text),
        Op::Clone { namespaces, cgroup, within } if within.is_empty() => {
            vec![clone3(&["CLONE_PIDFD"], namespaces, *cgroup, "SIGCHLD")]
        }
        Op::Clone { namespaces, cgroup, within } => {
            let mut calls = vec![
                gives(
                    "clone3",
                    "{flags=CLONE_FILES|CLONE_PIDFD, pidfd=$between_pidfd, exit_signal=SIGCHLD}",
                    "$between",
                ),
                call("prctl", "PR_SET_DUMPABLE, SUID_DUMP_DISABLE"),
            ];
            calls.extend(within.iter().map(|Within { slot, namespaces }| {
                call("setns", format!("{slot}, {}", clone_flags(namespaces).join("|")))
            }));
            calls.push(clone3(&["CLONE_PIDFD", "CLONE_PARENT"], namespaces, *cgroup, "0"));
            calls
        }
        Op::WriteIdMap { kind, text } => {
            let file = match kind {
                IdKind::User => "uid_map",
                IdKind::Group => "gid_map",
            };
            write_proc(&format!("$init_pid/{file}"), text)
        }
        Op::RunIdMapper { program, text, .. } => run_id_mapper(program, text),
        Op::DenySetgroups => write_proc("$init_pid/setgroups", "deny"),
        Op::ReturnTo { kind } => {
            let path = format!("self/ns/{}", kind.file_name());
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
            call("rt_sigaction", "each of SIGHUP, SIGINT, SIGQUIT, SIGTERM, {sa_handler=_exit}, NULL"),
            call("write", "$channel, Created"),
            gives("accept4", format!("{}, NULL, NULL, SOCK_CLOEXEC", Slot::StartSocket), "$starter"),
            call("read", "$starter, Start"),
        ],
        _ => unreachable!("not about processes"),
    }
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

fn enter(kind: NamespaceKind) -> Call {
    call("setns", format!("{}, {}", Slot::Namespace(kind), clone_flag(kind)))
}

fn clone3(flags: &[&str], namespaces: &[NamespaceKind], cgroup: Option<Slot>, signal: &str) -> Call {
    let mut flags = flags.to_vec();
    flags.extend(clone_flags(namespaces));
    flags.extend(cgroup.map(|_| "CLONE_INTO_CGROUP"));
    let cgroup = cgroup.map_or_else(String::new, |slot| format!(", cgroup={slot}"));
    let (flags, pidfd) = (flags.join("|"), Slot::InitPidfd);
    gives("clone3", format!("{{flags={flags}, pidfd={pidfd}, exit_signal={signal}{cgroup}}}"), "$init_pid")
}

fn run_id_mapper(program: &Path, text: &str) -> Vec<Call> {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let ids = text.split_whitespace().map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", ");
    vec![
        gives("clone3", "{flags=CLONE_PIDFD, pidfd=$mapper_pidfd, exit_signal=SIGCHLD}", "$mapper"),
        gives(
            "execve",
            format!("{program:?}, [{name:?}, \"$init_pid\", {ids}], [/* as here */]"),
            "0  # by $mapper",
        ),
        call("waitid", "P_PIDFD, $mapper_pidfd, ..., WEXITED"),
    ]
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
