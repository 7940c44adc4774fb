//! The canonical rendering: what strace(1) would print, a room for each topic.

mod cgroup;
mod identity;
mod landlock;
mod mounts;
mod network;
mod nodes;
mod process;
mod program;
mod schedule;
mod seccomp;
mod terminal;

use crate::{Op, Slot};
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

fn call(name: &'static str, args: impl Into<String>) -> Call {
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
        | Op::AssignResctrl { .. }
        | Op::JoinCgroup { .. }
        | Op::StartUnit { .. }
        | Op::GiveCgroup { .. }
        | Op::FilterDevices { .. } => cgroup::calls(op),
        Op::OpenProc
        | Op::OpenCuddy
        | Op::MakeIdMap { .. }
        | Op::OpenNamespace { .. }
        | Op::EnterNamespace { .. }
        | Op::EnterTarget { .. }
        | Op::AdoptNamespace { .. }
        | Op::Unshare { .. }
        | Op::WriteTimeOffsets { .. }
        | Op::Clone { .. }
        | Op::WriteIdMap { .. }
        | Op::RunIdMapper { .. }
        | Op::DenySetgroups
        | Op::ReturnTo { .. }
        | Op::Record { .. }
        | Op::RunHook { .. }
        | Op::Send { .. }
        | Op::Await { .. }
        | Op::AwaitStart => process::calls(op),
        Op::SetHostname { name } => vec![call("sethostname", format!("{name:?}, {}", name.len()))],
        Op::SetDomainname { name } => vec![call("setdomainname", format!("{name:?}, {}", name.len()))],
        Op::SetSysctl { name, value } => write_proc(&format!("sys/{name}"), value),
        Op::LinkUp { .. } | Op::OpenNetlink | Op::MoveNetDevice { .. } => network::calls(op),
        Op::OpenRoot { .. }
        | Op::OpenTargetRoot { .. }
        | Op::NoteMount { .. }
        | Op::SetPropagation { .. }
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
        | Op::Detach { .. }
        | Op::Mask { .. }
        | Op::MakeReadOnly { .. }
        | Op::MakeRootReadOnly
        | Op::PivotRoot
        | Op::MoveRoot
        | Op::Chroot => mounts::calls(op),
        Op::MakeDirectory { .. } | Op::MakeDevice { .. } | Op::MakeSymlink { .. } => nodes::calls(op),
        Op::OpenTerminal { .. } | Op::SendConsole | Op::UseTerminal => terminal::calls(op),
        Op::SetScheduler { .. }
        | Op::SetIoPriority { .. }
        | Op::SetAffinity { .. }
        | Op::ResetAffinity
        | Op::SetPersonality { .. }
        | Op::SetMemoryPolicy { .. } => schedule::calls(op),
        Op::ResetSignals
        | Op::SetNotDumpable
        | Op::NewSession
        | Op::NewKeyring { .. }
        | Op::SetRlimit { .. }
        | Op::SetOomScoreAdj { .. }
        | Op::SetSecurityAttribute { .. }
        | Op::SetUmask { .. }
        | Op::OwnStdio { .. }
        | Op::DropBounding { .. }
        | Op::KeepCapabilities
        | Op::SetGroups { .. }
        | Op::SetGid { .. }
        | Op::SetUid { .. }
        | Op::SetCapabilities { .. }
        | Op::SetAmbient { .. }
        | Op::SetNoNewPrivileges => identity::calls(op),
        Op::Restrict { rules } => landlock::calls(rules),
        Op::SetSeccomp { .. } | Op::OfferListener | Op::TakeListener | Op::SendListener { .. } => {
            seccomp::calls(op)
        }
        Op::ChangeDirectory { .. }
        | Op::FindHome { .. }
        | Op::FindProgram { .. }
        | Op::CloseDescriptors { .. }
        | Op::PassDescriptors { .. }
        | Op::Exec { .. }
        | Op::ExecUnderInit { .. } => program::calls(op),
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

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}
