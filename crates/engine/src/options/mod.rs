//! What a container shall be, as its user said it: typed and checked, before the machine is asked anything.
//!
//! Each option has a parser here that takes it as Docker writes it and refuses the rest with a
//! [`BadValue`]. [`RunOptions`] holds the parsed values; [`RunOptions::validated`] refuses the ones that
//! contradict each other. What the machine has to say (does the device exist, is there swap) is in
//! [`crate::facts`].

pub mod device;
pub mod environment;
pub mod mount;
pub mod name;
pub mod namespace;
pub mod number;
pub mod security;
pub mod signal;
pub mod sysctl;
pub mod ulimit;
pub mod user;
mod value;

pub use value::{BadValue, OptionError};

use device::{DeviceRate, DeviceRequest};
use environment::EnvChange;
use mount::MountRequest;
use namespace::{Ipc, Namespaces, Network, OwnOrHost, Shared, UserNamespace};
use number::SwapLimit;
use planner::CgroupManager;
use security::{CapabilityName, SeccompChoice, SecurityOption};
use signal::Signal;
use spec::{ContainerId, NamespaceKind, Rlimit};
use std::path::PathBuf;
use sysctl::Sysctl;
use user::UserSpec;

/// The size of `/dev/shm` when nothing is said, as Docker has it.
pub const DEFAULT_SHM_SIZE: u64 = 64 << 20;

/// The options of `cuddy run`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// `--name`; left out: one is made up.
    pub name: Option<ContainerId>,
    /// `-i`: standard input reaches the command.
    pub interactive: bool,
    /// `-t`: the command has a terminal.
    pub tty: bool,
    /// `--rm`: nothing is kept when it ends.
    pub remove: bool,
    /// `--init`: pid 1 is a small init of cuddy's, and the command its child.
    pub init: bool,
    /// What may be written in the root file system.
    pub root_access: RootAccess,
    /// The command and what it starts with.
    pub process: ProcessOptions,
    /// `-v`, `--mount`, `--tmpfs`, in the order given.
    pub mounts: Vec<MountRequest>,
    /// `--shm-size` in bytes.
    pub shm_size: Option<u64>,
    /// Limits, by cgroups.
    pub limits: Limits,
    /// `--device`.
    pub devices: Vec<DeviceRequest>,
    /// What the command may do.
    pub privileges: Privileges,
    /// `--sysctl`; of one that is there twice the later holds.
    pub sysctls: Vec<Sysctl>,
    /// Namespaces that are shared or mapped.
    pub namespaces: Namespaces,
    /// `--hostname`.
    pub hostname: Option<String>,
    /// `--domainname`.
    pub domainname: Option<String>,
    /// `--cgroup-parent`.
    pub cgroup_parent: Option<String>,
    /// `--cgroup-manager`.
    pub cgroup_manager: CgroupManager,
}

/// What may be written in the root file system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RootAccess {
    /// Anything, into an overlay that is thrown away.
    #[default]
    Throwaway,
    /// `--read-only`: nothing.
    ReadOnly,
    /// `--root-rw`: anything, into the directory itself.
    InPlace,
}

/// The command and what it starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessOptions {
    /// `--entrypoint`; an empty one takes the image's away.
    pub entrypoint: Option<String>,
    /// What stands after ROOT.
    pub command: Vec<String>,
    /// `--env-file` and then `-e`, in order.
    pub environment: Vec<EnvChange>,
    /// `-w`.
    pub workdir: Option<PathBuf>,
    /// `-u`.
    pub user: Option<UserSpec>,
    /// `--ulimit`.
    pub ulimits: Vec<Rlimit>,
    /// `--oom-score-adj`, from -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// `--stop-signal`.
    pub stop_signal: Option<Signal>,
}

/// Limits by cgroups; `None` is the kernel's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// `--memory` in bytes.
    pub memory: Option<u64>,
    /// `--memory-swap`.
    pub memory_swap: Option<SwapLimit>,
    /// `--memory-reservation` in bytes.
    pub memory_reservation: Option<u64>,
    /// `--cpus`, as µs in each [`number::CPU_PERIOD`].
    pub cpu_quota: Option<i64>,
    /// `--cpu-shares`, from 2 to 262144.
    pub cpu_shares: Option<u64>,
    /// `--cpuset-cpus`.
    pub cpuset_cpus: Option<String>,
    /// `--cpuset-mems`.
    pub cpuset_mems: Option<String>,
    /// `--pids-limit`.
    pub pids: Option<i64>,
    /// `--blkio-weight`, from 10 to 1000.
    pub blkio_weight: Option<u16>,
    /// `--device-read-bps`.
    pub read_bps: Vec<DeviceRate>,
    /// `--device-write-bps`.
    pub write_bps: Vec<DeviceRate>,
}

/// What the command may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Privileges {
    /// `--privileged`: every capability and device, nothing masked, no filter.
    pub privileged: bool,
    /// `--cap-add`.
    pub cap_add: Vec<CapabilityName>,
    /// `--cap-drop`.
    pub cap_drop: Vec<CapabilityName>,
    /// `--security-opt`, in the order given; the later holds.
    pub security: Vec<SecurityOption>,
}

impl Privileges {
    /// Whether execve is kept from raising privileges.
    #[must_use]
    pub fn no_new_privileges(&self) -> bool {
        let last = |found: bool, option: &SecurityOption| match option {
            SecurityOption::NoNewPrivileges(on) => *on,
            _ => found,
        };
        self.security.iter().fold(false, last)
    }

    /// The file of rules for Landlock.
    #[must_use]
    pub fn landlock(&self) -> Option<&std::path::Path> {
        self.security.iter().rev().find_map(|option| match option {
            SecurityOption::Landlock(file) => Some(file.as_path()),
            _ => None,
        })
    }

    /// The system call filter; a privileged container has none unless one is named.
    #[must_use]
    pub fn seccomp(&self) -> SeccompChoice {
        let named = self.security.iter().rev().find_map(|option| match option {
            SecurityOption::Seccomp(choice) => Some(choice.clone()),
            _ => None,
        });
        named.unwrap_or(if self.privileged { SeccompChoice::Unconfined } else { SeccompChoice::Default })
    }

    /// The AppArmor profile that was named.
    #[must_use]
    pub fn apparmor(&self) -> Option<&str> {
        self.security.iter().rev().find_map(|option| match option {
            SecurityOption::AppArmor(profile) => Some(profile.as_str()),
            _ => None,
        })
    }

    /// Whether `/proc` and `/sys` keep all their files.
    #[must_use]
    pub fn system_paths_unconfined(&self) -> bool {
        self.privileged || self.security.contains(&SecurityOption::SystemPathsUnconfined)
    }
}

impl RunOptions {
    /// The options, if none contradicts another.
    ///
    /// # Errors
    /// The two that do.
    pub fn validated(self) -> Result<Self, OptionError> {
        self.check_memory()?;
        self.check_names()?;
        self.check_sysctls()?;
        self.check_mounts()?;
        self.check_privileges()?;
        self.check_cgroups()?;
        Ok(self)
    }

    fn check_cgroups(&self) -> Result<(), OptionError> {
        match &self.cgroup_parent {
            Some(parent) if self.cgroup_manager == CgroupManager::Systemd && !name::is_slice(parent) => {
                Err(OptionError::new(
                    format!("--cgroup-parent {parent} with --cgroup-manager systemd"),
                    "systemd makes groups in slices",
                    "name a slice, like web.slice; a-b.slice is the slice a-b in a",
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_memory(&self) -> Result<(), OptionError> {
        let Limits { memory, memory_swap, memory_reservation, .. } = self.limits;
        match (memory, memory_swap) {
            (None, Some(SwapLimit::Total(_))) => {
                return Err(OptionError::new(
                    "--memory-swap",
                    "it limits memory and swap together, and memory has no limit",
                    "give --memory, too",
                ));
            }
            (Some(memory), Some(SwapLimit::Total(total))) if total < memory => {
                return Err(OptionError::new(
                    "--memory-swap",
                    format!(
                        "{total} bytes of memory and swap together are less than the {memory} of --memory"
                    ),
                    "give at least as much as --memory; the same turns swap off",
                ));
            }
            _ => {}
        }
        match (memory, memory_reservation) {
            (Some(memory), Some(reservation)) if reservation > memory => Err(OptionError::new(
                "--memory-reservation",
                format!("{reservation} bytes are more than the {memory} of --memory"),
                "give less than --memory",
            )),
            _ => Ok(()),
        }
    }

    fn check_names(&self) -> Result<(), OptionError> {
        let host = self.namespaces.uts == OwnOrHost::Host;
        for (option, given) in [("--hostname", &self.hostname), ("--domainname", &self.domainname)] {
            if host && given.is_some() {
                return Err(OptionError::new(
                    format!("{option} with --uts host"),
                    "it would rename the host",
                    format!("leave out {option} or --uts host"),
                ));
            }
        }
        if self.domainname.is_some() && self.sysctls.iter().any(|sysctl| sysctl.name == "kernel.domainname") {
            return Err(OptionError::new(
                "--domainname with --sysctl kernel.domainname",
                "both set the domain name",
                "leave one of them out",
            ));
        }
        Ok(())
    }

    fn check_sysctls(&self) -> Result<(), OptionError> {
        let spaces = &self.namespaces;
        for sysctl in &self.sysctls {
            let (owned, option) = match sysctl.namespace {
                NamespaceKind::Network => (spaces.network != Network::Host, "--network host"),
                NamespaceKind::Ipc => (matches!(spaces.ipc, Ipc::Own | Ipc::NoShm), "--ipc"),
                _ => (spaces.uts != OwnOrHost::Host, "--uts host"),
            };
            if !owned {
                return Err(OptionError::new(
                    format!("--sysctl {} with {option}", sysctl.name),
                    "the parameter is not the container's own then, and would change outside of it",
                    format!("leave out {option}, or set it on the host with sysctl(8)"),
                ));
            }
        }
        Ok(())
    }

    fn check_mounts(&self) -> Result<(), OptionError> {
        for (index, mount) in self.mounts.iter().enumerate() {
            if self.mounts[..index].iter().any(|other| other.target == mount.target) {
                return Err(OptionError::new(
                    format!("the mount on {}", mount.target.display()),
                    "there are two with this target",
                    "leave one of them out",
                ));
            }
        }
        if self.shm_size.is_some() && matches!(self.namespaces.ipc, Ipc::NoShm | Ipc::Host) {
            return Err(OptionError::new(
                "--shm-size with --ipc",
                "the container gets no /dev/shm of its own then",
                "leave one of them out",
            ));
        }
        Ok(())
    }

    fn check_privileges(&self) -> Result<(), OptionError> {
        let all = |names: &[CapabilityName]| names.contains(&CapabilityName::All);
        if all(&self.privileges.cap_add) && all(&self.privileges.cap_drop) {
            return Err(OptionError::new(
                "--cap-add ALL with --cap-drop ALL",
                "they contradict each other",
                "leave one of them out",
            ));
        }
        let joins = matches!(self.namespaces.pid, Shared::Container(_))
            || matches!(self.namespaces.ipc, Ipc::Container(_));
        if joins && self.namespaces.user != UserNamespace::Host {
            return Err(OptionError::new(
                "--userns with a namespace of a container",
                "a user namespace of its own has no rights over the namespaces of another container",
                "leave one of them out",
            ));
        }
        if let UserNamespace::Map { users, .. } = &self.namespaces.user
            && !users.iter().any(|range| range.container_id == 0)
        {
            return Err(OptionError::new(
                "--userns",
                "the map has no id for root, who owns the container's files in /proc, /dev and /sys",
                "add a range that begins with 0, like 0:100000:65536",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        type Change = fn(&mut RunOptions);
        let table: [(&str, Change); 11] = [
            ("--memory-swap: it limits memory and swap together, and memory has no limit", |o| {
                o.limits.memory_swap = Some(SwapLimit::Total(1 << 20));
            }),
            ("--memory-swap: 1 bytes of memory and swap together are less than the 2 of --memory", |o| {
                (o.limits.memory, o.limits.memory_swap) = (Some(2), Some(SwapLimit::Total(1)))
            }),
            ("--memory-reservation: 3 bytes are more than the 2 of --memory", |o| {
                (o.limits.memory, o.limits.memory_reservation) = (Some(2), Some(3));
            }),
            ("--hostname with --uts host: it would rename the host", |o| {
                o.hostname = Some("web".into());
                o.namespaces.uts = OwnOrHost::Host;
            }),
            (
                "--sysctl net.ipv4.ip_forward with --network host: the parameter is not the container's own then, \
                 and would change outside of it",
                |o| {
                    o.sysctls.push(sysctl::sysctl("net.ipv4.ip_forward=1").unwrap());
                    o.namespaces.network = Network::Host;
                },
            ),
            (
                "--sysctl kernel.sem with --ipc: the parameter is not the container's own then, and would change \
                 outside of it",
                |o| {
                    o.sysctls.push(sysctl::sysctl("kernel.sem=1 1 1 1").unwrap());
                    o.namespaces.ipc = Ipc::Host;
                },
            ),
            ("the mount on /x: there are two with this target", |o| {
                o.mounts.extend([mount::tmpfs("/x").unwrap(), mount::tmpfs("/x/").unwrap()]);
            }),
            ("--shm-size with --ipc: the container gets no /dev/shm of its own then", |o| {
                (o.shm_size, o.namespaces.ipc) = (Some(1), Ipc::NoShm);
            }),
            ("--cap-add ALL with --cap-drop ALL: they contradict each other", |o| {
                (o.privileges.cap_add, o.privileges.cap_drop) =
                    (vec![CapabilityName::All], vec![CapabilityName::All]);
            }),
            (
                "--userns with a namespace of a container: a user namespace of its own has no rights over the namespaces of \
                 another container",
                |o| {
                    o.namespaces.pid = namespace::pid("container:web").unwrap();
                    o.namespaces.user = UserNamespace::Auto(namespace::AutoIds::default());
                },
            ),
            (
                "--userns: the map has no id for root, who owns the container's files in /proc, /dev and /sys",
                |o| o.namespaces.user = namespace::user_namespace("1:1:1").unwrap(),
            ),
        ];
        for (message, change) in table {
            let mut options = RunOptions::default();
            change(&mut options);
            assert_eq!(options.validated().map_err(|error| error.to_string()), Err(message.to_owned()));
        }
        assert!(RunOptions::default().validated().is_ok());
    }

    #[test]
    fn the_later_security_option_holds() {
        let read = |texts: &[&str]| Privileges {
            security: texts.iter().map(|text| security::security(text).unwrap()).collect(),
            ..Privileges::default()
        };
        assert!(!read(&["no-new-privileges", "no-new-privileges=false"]).no_new_privileges());
        assert_eq!(read(&["seccomp=a", "seccomp=unconfined"]).seccomp(), SeccompChoice::Unconfined);
        assert_eq!(read(&[]).seccomp(), SeccompChoice::Default);
        let privileged = Privileges { privileged: true, ..Privileges::default() };
        assert_eq!(privileged.seccomp(), SeccompChoice::Unconfined);
    }
}
