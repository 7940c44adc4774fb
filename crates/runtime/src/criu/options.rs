use planner::CgroupManager;
use rustix::fd::OwnedFd;
use spec::{Config, ContainerId};
use std::path::{Path, PathBuf};

/// What a checkpoint and a restore have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CriuOptions {
    /// The directory of the images; made where it is missing.
    pub images: PathBuf,
    /// The directory of logs and statistics; that of the images unless named.
    pub work: Option<PathBuf>,
    /// Open TCP connections are saved and restored.
    pub tcp_established: bool,
    /// Unix sockets may be connected to the outside.
    pub ext_unix_sk: bool,
    /// The session and the terminal of the caller may be the container's, too.
    pub shell_job: bool,
    /// File locks are saved and restored.
    pub file_locks: bool,
    /// How the groups that the container has made are treated.
    pub manage_cgroups: ManageCgroups,
    /// Memory images are not kept twice.
    pub auto_dedup: bool,
    /// Memory is brought back when it is used.
    pub lazy_pages: bool,
}

/// How criu treats cgroups (criu(8), `--manage-cgroups`), by the numbers of `criu_cg_mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ManageCgroups {
    /// They are left alone.
    Ignore = 0,
    /// Those that are missing are made, with their settings.
    #[default]
    Soft = 3,
    /// All of them get the settings that they had.
    Full = 4,
    /// None of them may exist.
    Strict = 5,
}

/// How the state of a container is saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointOptions {
    /// What a restore has, too.
    pub common: CriuOptions,
    /// An earlier image, relative to the directory of the images: only what has changed since is saved.
    pub parent: Option<PathBuf>,
    /// The container goes on.
    pub leave_running: bool,
    /// Only its memory is saved, and it goes on.
    pub pre_dump: bool,
    /// TCP connections that are not accepted yet are passed over.
    pub tcp_skip_in_flight: bool,
    /// Files that were removed while open get a name for the time being.
    pub link_remap: bool,
    /// Address and port of a server that the memory is sent to.
    pub page_server: Option<(String, u16)>,
}

/// What a container is restored from.
#[derive(Debug)]
pub struct RestoreRequest<'a> {
    /// Its name, which may be another than before.
    pub id: &'a ContainerId,
    /// Absolute path of its bundle.
    pub bundle: &'a Path,
    /// The text of its configuration, to be kept with it.
    pub json: Option<&'a [u8]>,
    /// Its configuration.
    pub config: &'a Config,
    /// Who makes its groups.
    pub cgroup_manager: CgroupManager,
    /// How it is done.
    pub options: &'a CriuOptions,
    /// A profile of a security module in place of the one it had, like `apparmor:NAME`.
    pub lsm_profile: Option<&'a str>,
    /// A label of SELinux for its mounts in place of the one they had.
    pub lsm_mount_context: Option<&'a str>,
    /// Where its terminal is sent; needed when it has one.
    pub console: Option<OwnedFd>,
    /// File that init's pid is written to.
    pub pid_file: Option<&'a Path>,
}
