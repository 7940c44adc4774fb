//! What this machine can give: processors, memory nodes, resource limits, swap.

use crate::options::number::CPU_PERIOD;
use crate::options::{BadValue, OptionError, RunOptions};
use plan::facts::HostFacts;
use rustix::process::Resource;
use rustix::time::ClockId;
use spec::{Capability, Rlimit};
use std::fs;
use std::path::Path;

/// `CAP_SYS_RESOURCE`.
const SYS_RESOURCE: &str = "CAP_SYS_RESOURCE";

/// Refuses a limit that was asked for and that this machine cannot set.
pub(super) fn check(options: &RunOptions, host: &HostFacts) -> Result<(), OptionError> {
    let lists = [
        ("--cpuset-cpus", &options.limits.cpuset_cpus, "/sys/devices/system/cpu/online", "processors"),
        ("--cpuset-mems", &options.limits.cpuset_mems, "/sys/devices/system/node/online", "memory nodes"),
    ];
    for (option, wanted, online, what) in lists {
        let Some(wanted) = wanted else { continue };
        // Without the file the kernel decides when the limit is set.
        let Ok(online) = fs::read_to_string(online) else { continue };
        let have = members(online.trim());
        if members(wanted).iter().any(|number| !have.contains(number)) {
            let cause = format!("this machine has the {what} {}", online.trim());
            return Err(BadValue::new(cause, "name only those").of(option, wanted));
        }
    }
    check_processors(options)?;
    let sys_resource = SYS_RESOURCE.parse::<Capability>().is_ok_and(|cap| host.capabilities.contains(cap));
    for limit in &options.process.ulimits {
        check_rlimit(limit, sys_resource)?;
    }
    check_clocks(options)
}

/// No clock may stand before zero (clock_settime(2) has no such time, either).
fn check_clocks(options: &RunOptions) -> Result<(), OptionError> {
    let time = options.namespaces.time;
    let clocks =
        [("boottime", ClockId::Boottime, time.boottime), ("monotonic", ClockId::Monotonic, time.monotonic)];
    for (name, id, offset) in clocks {
        let now = rustix::time::clock_gettime(id).tv_sec;
        if offset.is_some_and(|offset| now.checked_add(offset.secs).is_none_or(|shifted| shifted < 0)) {
            return Err(OptionError::new(
                format!("--time-offset {name}"),
                format!("the clock stands at {now} seconds and would be before zero"),
                format!("give -{now} or more"),
            ));
        }
    }
    Ok(())
}

/// More processors than there are would be no limit at all, and is most likely a slip (as Docker has it).
fn check_processors(options: &RunOptions) -> Result<(), OptionError> {
    let Some(quota) = options.limits.cpu_quota else { return Ok(()) };
    let Ok(online) = fs::read_to_string("/sys/devices/system/cpu/online") else { return Ok(()) };
    let have = members(online.trim()).len();
    let all = i64::try_from(have as u64 * CPU_PERIOD).unwrap_or(i64::MAX);
    if quota <= all {
        return Ok(());
    }
    Err(OptionError::new(
        "--cpus",
        format!("this machine has {have} processors"),
        format!("give {have} or less"),
    ))
}

/// A hard limit is raised by `CAP_SYS_RESOURCE` only, and that of open files never above `fs.nr_open`
/// (setrlimit(2)).
fn check_rlimit(limit: &Rlimit, sys_resource: bool) -> Result<(), OptionError> {
    let ceiling = match resource(&limit.kind) {
        Some(Resource::Nofile) if sys_resource => {
            fs::read_to_string("/proc/sys/fs/nr_open").ok().and_then(|text| text.trim().parse().ok())
        }
        Some(resource) if !sys_resource => rustix::process::getrlimit(resource).maximum,
        _ => None,
    };
    match ceiling {
        Some(ceiling) if limit.hard > ceiling => {
            let name = limit.kind.trim_start_matches("RLIMIT_").to_ascii_lowercase();
            Err(OptionError::new(
                format!("--ulimit {name}"),
                format!("the hard limit here is {ceiling} and cannot be raised"),
                if sys_resource {
                    "give less, or raise fs.nr_open with sysctl(8)".to_owned()
                } else {
                    format!("give {ceiling} or less, or run cuddy with {SYS_RESOURCE}")
                },
            ))
        }
        _ => Ok(()),
    }
}

fn resource(kind: &str) -> Option<Resource> {
    Some(match kind {
        "RLIMIT_AS" => Resource::As,
        "RLIMIT_CORE" => Resource::Core,
        "RLIMIT_CPU" => Resource::Cpu,
        "RLIMIT_DATA" => Resource::Data,
        "RLIMIT_FSIZE" => Resource::Fsize,
        "RLIMIT_LOCKS" => Resource::Locks,
        "RLIMIT_MEMLOCK" => Resource::Memlock,
        "RLIMIT_MSGQUEUE" => Resource::Msgqueue,
        "RLIMIT_NICE" => Resource::Nice,
        "RLIMIT_NOFILE" => Resource::Nofile,
        "RLIMIT_NPROC" => Resource::Nproc,
        "RLIMIT_RSS" => Resource::Rss,
        "RLIMIT_RTPRIO" => Resource::Rtprio,
        "RLIMIT_RTTIME" => Resource::Rttime,
        "RLIMIT_SIGPENDING" => Resource::Sigpending,
        "RLIMIT_STACK" => Resource::Stack,
        _ => return None,
    })
}

/// The numbers of a list in the form of cpuset(7).
fn members(list: &str) -> Vec<u16> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        Some(first..=last)
    };
    list.split(',').filter_map(range).flatten().collect()
}

/// Whether memory and swap together can be limited: a kernel can be without, or have it turned off.
pub(super) fn swap_accounting(host: &HostFacts) -> bool {
    match host.cgroups.v1_with("memory") {
        Some(memory) => memory.mount.join("memory.memsw.limit_in_bytes").exists(),
        // The root group of v2 has no memory.swap.max to look for; without CONFIG_SWAP this is not there.
        None => Path::new("/proc/swaps").exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_clock_stands_before_zero() {
        let check = |secs| {
            let mut options = RunOptions::default();
            options.namespaces.time.boottime = Some(spec::TimeOffset { secs, nanosecs: 0 });
            check_clocks(&options)
        };
        assert!(check(0).is_ok() && check(86_400).is_ok());
        let error = check(i64::MIN).unwrap_err().to_string();
        assert!(error.starts_with("--time-offset boottime: the clock stands at "), "{error}");
    }

    #[test]
    fn a_list_has_its_members() {
        assert_eq!(members("0-2,7"), [0, 1, 2, 7]);
        assert_eq!(members(""), [0u16; 0]);
    }

    #[test]
    fn processors_that_are_not_there_are_refused() {
        let mut options = RunOptions::default();
        options.limits.cpuset_cpus = Some("0,4095".to_owned());
        let error = check(&options, &HostFacts::default()).unwrap_err().to_string();
        assert!(error.starts_with("--cpuset-cpus \"0,4095\": this machine has the processors 0"), "{error}");
    }

    #[test]
    fn a_hard_limit_cannot_be_raised_without_the_capability() {
        let limit = |hard| Rlimit { kind: "RLIMIT_NOFILE".into(), soft: 1, hard };
        assert_eq!(check_rlimit(&limit(1), false), Ok(()));
        for sys_resource in [false, true] {
            let error = check_rlimit(&limit(u64::MAX), sys_resource).unwrap_err();
            assert!(error.to_string().starts_with("--ulimit nofile: the hard limit here is "), "{error}");
        }
    }
}
