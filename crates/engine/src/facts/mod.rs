//! What the machine says about the options of one run.
//!
//! [`Facts::gather`] is the only place of the engine that looks at the machine before a start. It changes
//! nothing, asks only for what the options need, and refuses what cannot be had: after it,
//! [`crate::config`] is a pure function.

mod devices;
mod limits;
pub(crate) mod own;
pub mod subid;
mod subordinate;

pub use devices::GrantedDevice;
pub(crate) use subordinate::take as take_ids;
pub use subordinate::{FALLBACK_FIRST_ID, IDS, Range};

use crate::options::OptionError;
use crate::options::RunOptions;
use crate::options::mount::MountSource;
use crate::options::namespace::{Ipc, Network, Shared};
use crate::options::security::{LabelOption, SeccompChoice, SecurityOption};
use plan::facts::HostFacts;
use spec::{ConsoleSize, ContainerId, ThrottleDevice};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What the machine says about one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Kernel, privileges and control groups.
    pub host: HostFacts,
    /// The host's name.
    pub hostname: String,
    /// The host's `/etc/hosts`, with the network of the host only.
    pub hosts: String,
    /// The host's `/etc/resolv.conf`, with the network of the host only.
    pub resolv_conf: String,
    /// Whether memory and swap together can be limited.
    pub swap_accounting: bool,
    /// Directories of `/sys` that tell how hot each processor is, a side channel that is masked.
    pub thermal: Vec<PathBuf>,
    /// The devices of `--device`; all of the host's for a privileged container.
    pub devices: Vec<GrantedDevice>,
    /// `--device-read-bps`.
    pub read_bps: Vec<ThrottleDevice>,
    /// `--device-write-bps`.
    pub write_bps: Vec<ThrottleDevice>,
    /// Ids for `--userns auto`, which are taken where a container is to be made.
    pub subordinate: Option<Range>,
    /// User and group that own the sources of bind mounts.
    pub owners: BTreeMap<PathBuf, (u32, u32)>,
    /// Processes of the containers whose namespaces are joined, by the name they were given by.
    pub containers: BTreeMap<ContainerId, i32>,
    /// The text of the seccomp profile that was named.
    pub seccomp_profile: Option<String>,
    /// The rules of `--security-opt landlock=FILE`.
    pub landlock: Option<spec::Landlock>,
    /// The size of the user's terminal.
    pub console: Option<ConsoleSize>,
}

impl Facts {
    /// Asks the machine what `options` need to know. `host` is what [`host::probe`] found; `container`
    /// finds the first process of a running container by name or id.
    ///
    /// # Errors
    /// Something that an option names does not exist, is of the wrong kind, or is more than this machine gives.
    pub fn gather(
        options: &RunOptions,
        host: HostFacts,
        container: impl Fn(&ContainerId) -> Option<i32>,
    ) -> Result<Self, OptionError> {
        let owners = owners(options)?;
        check_modules(options)?;
        limits::check(options, &host)?;
        let share_network = options.namespaces.network == Network::Host;
        let text = |path: &str| if share_network { small_file(Path::new(path)) } else { Ok(String::new()) };
        Ok(Self {
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            hosts: text("/etc/hosts").unwrap_or_default(),
            resolv_conf: text("/etc/resolv.conf").unwrap_or_default(),
            swap_accounting: limits::swap_accounting(&host),
            thermal: thermal(),
            devices: devices::gather(options)?,
            read_bps: devices::rates("--device-read-bps", &options.limits.read_bps)?,
            write_bps: devices::rates("--device-write-bps", &options.limits.write_bps)?,
            subordinate: None,
            owners,
            containers: joined(options, container)?,
            seccomp_profile: seccomp_profile(options)?,
            landlock: landlock(options)?,
            console: if options.tty { runtime::terminal::size() } else { None },
            host,
        })
    }
}

/// Every source of a bind mount is there, and has an owner.
fn owners(options: &RunOptions) -> Result<BTreeMap<PathBuf, (u32, u32)>, OptionError> {
    let mut owners = BTreeMap::new();
    for mount in &options.mounts {
        let MountSource::Bind { path, .. } = &mount.source else { continue };
        let source = path.metadata().map_err(|error| {
            OptionError::new(
                format!("the mount of {} on {}", path.display(), mount.target.display()),
                crate::words(&error),
                "give a file or directory of this machine that exists; cuddy does not make it",
            )
        })?;
        owners.insert(path.clone(), (source.uid(), source.gid()));
    }
    Ok(owners)
}

/// A security module that was asked for is there.
fn check_modules(options: &RunOptions) -> Result<(), OptionError> {
    for option in &options.privileges.security {
        match option {
            SecurityOption::AppArmor(profile) if profile != "unconfined" => {
                let enabled = fs::read("/sys/module/apparmor/parameters/enabled").unwrap_or_default();
                if !enabled.starts_with(b"Y") {
                    return Err(OptionError::new(
                        format!("--security-opt apparmor={profile}"),
                        "AppArmor is not on in this kernel",
                        "leave the option out",
                    ));
                }
            }
            SecurityOption::Label(LabelOption::Part(..))
                if !Path::new("/sys/fs/selinux/enforce").exists() =>
            {
                return Err(OptionError::new(
                    "--security-opt label",
                    "SELinux is not on in this kernel",
                    "leave the option out",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The containers whose namespaces are joined, each with its first process.
fn joined(
    options: &RunOptions,
    find: impl Fn(&ContainerId) -> Option<i32>,
) -> Result<BTreeMap<ContainerId, i32>, OptionError> {
    let pid = match &options.namespaces.pid {
        Shared::Container(id) => Some(("--pid", id)),
        _ => None,
    };
    let ipc = match &options.namespaces.ipc {
        Ipc::Container(id) => Some(("--ipc", id)),
        _ => None,
    };
    let mut found = BTreeMap::new();
    for (option, id) in pid.into_iter().chain(ipc) {
        let process = find(id).ok_or_else(|| {
            OptionError::new(
                format!("{option} container:{id}"),
                "no container of this name or id is running",
                "start it first",
            )
        })?;
        found.insert(id.clone(), process);
    }
    Ok(found)
}

/// The text of `--security-opt seccomp=FILE`.
fn seccomp_profile(options: &RunOptions) -> Result<Option<String>, OptionError> {
    let SeccompChoice::File(path) = options.privileges.seccomp() else { return Ok(None) };
    small_file(&path).map(Some).map_err(|error| {
        OptionError::new(
            format!("--security-opt seccomp={}", path.display()),
            crate::words(&error),
            "give a JSON file in Docker's or in the OCI's form, or unconfined",
        )
    })
}

/// The rules of `--security-opt landlock=FILE`.
fn landlock(options: &RunOptions) -> Result<Option<spec::Landlock>, OptionError> {
    let Some(path) = options.privileges.landlock() else { return Ok(None) };
    let text = small_file(path).map_err(|error| crate::words(&error));
    let rules = text.and_then(|text| spec::from_slice(text.as_bytes()).map_err(|error| error.to_string()));
    rules.map(Some).map_err(|cause| {
        let hint = "docs/security.md, \"Landlock\", has the form";
        OptionError::new(format!("--security-opt landlock={}", path.display()), cause, hint)
    })
}

/// Directories like `/sys/devices/system/cpu/cpu0/thermal_throttle`: all processors have one, or none.
fn thermal() -> Vec<PathBuf> {
    let cpus = Path::new("/sys/devices/system/cpu");
    if !cpus.join("cpu0/thermal_throttle").exists() {
        return Vec::new();
    }
    let mut found: Vec<PathBuf> = fs::read_dir(cpus)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("thermal_throttle")))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found
}

/// A file of at most 1 MiB.
fn small_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let limit = 1 << 20;
    File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limit {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::mount;

    fn refused(options: &RunOptions) -> String {
        Facts::gather(options, HostFacts::default(), |_| None).unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_exist_is_refused_by_name() {
        let mut options = RunOptions::default();
        options.mounts.push(mount::volume("/no/such:/x", Path::new("/")).unwrap());
        assert_eq!(refused(&options), "the mount of /no/such on /x: no such file or directory");

        let mut options = RunOptions::default();
        options.namespaces.pid = Shared::Container("web".parse().unwrap());
        assert_eq!(refused(&options), "--pid container:web: no container of this name or id is running");

        let mut options = RunOptions::default();
        options.privileges.security.push(SecurityOption::Seccomp(SeccompChoice::File("/no/such".into())));
        assert_eq!(refused(&options), "--security-opt seccomp=/no/such: no such file or directory");
    }

    #[test]
    fn a_plain_run_asks_for_little() {
        let facts = Facts::gather(&RunOptions::default(), HostFacts::default(), |_| None).unwrap();
        assert!(!facts.hostname.is_empty());
        assert_eq!((facts.hosts.as_str(), facts.devices.len(), facts.subordinate), ("", 0, None));
    }
}
