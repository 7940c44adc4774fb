//! User Mode Linux: the kernel as a program, with few of the things that a distribution builds.

use crate::fixture;
use crate::kernel::{Guest, disk};
use crate::{Need, Scratch, debian_with_systemd};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The program that is the kernel: Debian's `user-mode-linux`.
pub const KERNEL: &str = "/usr/bin/linux.uml";

/// What [`command`] needs.
pub(crate) fn needs() -> Vec<Need> {
    vec![Need::Root, Need::Path(KERNEL)]
}

/// Which control groups a systemd makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hierarchy {
    /// v2 alone, as it does by itself.
    Unified,
    /// v1 with a v2 tree beside.
    Hybrid,
}

/// What [`boot_systemd`] needs.
#[must_use]
pub fn needs_of_systemd() -> Vec<Need> {
    needs().into_iter().chain(fixture::needs_of_systemd()).collect()
}

/// Boots a kernel with a Debian that systemd runs ([`debian_with_systemd`]), in which `script` is a service, as a shell, and
/// gives back all that was on the console. The files of this machine are below `/mnt` there. There is an empty disk of
/// 8 MiB, `/dev/ubda`.
///
/// # Errors
/// As for [`boot`](crate::Kernel::boot).
pub fn boot_systemd(hierarchy: Hierarchy, script: &str) -> Result<String, Box<dyn std::error::Error>> {
    let tree = debian_with_systemd();
    let place = Scratch::new();
    let path = place.path().join("script");
    fs::write(&path, script)?;
    let mut args = vec![
        format!("rootflags={}", tree.display()),
        format!("systemd.unit={}", fixture::TEST_UNIT),
        format!("cuddy.script={}", path.display()),
        "systemd.show_status=0".to_owned(),
    ];
    if hierarchy == Hierarchy::Hybrid {
        args.push("systemd.unified_cgroup_hierarchy=0".to_owned());
    }
    Guest::start(place.path(), command(place.path(), &args))?.console()
}

/// The arguments for the machine's own files and this first program.
pub(crate) fn machine_as_root(init: &Path) -> [String; 2] {
    ["rootflags=/".to_owned(), format!("init={}", init.display())]
}

/// The kernel, with what it needs in `place` and these arguments.
pub(crate) fn command(place: &Path, args: &[String]) -> Command {
    let mut command = Command::new(KERNEL);
    command
        .args(["mem=512M", "rootfstype=hostfs", "ro", "con0=fd:0,fd:1", "con=null", "quiet"])
        .arg(format!("uml_dir={}", place.display()))
        .arg(format!("ubd0={}", disk(place).display()))
        .args(args)
        .env("TMPDIR", place);
    command
}
