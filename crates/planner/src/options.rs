use plan::Undo;
use std::path::PathBuf;

/// How a container is to be started, beyond its configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Where the root file system comes from.
    pub root: RootSource,
    /// When the program starts.
    pub start: Start,
    /// Descriptors after standard error that the container gets.
    pub preserve_fds: u32,
    /// Entries of the program's environment that are not the configuration's, and stand in place of its own.
    pub env: Vec<String>,
    /// A file of the container's own, to note in it what is mounted on the machine where it has no mount namespace.
    pub mount_note: Option<PathBuf>,
    /// `chroot` in place of `pivot_root`, for a root on a ramdisk.
    pub no_pivot: bool,
    /// Who makes the cgroups.
    pub cgroup_manager: CgroupManager,
    /// runc's `--rootless`: `false` takes groups that cannot be made for an error. Else who is not root does without
    /// them, unless limits are asked for.
    pub rootless: Option<bool>,
    /// Keep the caller's session keyring.
    pub no_new_keyring: bool,
    /// Lines of its terminal end without a carriage return: who reads a pipe has no cursor. runc does so where its
    /// standard output is no terminal; Docker sends the terminal's own bytes.
    pub plain_lines: bool,
    /// Run the program under a small init of ours.
    pub init: bool,
    /// A directory for the socket over which the program says that it is ready.
    pub notify: Option<Notify>,
    /// What the caller changed, and wants undone with the rest; first to be made, last to be undone.
    pub undo: Vec<Undo>,
}

/// Where a container finds the socket of sd_notify(3), which is made in the directory when the program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// The directory on the machine.
    pub directory: PathBuf,
    /// Where it is in the container.
    pub path: PathBuf,
}

/// Where the root file system comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RootSource {
    /// `root.path` of the configuration, itself.
    #[default]
    Configured,
    /// A throwaway layer above a tree that is only read.
    Overlay {
        /// The tree.
        lower: PathBuf,
        /// What is above it.
        upper: Upper,
    },
}

/// The writable side of an overlay. Its place is a directory of the machine that only this container uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upper {
    /// Memory, over `place` in the container's own mount namespace: it ends with the container.
    Memory {
        /// An empty directory.
        place: PathBuf,
    },
    /// Directories that exist: `upper`, `work`, `root`, where the overlay is attached, and `lower` for a tree
    /// that has to be mapped first.
    Disk {
        /// The directory that has them.
        place: PathBuf,
    },
}

/// Who makes the cgroups of a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CgroupManager {
    /// cuddy, in the file system of cgroups.
    #[default]
    Cgroupfs,
    /// systemd, as a transient unit. The facts tell of it then.
    Systemd,
    /// Nobody: limits are not set, and nothing is counted.
    Disabled,
}

/// When the program of a container starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// As soon as all is ready: `run`.
    #[default]
    AtOnce,
    /// When `start` asks for it: `create`.
    OnRequest,
}
