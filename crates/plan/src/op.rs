use crate::unit::{Property, Unit};
use crate::{Attr, Constant, Hook, Landlock, Numbers, Propagation, Slot};
use serde::Serialize;
use spec::{CapabilitySet, DeviceKind, NamespaceKind, State, Status};
use std::path::PathBuf;

/// One thing that is done to the kernel.
///
/// Most operations are one system call, or the few that always go together. Paths named `path` lie inside
/// the container and are resolved by descriptor below [`Slot::Root`] when the step runs; paths of the
/// machine are named otherwise or stand in [`Target::Host`] and [`TreeSource::Path`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the fields are the arguments of the calls that the variants name")]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    // ---- control groups -------------------------------------------------------------------------
    /// Makes a cgroup directory and those above it.
    MakeCgroup { directory: PathBuf },
    /// Gives a new v1 cpuset the processors and memory nodes of the groups above, up to the mount point.
    InheritCpuset { directory: PathBuf, mount: PathBuf },
    /// Writes one cgroup setting; where its file does not exist, the fallback's.
    WriteCgroup { file: PathBuf, value: String, fallback: Option<(PathBuf, String)> },
    /// Writes init's pid to a `cgroup.procs`.
    JoinCgroup { file: PathBuf },
    /// Writes `0` to the `tasks` of a v1 group: who has one thread and moves itself needs no lock against
    /// forks, which costs a grace period of RCU.
    EnterCgroup { file: PathBuf },
    /// Opens a v2 group for a process to be born in.
    OpenCgroup { directory: PathBuf },
    /// Asks a manager of systemd for a transient unit and waits until it runs: it makes the group in each hierarchy, and
    /// moves init there if the unit takes processes.
    StartUnit { unit: Unit, properties: Vec<Property>, takes_init: bool },
    /// Attaches an eBPF program that decides on device access (cgroup v2).
    FilterDevices { directory: PathBuf, program: Vec<u64> },
    /// Gives a v2 group to a user, with the files that the kernel says may be given (`/sys/kernel/cgroup/delegate`): groups
    /// below it can then be made and limited by that user, and its own limits cannot be changed.
    GiveCgroup { directory: PathBuf, uid: u32 },

    /// Puts init into a group of resctrl: one that is made with these schemata, or one that is there and has to have them.
    /// With `monitor`, also into a new group below it that counts alone.
    AssignResctrl { group: PathBuf, makes: bool, schemata: Vec<String>, monitor: Option<PathBuf> },

    // ---- namespaces and processes ---------------------------------------------------------------
    /// Opens the machine's procfs and proves that it is one.
    OpenProc,
    /// Opens cuddy's own binary through a read-only mount, to be executed inside.
    OpenCuddy,
    /// Opens a namespace file and proves that it is of this kind.
    OpenNamespace { kind: NamespaceKind, file: PathBuf },
    /// Joins that namespace; for pid and time namespaces the children do.
    EnterNamespace { kind: NamespaceKind },
    /// Joins the namespace that the host's process has made for both.
    AdoptNamespace { kind: NamespaceKind },
    /// Joins namespaces of a running container, all in one call by its pidfd.
    EnterTarget { namespaces: Vec<NamespaceKind> },
    /// Opens a directory of the mount namespace that this process has joined as the container's root.
    OpenRoot { directory: PathBuf },
    /// Opens the root that the init of a running container has, which this pid was of when its pidfd was opened.
    OpenTargetRoot { pid: i32 },
    /// Makes new namespaces for this process; a time namespace is for its children.
    Unshare { namespaces: Vec<NamespaceKind> },
    /// Sets the clocks of the time namespace just made, before anybody is in it.
    WriteTimeOffsets { text: String },
    /// Makes the process that runs the init script; `cgroup`: born in the group of this slot; `within`: in
    /// namespaces that exist, which a process in between enters in this order. A user namespace among them belongs to the
    /// last, and the new namespaces belong to it.
    Clone { namespaces: Vec<NamespaceKind>, cgroup: Option<Slot>, within: Vec<Within> },
    /// Maps ids of init's user namespace.
    WriteIdMap { kind: IdKind, text: String },
    /// Lets newuidmap(1) or newgidmap(1) map ids of init's user namespace, which has more than the caller's own.
    RunIdMapper { kind: IdKind, program: PathBuf, text: String },
    /// Takes setgroups(2) from init's user namespace for good, without which an ordinary user may map no group
    /// (user_namespaces(7)).
    DenySetgroups,
    /// Goes back to the namespace of this kind that the process itself is in, where its children were to be
    /// in another.
    ReturnTo { kind: NamespaceKind },
    /// Writes the container's record to disk, with init's pid: from here on it is in this state.
    Record { status: Status },
    /// Runs a hook to its end, with the container's state and pid on its standard input.
    RunHook { hook: Hook, state: State },
    /// Tells the other script that it can go on.
    Send { rendezvous: Rendezvous },
    /// Waits until the other script says so.
    Await { rendezvous: Rendezvous },
    /// Tells the creator that all is ready, then waits on a socket for `start`.
    AwaitStart,

    // ---- identity of the machine ----------------------------------------------------------------
    /// sethostname(2)
    SetHostname { name: String },
    /// setdomainname(2)
    SetDomainname { name: String },
    /// Brings a network interface up.
    LinkUp { interface: String },
    /// Opens a socket by which interfaces of the machine's network can be moved.
    OpenNetlink,
    /// Moves an interface into the container's network namespace, with its permanent addresses of global scope,
    /// and brings it up there.
    MoveNetDevice { name: String, new_name: String, into: NetworkPlace },
    /// Writes a kernel parameter through the proven procfs; the name is a path like `net/ipv4/ip_forward`.
    SetSysctl { name: String, value: String },

    // ---- mounts ---------------------------------------------------------------------------------
    /// Sets the propagation of all mounts of this namespace, or of the root mount alone.
    SetPropagation { recursive: bool, propagation: Propagation },
    /// Makes a file system that is not attached anywhere yet.
    NewMount {
        fstype: String,
        source: Option<String>,
        options: Vec<(String, Option<String>)>,
        attr: Attr,
        slot: Slot,
    },
    /// Makes directories inside a mount that is not attached yet.
    MakeDirectories { slot: Slot, names: Vec<String> },
    /// Copies a mount, or a tree of mounts, without attaching the copy.
    CloneTree { source: TreeSource, recursive: bool, slot: Slot },
    /// Makes an id mapping for mounts: a user namespace that nobody is in.
    MakeIdMap { users: String, groups: String, slot: Slot },
    /// Shows the files of a mount that is not attached yet with the owners that a user namespace maps.
    SetIdMap { slot: Slot, map: Slot, recursive: bool },
    /// Gives the top of a file system that is not attached yet the mode of the directory that it will cover,
    /// if there is one.
    CopyMode { slot: Slot, path: PathBuf },
    /// Copies what a directory has into a file system that is not attached yet, with owners, modes, times and
    /// extended attributes. Links are copied and not followed; other mounts are not entered.
    CopyUp { slot: Slot, path: PathBuf, keeps_mode: bool },
    /// Gives the top of a file system that is not attached yet a label of SELinux.
    SetLabel { slot: Slot, label: String },
    /// Opens the machine's `/dev/null` and proves that it is the null device, character device 1:3.
    OpenNull,
    /// Changes attributes of a mount that is not attached yet.
    SetAttr { slot: Slot, recursive: bool, set: Attr, clear: Attr, propagation: Option<Propagation> },
    /// Changes options of the file system that is mounted at a path (fspick(2)).
    Reconfigure { path: PathBuf, options: Vec<(String, Option<String>)> },
    /// Changes attributes of the mount at a path, and of those below if recursive.
    ChangeMount { path: PathBuf, recursive: bool, set: Attr, clear: Attr, propagation: Option<Propagation> },
    /// Writes down which mount this is that will be attached on the machine.
    NoteMount { slot: Slot, file: PathBuf },
    /// Attaches a mount. On the container's `/` it becomes [`Slot::Root`].
    Attach { slot: Slot, target: Target },
    /// Hides a path: a file behind the null device, a directory behind [`Slot::Empty`], which the first one
    /// gets itself and others a copy of. A path that is not there needs no hiding.
    Mask { path: PathBuf },
    /// Makes a path read-only, with all mounts below. A path that is not there needs nothing.
    MakeReadOnly { path: PathBuf },
    /// Makes the attached root mount read-only.
    MakeRootReadOnly,
    /// Makes a directory and those above it.
    MakeDirectory { path: PathBuf, mode: u32 },
    /// Makes a device node below [`Slot::Root`], or in a file system that is not attached yet.
    MakeDevice {
        within: Slot,
        path: PathBuf,
        kind: DeviceKind,
        major: u32,
        minor: u32,
        mode: u32,
        uid: u32,
        gid: u32,
    },
    /// Takes off what is mounted on a path of the machine, in init's own mount namespace.
    Detach { place: PathBuf },
    /// Makes a symbolic link.
    MakeSymlink { target: String, path: PathBuf },
    /// Makes the root mount the root of this namespace and lets go of the old one.
    PivotRoot,
    /// Moves the root mount over the root of this namespace and makes it this process's root, where the old one cannot be
    /// pivoted away from. Weaker; only when asked for.
    MoveRoot,
    /// chroot(2), among the mounts of others.
    Chroot,

    // ---- terminal -------------------------------------------------------------------------------
    /// Opens a new pseudo terminal of the container's devpts; `plain_lines`: without a carriage return at their end.
    OpenTerminal { rows: u16, columns: u16, plain_lines: bool },
    /// Sends our end of it to whoever relays it.
    SendConsole,
    /// Makes it the controlling terminal and standard input, output and error.
    UseTerminal,

    // ---- the process ----------------------------------------------------------------------------
    /// Keeps processes that are in a joined namespace already from looking into this one (CVE-2016-9962).
    /// Ends at execve(2).
    SetNotDumpable,
    /// Default actions for all signals and an empty mask.
    ResetSignals,
    /// setsid(2)
    NewSession,
    /// A session keyring of its own.
    NewKeyring { name: String },
    /// setrlimit(2)
    SetRlimit { resource: RlimitResource, soft: u64, hard: u64 },
    /// Writes `/proc/self/oom_score_adj`.
    SetOomScoreAdj { whose: Subject, value: i32 },
    /// sched_setattr(2); times in nanoseconds.
    SetScheduler {
        whose: Subject,
        policy: Constant,
        flags: Vec<Constant>,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    },
    /// ioprio_set(2)
    SetIoPriority { whose: Subject, class: Constant, level: u8 },
    /// sched_setaffinity(2) with these processors.
    SetAffinity { cpus: Numbers },
    /// sched_setaffinity(2) with every processor, of which the cpuset leaves those of the group.
    ResetAffinity,
    /// personality(2)
    SetPersonality { domain: Constant },
    /// set_mempolicy(2)
    SetMemoryPolicy { mode: Constant, flags: Vec<Constant>, nodes: Numbers },
    /// Writes what a security module shall do at execve(2) or to new keys, to `/proc/self/attr/...`; where a
    /// module has no directory of its own there, to the fallback.
    SetSecurityAttribute { attribute: &'static str, value: String, fallback: Option<&'static str> },
    /// umask(2)
    SetUmask { mask: u32 },
    /// Gives standard input, output and error to the container's user, but for the null device. The group of a
    /// terminal stays that of terminals.
    OwnStdio { uid: u32, gid: u32 },
    /// Drops capabilities from the bounding set.
    DropBounding { drop: CapabilitySet },
    /// Keeps permitted capabilities when the user id changes.
    KeepCapabilities,
    /// setgroups(2)
    SetGroups { groups: Vec<u32> },
    /// setresgid(2)
    SetGid { gid: u32 },
    /// setresuid(2)
    SetUid { uid: u32 },
    /// capset(2)
    SetCapabilities { effective: CapabilitySet, permitted: CapabilitySet, inheritable: CapabilitySet },
    /// Raises ambient capabilities.
    SetAmbient { raise: CapabilitySet },
    /// Enters a directory and proves that it lies inside the root (CVE-2024-21626).
    ChangeDirectory { path: PathBuf },
    /// Looks up the home directory of a user in the container's own `/etc/passwd`, for a program whose environment has
    /// no `HOME`; without an entry it is `/`.
    FindHome { uid: u32 },
    /// Finds the program along `PATH`, before anything is waited for.
    FindProgram { name: String, search: String },
    /// Closes all descriptors from this number on, but for those that the rest of the script needs.
    CloseDescriptors { from: u32, keep: Vec<Slot> },
    /// Gives these descriptors to the program, which is told by its arguments that they are 3, 4 and so on.
    PassDescriptors { slots: Vec<Slot> },
    /// `PR_SET_NO_NEW_PRIVS`
    SetNoNewPrivileges,
    /// landlock_restrict_self(2) with these rules.
    Restrict { rules: Landlock },
    /// Loads a system call filter; with [`NEW_LISTENER`] it gives [`Slot::Listener`].
    SetSeccomp { flags: u32, program: Vec<BpfInstruction>, summary: String },
    /// Tells the host the number of [`Slot::Listener`], with one write(2): the filter is in force.
    OfferListener,
    /// Waits for that number and takes the descriptor out of init (pidfd_getfd(2)).
    TakeListener,
    /// Connects to a socket of the machine and sends it [`Slot::Listener`] with the container process state, to
    /// which the pid is added that init has here.
    SendListener { socket: PathBuf, state: serde_json::Value },
    /// Becomes the program.
    Exec { args: Vec<String>, env: Vec<String> },
    /// Stays as pid 1: starts the program, forwards signals to it, reaps, and ends with its exit code.
    ExecUnderInit { args: Vec<String>, env: Vec<String> },
}

/// `SECCOMP_FILTER_FLAG_NEW_LISTENER` of `linux/seccomp.h`: loading a filter gives a listener.
pub const NEW_LISTENER: u32 = 1 << 3;

/// Where the two scripts meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rendezvous {
    /// host → init: the ids of the user namespace are mapped.
    IdMapsWritten,
    /// host → init: the network namespace is made.
    NetworkMade,
    /// host → init: the cgroups are there, with their limits.
    CgroupsReady,
    /// init → host: the mounts are made, and the root is still the machine's.
    MountsMade,
    /// host → init: the hooks have run.
    HooksDone,
    /// init → host: all is ready but for the program itself.
    Created,
    /// host → init: go.
    Start,
    /// init → host: the filter is loaded, and this is the number of its listener.
    FilterLoaded,
    /// host → init: who listens has it.
    ListenerTaken,
}

/// Whom a step is about that one process can do to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The process that performs it.
    Itself,
    /// init, by the host.
    Init,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Itself => "0",
            Self::Init => "$init_pid",
        })
    }
}

/// Namespaces that exist, by the descriptor of one or by the pidfd of who is in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Within {
    /// The descriptor.
    pub slot: Slot,
    /// Which of its namespaces.
    pub namespaces: Vec<NamespaceKind>,
}

/// User or group ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IdKind {
    /// `uid_map`
    User,
    /// `gid_map`
    Group,
}

/// Which network namespace is the container's, to the process of the host's script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkPlace {
    /// Its own, which it has made for both.
    Made,
    /// init's, which init was born in.
    Init,
    /// The one that is joined.
    Joined,
}

/// Where a copied mount tree starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TreeSource {
    /// A path of the machine.
    Path(PathBuf),
    /// A path of the container, from its root: links do not lead out of it.
    Inside(PathBuf),
    /// A descriptor.
    Slot(Slot),
}

/// Where a mount is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// On a path of the machine, in init's own mount namespace.
    Host(PathBuf),
    /// Inside the container.
    Inside {
        /// Absolute, below the root.
        path: PathBuf,
        /// How symbolic links are treated.
        follow: Follow,
        /// What is made when there is nothing.
        missing: MountPoint,
    },
}

/// How symbolic links on the way to a mount point are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// Followed, with the container's root as the top.
    InRoot,
    /// Refused: what others rely on (`/proc`, `/sys`, `/dev/console`) must be where its name says.
    Never,
}

/// What is made where a mount point is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MountPoint {
    /// A directory.
    Directory,
    /// An empty file.
    File,
    /// Whichever of the two the mount is.
    Same,
}

/// A resource of getrlimit(2), by number on x86_64 and aarch64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RlimitResource(u32);

const RLIMITS: [&str; 16] = [
    "RLIMIT_CPU",
    "RLIMIT_FSIZE",
    "RLIMIT_DATA",
    "RLIMIT_STACK",
    "RLIMIT_CORE",
    "RLIMIT_RSS",
    "RLIMIT_NPROC",
    "RLIMIT_NOFILE",
    "RLIMIT_MEMLOCK",
    "RLIMIT_AS",
    "RLIMIT_LOCKS",
    "RLIMIT_SIGPENDING",
    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",
    "RLIMIT_RTPRIO",
    "RLIMIT_RTTIME",
];

impl RlimitResource {
    /// The resource with the name `RLIMIT_...`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (0u32..).zip(RLIMITS).find(|(_, known)| *known == name).map(|(number, _)| Self(number))
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Its name, `RLIMIT_...`.
    #[must_use]
    pub fn name(self) -> &'static str {
        RLIMITS[self.0 as usize]
    }
}

impl Serialize for RlimitResource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One instruction of classic BPF, `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BpfInstruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip when the comparison holds.
    pub jt: u8,
    /// Instructions to skip when it does not.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}
