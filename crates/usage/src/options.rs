//! Every option, by the name that the code reads it with.

use crate::Opt;

/// Options before the command.
pub const GLOBAL: &[Opt] =
    &[ROOT, LOG, LOG_FORMAT, DEBUG, SYSTEMD_CGROUP, CGROUP_MANAGER, ROOTLESS, VERSION, HELP];

/// Where state is kept.
pub const ROOT: Opt = Opt::value("root", "DIR", "directory of the containers' state");
/// The log.
pub const LOG: Opt = Opt::value("log", "FILE", "append what is logged to this file");
/// The form of the log.
pub const LOG_FORMAT: Opt =
    Opt::choice("log-format", "FORMAT", &["text", "json"], "form of the log: text or json");
/// More in the log.
pub const DEBUG: Opt = Opt::switch("debug", "log what is done, too");
/// Let systemd make the cgroups.
pub const SYSTEMD_CGROUP: Opt =
    Opt::switch("systemd-cgroup", "let systemd make the cgroups; cgroupsPath is SLICE:PREFIX:NAME then");
/// Who makes the cgroups.
pub const CGROUP_MANAGER: Opt = Opt::choice(
    "cgroup-manager",
    "MANAGER",
    &["cgroupfs", "systemd", "disabled"],
    "who makes the cgroups: cgroupfs, systemd or disabled",
);
/// Whether cgroups may be refused.
pub const ROOTLESS: Opt = Opt::choice(
    "rootless",
    "BOOL",
    &["true", "false", "auto"],
    "go on where cgroups are not permitted: true, false or auto",
);
/// The version.
pub const VERSION: Opt = Opt::switch("version", "print the version").short('v');
/// The help; every command has it, too.
pub const HELP: Opt = Opt::switch("help", "print this help").short('h');

/// The bundle.
pub const BUNDLE: Opt =
    Opt::value("bundle", "DIR", "directory of the bundle; left out, this directory").short('b');
/// Another name for `config.json`.
pub const CONFIG: Opt =
    Opt::value("config", "FILE", "configuration to use in place of the bundle's config.json").short('f');
/// Who gets the terminal.
pub const CONSOLE_SOCKET: Opt =
    Opt::value("console-socket", "SOCKET", "socket that the terminal is sent to, as a descriptor");
/// Who gets the pidfd.
pub const PIDFD_SOCKET: Opt =
    Opt::value("pidfd-socket", "SOCKET", "socket that the process is sent to, as a pidfd");
/// The pid.
pub const PID_FILE: Opt = Opt::value("pid-file", "FILE", "write the process's pid to this file");
/// For a root on a ramdisk.
pub const NO_PIVOT: Opt =
    Opt::switch("no-pivot", "chroot in place of pivot_root, for a root file system on a ramdisk");
/// Keep the keyring.
pub const NO_NEW_KEYRING: Opt = Opt::switch("no-new-keyring", "keep the caller's session keyring");
/// Descriptors.
pub const PRESERVE_FDS: Opt =
    Opt::value("preserve-fds", "N", "pass N descriptors after standard error (and after LISTEN_FDS)");
/// Return at once.
pub const DETACH: Opt = Opt::switch("detach", "do not wait for its end").short('d');
/// Keep it.
pub const KEEP: Opt = Opt::switch("keep", "do not delete the container when it ends");
/// Orphans.
pub const NO_SUBREAPER: Opt =
    Opt::switch("no-subreaper", "leave processes that the container's parent lost to the machine's init");

/// A process in a file.
pub const PROCESS: Opt =
    Opt::value("process", "FILE", "process as JSON, as in config.json; other options do not change it")
        .short('p');
/// Working directory.
pub const CWD: Opt = Opt::value("cwd", "DIR", "working directory in the container");
/// Environment.
pub const ENV: Opt = Opt::value("env", "NAME=VALUE", "set an environment variable").short('e').repeats();
/// A terminal.
pub const TTY: Opt = Opt::switch("tty", "give it a terminal").short('t');
/// User.
pub const USER: Opt = Opt::value("user", "UID[:GID]", "user and group").short('u');
/// Groups.
pub const ADDITIONAL_GIDS: Opt = Opt::value("additional-gids", "GID", "one more group").short('g').repeats();
/// SELinux.
pub const PROCESS_LABEL: Opt = Opt::value("process-label", "LABEL", "SELinux label");
/// AppArmor.
pub const APPARMOR: Opt = Opt::value("apparmor", "PROFILE", "AppArmor profile");
/// Privileges.
pub const NO_NEW_PRIVS: Opt =
    Opt::switch("no-new-privs", "no program that it executes gains privileges; =false: they may");
/// Capabilities.
pub const CAP: Opt = Opt::value("cap", "CAPABILITY", "add a capability").short('c').repeats();
/// A group below.
pub const CGROUP: Opt =
    Opt::value("cgroup", "[CONTROLLER:]PATH", "run it in this cgroup below the container's").repeats();
/// Exec although paused.
pub const IGNORE_PAUSED: Opt =
    Opt::switch("ignore-paused", "start it in a paused container, where it waits for resume");

/// To all processes.
pub const ALL: Opt = Opt::switch("all", "to every process of the container").short('a');
/// End it before.
pub const FORCE: Opt =
    Opt::switch("force", "end it first if it runs; none of that name is no error").short('f');
/// All whose names match.
pub const REGEX: Opt =
    Opt::switch("regex", "ID is a pattern of ^ $ . and *; delete all containers it matches");
/// Table or JSON.
pub const FORMAT: Opt = Opt::choice("format", "FORMAT", &["table", "json"], "table or json").short('f');
/// Names alone.
pub const QUIET: Opt = Opt::switch("quiet", "print names only").short('q');
/// A rootless template.
pub const FOR_ROOTLESS: Opt = Opt::switch("rootless", "for a container without root");
/// Time between statistics.
pub const INTERVAL: Opt =
    Opt::value("interval", "DURATION", "time between two statistics, like 500ms or 1m; 5s if left out");
/// Statistics, once.
pub const STATS: Opt = Opt::switch("stats", "print the statistics once and end");

/// Resources in a file.
pub const RESOURCES: Opt = Opt::value(
    "resources",
    "FILE",
    "JSON as in linux.resources, - for standard input; other options are ignored then",
)
.short('r');
/// `blockIO.weight`.
pub const BLKIO_WEIGHT: Opt = Opt::value("blkio-weight", "N", "share of the disks, from 10 to 1000");
/// `cpu.period`.
pub const CPU_PERIOD: Opt = Opt::value("cpu-period", "US", "period that the quota is for, in microseconds");
/// `cpu.quota`.
pub const CPU_QUOTA: Opt = Opt::value("cpu-quota", "US", "processor time in each period, in microseconds");
/// `cpu.burst`.
pub const CPU_BURST: Opt = Opt::value("cpu-burst", "US", "unused quota that is saved up, in microseconds");
/// `cpu.realtimePeriod`.
pub const CPU_RT_PERIOD: Opt = Opt::value("cpu-rt-period", "US", "period of the real-time budget");
/// `cpu.realtimeRuntime`.
pub const CPU_RT_RUNTIME: Opt = Opt::value("cpu-rt-runtime", "US", "real-time budget in each period");
/// `cpu.shares`.
pub const CPU_SHARE: Opt = Opt::value("cpu-share", "N", "share of the processors, from 2 to 262144");
/// `cpu.cpus`.
pub const CPUSET_CPUS: Opt = Opt::value("cpuset-cpus", "LIST", "processors that may be used, like 0-2,5");
/// `cpu.mems`.
pub const CPUSET_MEMS: Opt = Opt::value("cpuset-mems", "LIST", "memory nodes that may be used, like 0,1");
/// `cpu.idle`.
pub const CPU_IDLE: Opt = Opt::value("cpu-idle", "0|1", "1: run only when nothing else wants to");
/// `memory.limit`.
pub const MEMORY: Opt = Opt::value("memory", "BYTES", "limit of memory, like 200M; -1: none");
/// `memory.reservation`.
pub const MEMORY_RESERVATION: Opt =
    Opt::value("memory-reservation", "BYTES", "memory that is reclaimed last; -1: none");
/// `memory.swap`.
pub const MEMORY_SWAP: Opt =
    Opt::value("memory-swap", "BYTES", "limit of memory and swap together; -1: none");
/// Not settable any more.
pub const KERNEL_MEMORY: Opt =
    Opt::value("kernel-memory", "BYTES", "ignored: kernels have no such limit any more");
/// Not settable any more.
pub const KERNEL_MEMORY_TCP: Opt = Opt::value("kernel-memory-tcp", "BYTES", "ignored, as by runc");
/// `pids.limit`.
pub const PIDS_LIMIT: Opt = Opt::value("pids-limit", "N", "processes and threads that may exist; -1: any");
/// `intelRdt.l3CacheSchema`.
pub const L3_CACHE_SCHEMA: Opt = Opt::value("l3-cache-schema", "SCHEMA", "share of the L3 cache (Intel RDT)");
/// `intelRdt.memBwSchema`.
pub const MEM_BW_SCHEMA: Opt =
    Opt::value("mem-bw-schema", "SCHEMA", "share of the memory bandwidth (Intel RDT)");

/// Images of a checkpoint.
pub const IMAGE_PATH: Opt =
    Opt::value("image-path", "DIR", "directory of the images; left out, ./checkpoint");
/// What CRIU writes beside the images.
pub const WORK_PATH: Opt = Opt::value("work-path", "DIR", "directory of CRIU's log and other files");
/// Images of a checkpoint before.
pub const PARENT_PATH: Opt =
    Opt::value("parent-path", "DIR", "images of an earlier --pre-dump, relative to --image-path");
/// Go on.
pub const LEAVE_RUNNING: Opt = Opt::switch("leave-running", "let the container run on");
/// Connections.
pub const TCP_ESTABLISHED: Opt = Opt::switch("tcp-established", "allow open TCP connections");
/// Connections being made.
pub const TCP_SKIP_IN_FLIGHT: Opt = Opt::switch("tcp-skip-in-flight", "leave out TCP connections being made");
/// Deleted files.
pub const LINK_REMAP: Opt = Opt::switch("link-remap", "allow files that have no name any more");
/// Sockets.
pub const EXT_UNIX_SK: Opt = Opt::switch("ext-unix-sk", "allow unix sockets whose other end is outside");
/// A terminal that is not its own.
pub const SHELL_JOB: Opt = Opt::switch("shell-job", "allow the terminal of the shell that started it");
/// Locks.
pub const FILE_LOCKS: Opt = Opt::switch("file-locks", "allow file locks");
/// Memory on demand.
pub const LAZY_PAGES: Opt = Opt::switch("lazy-pages", "bring memory when it is touched, by userfaultfd");
/// Tell when ready.
pub const STATUS_FD: Opt = Opt::value("status-fd", "FD", "descriptor that CRIU writes a zero to when ready");
/// Memory elsewhere.
pub const PAGE_SERVER: Opt = Opt::value("page-server", "ADDRESS:PORT", "server that the memory is sent to");
/// Memory only.
pub const PRE_DUMP: Opt = Opt::switch("pre-dump", "save memory only, and let the container run on");
/// What is done with cgroups.
pub const MANAGE_CGROUPS_MODE: Opt = Opt::choice(
    "manage-cgroups-mode",
    "MODE",
    &["soft", "full", "strict", "ignore"],
    "what is done with cgroups: soft (if left out), full, strict or ignore",
);
/// Namespaces that are made empty.
pub const EMPTY_NS: Opt =
    Opt::value("empty-ns", "NAMESPACE", "make this namespace without what was in it: network").repeats();
/// Memory that a later image has.
pub const AUTO_DEDUP: Opt = Opt::switch("auto-dedup", "drop memory from earlier images that a later one has");
/// Security module of the restored.
pub const LSM_PROFILE: Opt =
    Opt::value("lsm-profile", "TYPE:NAME", "profile of a security module to restore with");
/// SELinux context of mounts.
pub const LSM_MOUNT_CONTEXT: Opt =
    Opt::value("lsm-mount-context", "CONTEXT", "SELinux context of the restored mounts");
