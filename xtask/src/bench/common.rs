//! What the benches share: options, a mount namespace of their own, an order at random, and what is left of peers.

use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, ValueExt};
use tempfile::TempDir;

use super::peers::{Bed, NAMES};
use crate::workspace;

/// Set for the program that runs in the bench's own mount namespace.
const INSIDE: &str = "CUDDY_BENCH_INSIDE";

/// What was typed.
pub struct Options {
    /// How often each peer is timed.
    pub rounds: usize,
    only: Option<Vec<String>>,
    /// Where all times go.
    pub json: Option<PathBuf>,
    /// Time between two starts. None by default: the kernel is warm. The first process that is moved between cgroups after
    /// some milliseconds of rest waits for an RCU grace period (8 to 20 ms), as `cgroup.procs` takes a lock that is cheap
    /// for readers; `--pause 50` shows which peers pay for that.
    pub pause: Duration,
}

impl Options {
    /// Reads the arguments of a bench.
    pub fn parse(mut args: lexopt::Parser) -> Result<Options> {
        let mut options = Options { rounds: 50, only: None, json: None, pause: Duration::ZERO };
        while let Some(arg) = args.next()? {
            match arg {
                Arg::Short('n') => options.rounds = args.value()?.parse()?,
                Arg::Long("only") => {
                    let names = args.value()?.string()?;
                    options.only = Some(names.split(',').map(str::to_owned).collect());
                }
                Arg::Long("json") => options.json = Some(args.value()?.into()),
                Arg::Long("pause") => options.pause = Duration::from_millis(args.value()?.parse()?),
                other => return Err(other.unexpected().into()),
            }
        }
        ensure!(options.rounds > 0, "-n 0 measures nothing");
        for name in options.only.iter().flatten() {
            ensure!(NAMES.contains(&name.as_str()), "no peer `{name}`; there are {}", NAMES.join(", "));
        }
        Ok(options)
    }

    /// Whether a peer takes part.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|wanted| wanted == name))
    }
}

/// What a bench stands on: a directory and a mount namespace of its own. It goes with the bench, with what peers left.
pub struct Ground {
    /// The bundles and the peers.
    pub bed: Bed,
    _cgroups: Cgroups,
    _dir: TempDir,
}

impl Ground {
    /// Makes it. The mount namespace is that of a second process, which this one waits for and ends with.
    pub fn prepare() -> Result<Ground> {
        ensure!(rustix::process::geteuid().is_root(), "the runtimes are compared as root; this is not root");
        if env::var_os(INSIDE).is_none() {
            process::exit(in_private_mounts()?);
        }
        let dir = tempfile::Builder::new().prefix("cuddy-bench-").tempdir()?;
        hide_v2_controllers(dir.path())?;
        let bed = Bed::new(dir.path(), format!("cuddy-bench-{}", process::id()))?;
        Ok(Ground { _cgroups: Cgroups { prefix: bed.prefix.clone() }, bed, _dir: dir })
    }

    /// Names for containers, without end.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        (0..).map(|n| format!("{}-{n}", self.bed.prefix))
    }
}

/// Runs this program again in a mount namespace of its own, where nothing that is mounted reaches the machine; its exit
/// code.
fn in_private_mounts() -> Result<i32> {
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
/// cgroup in it is not yet freed. No container of the bench uses them, so it is enough that nobody sees them: an empty file
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

/// The wall time of one command, from before it is spawned until it has been waited for.
pub fn time(mut command: Command) -> Result<Duration> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {}", workspace::shown(&command)))?;
    let status = child.wait()?;
    let taken = start.elapsed();
    if !status.success() {
        let said = child.stderr.map(std::io::read_to_string).transpose()?.unwrap_or_default();
        bail!("{}: {status}\n{}", workspace::shown(&command), said.trim_end());
    }
    Ok(taken)
}

/// A xorshift generator, seeded alike in every run.
pub struct Shuffle(pub u64);

impl Shuffle {
    /// Puts them in another order.
    pub fn apply<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            items.swap(last, self.0 as usize % (last + 1));
        }
    }
}

/// Removes the cgroups that a failed peer left. They are empty, or rmdir refuses.
struct Cgroups {
    /// What their names begin with.
    prefix: String,
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        let Ok(hierarchies) = fs::read_dir("/sys/fs/cgroup") else { return };
        let groups = hierarchies
            .flatten()
            .filter_map(|hierarchy| fs::read_dir(hierarchy.path()).ok())
            .flatten()
            .flatten();
        for group in groups.filter(|group| group.file_name().to_string_lossy().starts_with(&self.prefix)) {
            if fs::remove_dir(group.path()).is_err() {
                eprintln!("xtask: cannot remove {}", group.path().display());
            }
        }
    }
}
