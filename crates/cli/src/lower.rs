//! From text to typed options: each argument meets its parser, and an error names the option.

use crate::args::RunArgs;
use engine::options::{
    BadValue, Limits, OptionError, Privileges, ProcessOptions, RootAccess, RunOptions, device, environment,
    mount, name, namespace, number, security, signal, sysctl, ulimit, user,
};
use std::path::Path;

/// What the arguments mean that is not theirs alone: where and in whose environment they were typed.
pub struct Surroundings<'a> {
    /// The working directory, absolute.
    pub directory: &'a Path,
    /// Finds a variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// ROOT and the options of `cuddy run`. Reads the `--env-file`s, and nothing else.
///
/// # Errors
/// A value that an option cannot have, or options that contradict each other.
pub fn run(args: &RunArgs, here: &Surroundings<'_>) -> Result<(String, RunOptions), OptionError> {
    let (root, command) =
        args.root_and_command.split_first().filter(|(root, _)| !root.is_empty()).ok_or_else(|| {
            OptionError::new("ROOT", "it is missing", "name a root file system, like host: or ./rootfs")
        })?;
    let options = RunOptions {
        name: one("--name", &args.name, name::container)?,
        interactive: args.interactive,
        tty: args.tty,
        remove: args.rm,
        init: args.init,
        root_access: match (args.read_only, args.root_rw) {
            (true, _) => RootAccess::ReadOnly,
            (false, true) => RootAccess::InPlace,
            (false, false) => RootAccess::Throwaway,
        },
        process: process(args, command, here)?,
        mounts: mounts(args, here.directory)?,
        shm_size: one("--shm-size", &args.shm_size, number::bytes)?.filter(|size| *size > 0),
        limits: limits(args)?,
        devices: all("--device", &args.device, device::device)?,
        privileges: Privileges {
            privileged: args.privileged,
            cap_add: all("--cap-add", &args.cap_add, security::capability)?,
            cap_drop: all("--cap-drop", &args.cap_drop, security::capability)?,
            security: all("--security-opt", &args.security_opt, security::security)?,
        },
        sysctls: all("--sysctl", &args.sysctl, sysctl::sysctl)?,
        namespaces: namespace::Namespaces {
            network: one("--network", &args.network, namespace::network)?.unwrap_or_default(),
            pid: one("--pid", &args.pid, namespace::pid)?.unwrap_or_default(),
            ipc: one("--ipc", &args.ipc, namespace::ipc)?.unwrap_or_default(),
            uts: one("--uts", &args.uts, namespace::own_or_host)?.unwrap_or_default(),
            user: one("--userns", &args.userns, namespace::user_namespace)?.unwrap_or_default(),
            cgroup: one("--cgroupns", &args.cgroupns, namespace::own_or_host)?.unwrap_or_default(),
            time: one("--time-offset", &args.time_offset, namespace::time_offset)?.unwrap_or_default(),
        },
        hostname: one("--hostname", &args.hostname, name::host)?,
        domainname: one("--domainname", &args.domainname, name::host)?,
        cgroup_parent: one("--cgroup-parent", &args.cgroup_parent, name::cgroup_parent)?,
        cgroup_manager: one("--cgroup-manager", &args.cgroup_manager, name::cgroup_manager)?
            .unwrap_or_default(),
    };
    Ok((root.clone(), options.validated()?))
}

fn process(
    args: &RunArgs,
    command: &[String],
    here: &Surroundings<'_>,
) -> Result<ProcessOptions, OptionError> {
    let mut changes = Vec::new();
    for file in &args.env_file {
        let shown = file.display().to_string();
        let contents = std::fs::read(file).map_err(|error| {
            BadValue::new(engine::words(&error), "give a file that exists").of("--env-file", &shown)
        })?;
        let read = environment::file(&contents, here.variable).map_err(|bad| bad.of("--env-file", &shown))?;
        changes.extend(read);
    }
    changes.extend(all("--env", &args.env, |text| environment::variable(text, here.variable))?);
    let score = one("--oom-score-adj", &args.oom_score_adj, |text| number::integer(text, -1000..=1000))?;
    Ok(ProcessOptions {
        entrypoint: args.entrypoint.clone(),
        command: command.to_vec(),
        environment: changes,
        workdir: one("--workdir", &args.workdir, name::workdir)?,
        user: one("--user", &args.user, user::user)?,
        ulimits: all("--ulimit", &args.ulimit, ulimit::ulimit)?,
        oom_score_adj: score.map(narrow),
        stop_signal: one("--stop-signal", &args.stop_signal, signal::signal)?,
    })
}

fn mounts(args: &RunArgs, directory: &Path) -> Result<Vec<mount::MountRequest>, OptionError> {
    let mut mounts = all("--volume", &args.volume, |text| mount::volume(text, directory))?;
    mounts.extend(all("--mount", &args.mount, |text| mount::mount(text, directory))?);
    mounts.extend(all("--tmpfs", &args.tmpfs, mount::tmpfs)?);
    Ok(mounts)
}

fn limits(args: &RunArgs) -> Result<Limits, OptionError> {
    let shares = one("--cpu-shares", &args.cpu_shares, |text| number::setting(text, 2..=262_144))?.flatten();
    let weight =
        one("--blkio-weight", &args.blkio_weight, |text| number::setting(text, 10..=1000))?.flatten();
    Ok(Limits {
        memory: one("--memory", &args.memory, number::memory)?.flatten(),
        memory_swap: one("--memory-swap", &args.memory_swap, number::memory_swap)?.flatten(),
        memory_reservation: one("--memory-reservation", &args.memory_reservation, number::memory)?.flatten(),
        cpu_quota: one("--cpus", &args.cpus, number::cpus)?.flatten(),
        cpu_shares: shares.map(narrow),
        cpuset_cpus: one("--cpuset-cpus", &args.cpuset_cpus, number::cpu_list)?,
        cpuset_mems: one("--cpuset-mems", &args.cpuset_mems, number::cpu_list)?,
        pids: one("--pids-limit", &args.pids_limit, number::pids_limit)?.flatten(),
        blkio_weight: weight.map(narrow),
        read_bps: all("--device-read-bps", &args.device_read_bps, device::rate)?,
        write_bps: all("--device-write-bps", &args.device_write_bps, device::rate)?,
    })
}

/// A number whose range was checked, in the type of that range.
fn narrow<T: TryFrom<i64>>(number: i64) -> T {
    T::try_from(number).unwrap_or_else(|_| unreachable!("{number} was checked to be in range"))
}

fn one<T>(
    option: &str,
    text: &Option<String>,
    parse: impl Fn(&str) -> Result<T, BadValue>,
) -> Result<Option<T>, OptionError> {
    text.as_deref().map(|text| parse(text).map_err(|bad| bad.of(option, text))).transpose()
}

fn all<T>(
    option: &str,
    texts: &[String],
    parse: impl Fn(&str) -> Result<T, BadValue>,
) -> Result<Vec<T>, OptionError> {
    texts.iter().map(|text| parse(text).map_err(|bad| bad.of(option, text))).collect()
}
