//! What a test needs of the machine.

use crate::fixture::debian_release;
use std::env;
use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// Something that a machine may lack. A test whose needs are not met is listed as ignored, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// User id 0 in the initial user namespace.
    Root,
    /// A program on PATH.
    Program(&'static str),
    /// A cgroup controller, of either version, that is not disabled.
    Controller(&'static str),
    /// The cgroup version: 1 is met by a hybrid host, 2 only by a host that has nothing else.
    CgroupVersion(u32),
    /// This kernel or a newer one, as (6, 1).
    Kernel(u32, u32),
    /// This version of Landlock (landlock(7)) or a newer one.
    Landlock(u32),
    /// A file system that the kernel knows, as `overlay`.
    Filesystem(&'static str),
    /// A path that exists, such as a device or a file of a kernel feature.
    Path(&'static str),
    /// A capability in the bounding set, by its number in capabilities(7): 24 is CAP_SYS_RESOURCE.
    Capability(u32),
    /// So many processors that this process may run on.
    Processors(usize),
    /// A criu that works on this kernel, and that has this feature there if one is named, as `mem_dirty_track`.
    Criu(Option<&'static str>),
    /// A TCP service that answers, as `deb.debian.org:80`.
    Reachable(&'static str),
    /// A Debian of this release and for this architecture, as bookworm on x86_64.
    Debian(&'static str, &'static str),
}

impl Need {
    /// Why this machine does not meet the need, in a few words; none if it does.
    pub fn missing(&self) -> Option<String> {
        let (met, reason) = match self {
            Need::Criu(feature) => return criu_complains(*feature),
            Need::Root => (is_root(), "needs root".to_owned()),
            Need::Program(name) => (on_path(name), format!("needs {name} on PATH")),
            Need::Controller(name) => (has_controller(name), format!("needs the {name} cgroup controller")),
            Need::CgroupVersion(version) => {
                (cgroup_version() == *version, format!("needs cgroup v{version}"))
            }
            Need::Kernel(major, minor) => {
                (kernel() >= (*major, *minor), format!("needs Linux {major}.{minor}"))
            }
            Need::Landlock(abi) => (sys::landlock::abi() >= *abi, format!("needs Landlock {abi}")),
            Need::Filesystem(name) => (has_filesystem(name), format!("needs the {name} file system")),
            Need::Path(path) => (Path::new(path).exists(), format!("needs {path}")),
            Need::Capability(number) => (has_capability(*number), format!("needs capability {number}")),
            Need::Processors(number) => (processors() >= *number, format!("needs {number} processors")),
            Need::Reachable(service) => (answers(service), format!("needs {service} to answer")),
            Need::Debian(release, machine) => {
                (is_debian(release, machine), format!("needs Debian {release} on {machine}"))
            }
        };
        (!met).then_some(reason)
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// `/proc/cgroups`: name, hierarchy, number of cgroups, enabled. It lists the controllers of both versions.
fn has_controller(name: &str) -> bool {
    let text = fs::read_to_string("/proc/cgroups").unwrap_or_default();
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|line| match line[..] {
        [controller, _, _, enabled] => controller == name && enabled == "1",
        _ => false,
    })
}

fn cgroup_version() -> u32 {
    if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() { 2 } else { 1 }
}

fn kernel() -> (u32, u32) {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Modules that are not loaded yet are not in `/proc/filesystems`.
fn has_filesystem(name: &str) -> bool {
    let text = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    text.lines().any(|line| line.split_whitespace().last() == Some(name))
}

fn has_capability(number: u32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let bits = bounding.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    number < 64 && bits >> number & 1 == 1
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Why `criu check` fails, in the words of criu.
fn criu_complains(feature: Option<&str>) -> Option<String> {
    static CHECK: OnceLock<Option<String>> = OnceLock::new();
    let Some(feature) = feature else { return CHECK.get_or_init(|| check_criu(&[])).clone() };
    criu_complains(None).or_else(|| check_criu(&["--feature", feature]))
}

fn check_criu(args: &[&str]) -> Option<String> {
    let output = match Command::new("criu").arg("check").args(args).output() {
        Err(_) => return Some("needs criu on PATH".to_owned()),
        Ok(output) if output.status.success() => return None,
        Ok(output) => output,
    };
    let text = [output.stderr, output.stdout].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let words = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    Some(format!("needs a criu that works here: {}", words.trim()))
}

/// One address in two seconds: a machine without a network says so at once.
fn answers(service: &str) -> bool {
    let addresses = service.to_socket_addrs().into_iter().flatten();
    addresses.take(1).any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)).is_ok())
}

fn is_debian(release: &str, machine: &str) -> bool {
    env::consts::ARCH == machine && debian_release().is_some_and(|codename| codename == release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let cases = [
            (Need::Program("sh"), None),
            (Need::Program("no-such-program"), Some("needs no-such-program on PATH")),
            (Need::Path("/proc/self/ns/pid"), None),
            (Need::Filesystem("proc"), None),
            (Need::Controller("nonsense"), Some("needs the nonsense cgroup controller")),
            (Need::Kernel(2, 6), None),
            (Need::Kernel(99, 0), Some("needs Linux 99.0")),
            (Need::Capability(63), Some("needs capability 63")),
            (Need::Debian("no-such-release", "x86_64"), Some("needs Debian no-such-release on x86_64")),
            (Need::Reachable("127.0.0.1:1"), Some("needs 127.0.0.1:1 to answer")),
        ];
        for (need, expect) in cases {
            assert_eq!(need.missing().as_deref(), expect, "{need:?}");
        }
    }
}
