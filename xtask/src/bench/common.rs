//! What the benches share: options, a mount namespace of their own, an order at random, and what is left of peers.

use std::fs;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, ValueExt};
use tempfile::TempDir;

use super::peers::{Bed, NAMES};
use crate::{ground, workspace};

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

/// What a bench stands on. It goes with the bench, and so does what peers left.
pub struct Ground {
    /// The bundles and the peers.
    pub bed: Bed,
    _cgroups: Cgroups,
    _dir: TempDir,
}

impl Ground {
    /// Makes it.
    pub fn prepare() -> Result<Ground> {
        let dir = ground::private("cuddy-bench-")?;
        let bed = Bed::new(dir.path(), format!("cuddy-bench-{}", process::id()))?;
        Ok(Ground { _cgroups: Cgroups { prefix: bed.prefix.clone() }, bed, _dir: dir })
    }

    /// Names for containers, without end.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        (0..).map(|n| format!("{}-{n}", self.bed.prefix))
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
