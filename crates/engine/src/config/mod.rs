//! From options and facts to an OCI configuration: a pure function.
//!
//! The defaults are Docker's (version 28), which images are made for: its mounts, masks, capabilities and
//! environment. Standard device nodes and the rules that allow them are the runtime's to add.

mod capabilities;
mod environment;
mod files;
mod mounts;
mod namespaces;
mod owners;
mod resources;
mod seccomp;

pub use capabilities::DEFAULT as DEFAULT_CAPABILITIES;
pub use files::GeneratedFile;

use crate::facts::Facts;
use crate::options::security::{LabelOption, LabelPart, SecurityOption};
use crate::options::{OptionError, RootAccess, RunOptions};
use crate::user::User;
use planner::CgroupManager;
use spec::{CapabilitySet, Config, ContainerId, Linux, Process, Root};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The annotation for the signal that stops the container (OCI image-spec, conversion.md).
pub const STOP_SIGNAL_ANNOTATION: &str = "org.opencontainers.image.stopSignal";

/// One container: where it is on disk, and what its image says.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// Its id; the first twelve characters are its host name.
    pub id: &'a ContainerId,
    /// The root file system, as `root.path`.
    pub root: &'a Path,
    /// The directory that [`Prepared::files`] are written to, absolute.
    pub files: &'a Path,
    /// What holds where the options say nothing.
    pub defaults: &'a Defaults,
}

/// What a root file system says about how it is run. An image will say more; a plain tree says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// Put before the command.
    pub entrypoint: Vec<String>,
    /// The command when none is given.
    pub command: Vec<String>,
    /// Environment, each entry `NAME=value`.
    pub environment: Vec<String>,
    /// Working directory.
    pub workdir: PathBuf,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            entrypoint: Vec::new(),
            command: vec!["sh".to_owned()],
            environment: Vec::new(),
            workdir: PathBuf::from("/"),
        }
    }
}

/// A configuration, and what goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The configuration.
    pub config: Config,
    /// Files that are to be there before the start: the sources of some of its mounts.
    pub files: Vec<GeneratedFile>,
    /// Defaults that this machine cannot give, for the user to read.
    pub notes: Vec<String>,
}

/// The configuration of a container.
///
/// # Errors
/// Something that was asked for and that the machine cannot give; a profile that cannot be read; a user
/// who has no id in the container's user namespace; no command.
pub fn config(
    options: &RunOptions,
    container: &Container<'_>,
    facts: &Facts,
    user: &User,
) -> Result<Prepared, OptionError> {
    let mut notes = Vec::new();
    let capabilities = capabilities::granted(&options.privileges, available(options, facts), &mut notes)?;
    let hostname = hostname(options, container, facts);
    let user_namespace = namespaces::IdMaps::new(options, facts);
    user_namespace.check_user(user)?;
    let files = files::generate(options, container, facts, &hostname);
    let linux = Linux {
        namespaces: namespaces::list(options, facts),
        time_offsets: namespaces::time_offsets(options),
        devices: facts.devices.iter().map(|device| device.node.clone()).collect(),
        cgroups_path: cgroups_path(options, container.id),
        resources: Some(resources::resources(options, facts, &mut notes)?),
        sysctl: options.sysctls.iter().map(|sysctl| (sysctl.name.clone(), sysctl.value.clone())).collect(),
        seccomp: seccomp::profile(options, capabilities, facts)?,
        rootfs_propagation: mounts::root_propagation(options),
        masked_paths: masked_paths(options, facts),
        readonly_paths: readonly_paths(options),
        mount_label: label(options, "system_u:object_r:container_file_t:s0", &[LabelPart::Level]),
        ..Linux::default()
    };
    let own_names = options.namespaces.uts == crate::options::namespace::OwnOrHost::Own;
    let config = Config {
        oci_version: spec::VERSION.to_owned(),
        root: Some(Root {
            path: container.root.to_owned(),
            readonly: options.root_access == RootAccess::ReadOnly,
        }),
        process: Some(Process {
            terminal: options.tty,
            console_size: facts.console.filter(|_| options.tty),
            cwd: options.process.workdir.clone().unwrap_or_else(|| container.defaults.workdir.clone()),
            env: environment::environment(options, container.defaults, &hostname, user),
            args: command(options, container.defaults)?,
            rlimits: rlimits(options),
            apparmor_profile: options.privileges.apparmor().filter(|p| *p != "unconfined").map(str::to_owned),
            capabilities: Some(capabilities::sets(capabilities, user.uid)),
            no_new_privileges: options.privileges.no_new_privileges(),
            oom_score_adj: options.process.oom_score_adj,
            selinux_label: label(
                options,
                "system_u:system_r:container_t:s0",
                &[LabelPart::User, LabelPart::Role, LabelPart::Type, LabelPart::Level],
            ),
            user: spec::User {
                uid: user.uid,
                gid: user.gid,
                umask: None,
                additional_gids: user.groups.clone(),
            },
            ..Process::default()
        }),
        hostname: own_names.then_some(hostname),
        domainname: options.domainname.clone().filter(|_| own_names),
        mounts: mounts::mounts(options, &files, &user_namespace, facts, user)?,
        annotations: annotations(options, facts),
        linux: Some(Linux { uid_mappings: user_namespace.uids, gid_mappings: user_namespace.gids, ..linux }),
        ..Config::default()
    };
    Ok(Prepared { config, files, notes })
}

/// What capabilities there can be: those of cuddy itself, or all of them in a user namespace of the
/// container's own, where they are worth nothing outside (user_namespaces(7)).
fn available(options: &RunOptions, facts: &Facts) -> CapabilitySet {
    if options.namespaces.user == crate::options::namespace::UserNamespace::Host {
        facts.host.capabilities
    } else {
        spec::Capability::all()
            .filter(|capability| capability.number() <= facts.host.last_capability)
            .collect()
    }
}

/// The name of the container for itself: the one given, the host's where it shares the network or the
/// names, else the beginning of its id.
fn hostname(options: &RunOptions, container: &Container<'_>, facts: &Facts) -> String {
    use crate::options::namespace::{Network, OwnOrHost};
    let shared = options.namespaces.uts == OwnOrHost::Host || options.namespaces.network == Network::Host;
    match &options.hostname {
        Some(name) => name.clone(),
        None if shared => facts.hostname.clone(),
        None => container.id.as_str().chars().take(12).collect(),
    }
}

/// The entry point and then the command. An entry point that is given takes the image's command away, too.
fn command(options: &RunOptions, defaults: &Defaults) -> Result<Vec<String>, OptionError> {
    let given = &options.process.command;
    let (entrypoint, command) = match &options.process.entrypoint {
        Some(entrypoint) => {
            (Some(entrypoint).filter(|e| !e.is_empty()).cloned().into_iter().collect(), given.clone())
        }
        None if given.is_empty() => (defaults.entrypoint.clone(), defaults.command.clone()),
        None => (defaults.entrypoint.clone(), given.clone()),
    };
    let all = [entrypoint, command].concat();
    match all.first().map(String::as_str) {
        None => Err(OptionError::new("the command", "there is none", "name one after ROOT, like sh")),
        Some("") => Err(OptionError::new("the command", "it is empty", "name one after ROOT, like sh")),
        Some(_) => Ok(all),
    }
}

/// `--ulimit`; of one that is there twice the later.
fn rlimits(options: &RunOptions) -> Vec<spec::Rlimit> {
    let by_kind: BTreeMap<&str, &spec::Rlimit> =
        options.process.ulimits.iter().map(|limit| (limit.kind.as_str(), limit)).collect();
    by_kind.into_values().cloned().collect()
}

/// Below `--cgroup-parent`, in systemd's form `SLICE:PREFIX:NAME` if that makes the groups; else where the runtime
/// has it.
fn cgroups_path(options: &RunOptions, id: &ContainerId) -> Option<String> {
    let parent = options.cgroup_parent.as_deref()?;
    Some(match options.cgroup_manager {
        CgroupManager::Systemd => format!("{parent}:cuddy:{id}"),
        CgroupManager::Cgroupfs | CgroupManager::Disabled => {
            format!("/{}/{id}", parent.trim_start_matches('/'))
        }
    })
}

/// What tells of the machine or of other containers, and is no business of this one.
fn masked_paths(options: &RunOptions, facts: &Facts) -> Vec<PathBuf> {
    const MASKED: [&str; 12] = [
        "/proc/acpi",
        "/proc/asound",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
    ];
    if options.privileges.system_paths_unconfined() {
        return Vec::new();
    }
    MASKED.iter().map(PathBuf::from).chain(facts.thermal.iter().cloned()).collect()
}

/// What sets the machine rather than the container.
fn readonly_paths(options: &RunOptions) -> Vec<PathBuf> {
    const READONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
    if options.privileges.system_paths_unconfined() {
        return Vec::new();
    }
    READONLY.iter().map(PathBuf::from).collect()
}

/// An SELinux label: `base` with the parts that were given. None was given: no label.
fn label(options: &RunOptions, base: &str, parts: &[LabelPart]) -> Option<String> {
    // A level may have colons of its own, so it is what is left after the first three parts.
    let mut label: Vec<String> = base.splitn(4, ':').map(str::to_owned).collect();
    let mut given = false;
    for option in &options.privileges.security {
        match option {
            SecurityOption::Label(LabelOption::Disable) => return None,
            SecurityOption::Label(LabelOption::Part(part, value)) => {
                given = true;
                if parts.contains(part) {
                    label[*part as usize].clone_from(value);
                }
            }
            _ => {}
        }
    }
    given.then(|| label.join(":"))
}

fn annotations(options: &RunOptions, facts: &Facts) -> BTreeMap<String, String> {
    let signal = options.process.stop_signal.map(|signal| (STOP_SIGNAL_ANNOTATION, signal.to_string()));
    // Numbers and texts: there is nothing in it that has no JSON.
    let landlock = facts.landlock.as_ref().and_then(|rules| serde_json::to_string(rules).ok());
    let landlock = landlock.map(|rules| (spec::LANDLOCK, rules));
    signal.into_iter().chain(landlock).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_the_entry_point_and_what_follows_root() {
        let defaults = Defaults {
            entrypoint: vec!["/entry".into()],
            command: vec!["serve".into()],
            ..Defaults::default()
        };
        type Case<'a> = (Option<&'a str>, &'a [&'a str], Result<&'a str, &'a str>);
        let table: [Case<'_>; 6] = [
            (None, &[], Ok("/entry serve")),
            (None, &["ls"], Ok("/entry ls")),
            (Some("sh"), &[], Ok("sh")),
            (Some("sh"), &["-c", "x"], Ok("sh -c x")),
            (Some(""), &["ls"], Ok("ls")),
            (Some(""), &[], Err("the command: there is none")),
        ];
        for (entrypoint, arguments, expect) in table {
            let mut options = RunOptions::default();
            options.process.entrypoint = entrypoint.map(str::to_owned);
            options.process.command = arguments.iter().map(|&arg| arg.to_owned()).collect();
            let got =
                command(&options, &defaults).map(|all| all.join(" ")).map_err(|error| error.to_string());
            assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned));
        }
    }

    #[test]
    fn the_cgroup_is_below_its_parent() {
        let id: ContainerId = "abc".parse().unwrap();
        use CgroupManager::{Cgroupfs, Systemd};
        for (cgroup_manager, parent, expect) in [
            (Cgroupfs, None, None),
            (Cgroupfs, Some("/site"), Some("/site/abc")),
            (Cgroupfs, Some("site/web"), Some("/site/web/abc")),
            (Cgroupfs, Some("web.slice"), Some("/web.slice/abc")),
            (Systemd, None, None),
            (Systemd, Some("web.slice"), Some("web.slice:cuddy:abc")),
        ] {
            let cgroup_parent = parent.map(str::to_owned);
            let options = RunOptions { cgroup_parent, cgroup_manager, ..RunOptions::default() };
            assert_eq!(cgroups_path(&options, &id).as_deref(), expect);
        }
    }

    #[test]
    fn a_label_has_the_parts_that_were_given() {
        let mut options = RunOptions::default();
        let all = [LabelPart::User, LabelPart::Role, LabelPart::Type, LabelPart::Level];
        let made = |options: &RunOptions, parts: &[LabelPart]| label(options, "u:r:t:s0", parts);
        assert_eq!(made(&options, &all), None);
        for part in ["label=type:web_t", "label=level:s0:c1,c2"] {
            options.privileges.security.push(crate::options::security::security(part).unwrap());
        }
        assert_eq!(made(&options, &all).as_deref(), Some("u:r:web_t:s0:c1,c2"));
        assert_eq!(made(&options, &[LabelPart::Level]).as_deref(), Some("u:r:t:s0:c1,c2"));
        options.privileges.security.push(SecurityOption::Label(LabelOption::Disable));
        assert_eq!(made(&options, &all), None);
    }
}
