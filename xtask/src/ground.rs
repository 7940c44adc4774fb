//! A place for runtimes to run in, apart from the machine's mounts.

use std::path::Path;
use std::process::{self, Command};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// Set for the program that is in a mount namespace of its own.
const INSIDE: &str = "CUDDY_XTASK_INSIDE";

/// A directory in a mount namespace of our own, where Debian's crun starts, too. The namespace is that of a second process,
/// which this one waits for and ends with.
pub fn private(prefix: &str) -> Result<TempDir> {
    ensure!(rustix::process::geteuid().is_root(), "the runtimes run as root; this is not root");
    if env::var_os(INSIDE).is_none() {
        process::exit(again()?);
    }
    let dir = tempfile::Builder::new().prefix(prefix).tempdir()?;
    hide_v2_controllers(dir.path())?;
    Ok(dir)
}

/// Runs this program again in a new mount namespace; its exit code.
fn again() -> Result<i32> {
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(INSIDE, "1")
        .status()
        .context("cannot run unshare (util-linux)")?;
    Ok(status.code().unwrap_or(1))
}

/// Lets Debian's crun start on a hybrid host.
///
/// It refuses version 1 hierarchies when the version 2 one beside them has controllers (here hugetlb). Mounting those
/// as version 1 would move them for the whole machine, and they may not come back: a hierarchy stays as long as a removed
/// cgroup in it is not yet freed. No container of ours uses them, so it is enough that nobody sees them: an empty file
/// over the list, in this mount namespace, for all peers alike.
fn hide_v2_controllers(dir: &Path) -> Result<()> {
    let list = Path::new("/sys/fs/cgroup/unified/cgroup.controllers");
    match fs::read_to_string(list) {
        Ok(controllers) if !controllers.trim().is_empty() => {
            let empty = dir.join("no-controllers");
            fs::write(&empty, "")?;
            rustix::mount::mount_bind(&empty, list)
                .with_context(|| format!("mount --bind {} {}", empty.display(), list.display()))
        }
        _ => Ok(()),
    }
}
