//! Debian packages that the tests use.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::workspace;

/// Root file systems (busybox-static, debootstrap, mmdebstrap, the compressors), peers to compare with (runc, crun), witnesses
/// (strace, libseccomp), what libFuzzer is built with (g++), kernels with other control groups (user-mode-linux, qemu-system-x86
/// for Debian's own), engines that use cuddy-oci with what they call (podman, buildah, containerd, docker.io) and what a test
/// calls by name.
const PACKAGES: [&str; 26] = [
    "aardvark-dns",
    "buildah",
    "busybox-static",
    "catatonit",
    "conmon",
    "containerd",
    "crun",
    "debootstrap",
    "docker.io",
    "g++",
    "gcc",
    "iproute2",
    "jq",
    "libc6-dev",
    "libseccomp-dev",
    "mmdebstrap",
    "netavark",
    "podman",
    "procps",
    "qemu-system-x86",
    "runc",
    "strace",
    "uidmap",
    "user-mode-linux",
    "xz-utils",
    "zstd",
];

/// Installs what is missing. Where that is not possible it says so, and the tests that need it are skipped.
pub fn install() -> Result<()> {
    if !workspace::on_path("apt-get") {
        eprintln!("xtask: no apt-get here; tests that need {} may be skipped", PACKAGES.join(", "));
        return Ok(());
    }
    let missing: Vec<_> = PACKAGES.into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("xtask: not root, so not installed: {}", missing.join(" "));
        return Ok(());
    }
    eprintln!("xtask: installing {}", missing.join(" "));
    // A machine that was just made has no lists; one that has them need not fetch them again.
    if !has_lists() {
        workspace::run(&mut apt_get(&["update", "--quiet=2"]))?;
    }
    let install = |missing: &[&str]| {
        let mut command = apt_get(&["install", "--yes", "--quiet=2", "--no-install-recommends"]);
        workspace::run(command.args(missing))
    };
    install(&missing).or_else(|_| {
        // Lists that are old name versions that are no longer there.
        workspace::run(&mut apt_get(&["update", "--quiet=2"]))?;
        install(&missing)
    })
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}", package]).stderr(Stdio::null());
    workspace::output(&mut query).is_ok_and(|status| status == "installed")
}

fn has_lists() -> bool {
    let lists = Path::new("/var/lib/apt/lists").read_dir();
    lists
        .is_ok_and(|lists| lists.flatten().any(|entry| entry.path().to_string_lossy().ends_with("_Packages")))
}

/// apt-get that asks nothing and starts no service of what it installs: systemctl(1) does nothing when it is told that it is
/// in a chroot, and the runlevel for one user alone has no services (invoke-rc.d(8), runlevel(8)).
fn apt_get(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(args).stdin(Stdio::null());
    command.envs([("DEBIAN_FRONTEND", "noninteractive"), ("SYSTEMD_OFFLINE", "1"), ("RUNLEVEL", "1")]);
    command
}
