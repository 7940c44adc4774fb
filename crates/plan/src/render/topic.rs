//! What an operation is about: both renderings have a room for each topic.

use crate::Op;

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// Control groups, units of systemd and groups of resctrl.
    Cgroup,
    /// Processes, their namespaces, and how the two meet.
    Process,
    /// What a namespace is called, and its parameters.
    Names,
    /// Interfaces.
    Network,
    /// Mounts: made, changed, attached; the root.
    Mounts,
    /// Directories, devices and links.
    Nodes,
    /// The pseudo terminal.
    Terminal,
    /// Who runs when and where.
    Schedule,
    /// Users, capabilities, limits, labels, signals.
    Identity,
    /// Rules of Landlock.
    Landlock,
    /// System call filters and who listens to them.
    Seccomp,
    /// The program, and what it finds.
    Program,
}

/// What this one is about.
pub(super) fn topic(op: &Op) -> Topic {
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
        | Op::FilterDevices { .. } => Topic::Cgroup,
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
        | Op::AwaitStart => Topic::Process,
        Op::SetHostname { .. } | Op::SetDomainname { .. } | Op::SetSysctl { .. } => Topic::Names,
        Op::LinkUp { .. } | Op::OpenNetlink | Op::MoveNetDevice { .. } => Topic::Network,
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
        | Op::Chroot => Topic::Mounts,
        Op::MakeDirectory { .. } | Op::MakeDevice { .. } | Op::MakeSymlink { .. } => Topic::Nodes,
        Op::OpenTerminal { .. } | Op::SendConsole | Op::UseTerminal => Topic::Terminal,
        Op::SetScheduler { .. }
        | Op::SetIoPriority { .. }
        | Op::SetAffinity { .. }
        | Op::ResetAffinity
        | Op::SetPersonality { .. }
        | Op::SetMemoryPolicy { .. } => Topic::Schedule,
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
        | Op::SetNoNewPrivileges => Topic::Identity,
        Op::Restrict { .. } => Topic::Landlock,
        Op::SetSeccomp { .. } | Op::OfferListener | Op::TakeListener | Op::SendListener { .. } => {
            Topic::Seccomp
        }
        Op::ChangeDirectory { .. }
        | Op::FindHome { .. }
        | Op::FindProgram { .. }
        | Op::CloseDescriptors { .. }
        | Op::PassDescriptors { .. }
        | Op::Exec { .. }
        | Op::ExecUnderInit { .. } => Topic::Program,
    }
}
