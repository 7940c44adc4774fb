//! `cargo xtask bench start`: the time from the start of a runtime to the end of a container that runs `/bin/true`.
//!
//! All peers take part in every round, in an order that is shuffled for each round: a slow minute of the machine, or the
//! network namespace that the kernel still tears down after the peer before, hits each of them equally often.

use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, ValueExt};

use super::peers::{Bed, NAMES, Peer};
use super::report::{self, Series};
use crate::workspace;

/// Set for the program that runs in the bench's own mount namespace.
const INSIDE: &str = "CUDDY_BENCH_INSIDE";

struct Options {
    rounds: usize,
    only: Option<Vec<String>>,
    json: Option<PathBuf>,
    /// Time between two starts. None by default: the kernel is warm. The first process that is moved between cgroups after
    /// some milliseconds of rest waits for an RCU grace period (8 to 20 ms), as `cgroup.procs` takes a lock that is cheap
    /// for readers; `--pause 50` shows which peers pay for that.
    pause: Duration,
}

impl Options {
    fn parse(mut args: lexopt::Parser) -> Result<Options> {
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

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|wanted| wanted == name))
    }
}

/// Runs the bench and prints its table.
pub fn run(args: lexopt::Parser) -> Result<()> {
    let options = Options::parse(args)?;
    ensure!(rustix::process::geteuid().is_root(), "the runtimes are compared as root; this is not root");
    if env::var_os(INSIDE).is_none() {
        return enter_private_mounts();
    }

    let dir = tempfile::Builder::new().prefix("cuddy-bench-").tempdir()?;
    hide_v2_controllers(dir.path())?;
    let bed = Bed::new(dir.path(), format!("cuddy-bench-{}", process::id()))?;
    let _cgroups = Cgroups { prefix: bed.prefix.clone() };

    let mut ids = (0..).map(|n| format!("{}-{n}", bed.prefix));
    let peers = ready_peers(&bed, &options, &mut ids);
    ensure!(!peers.is_empty(), "nobody is left to measure");
    let all = measure(&peers, &options, &mut ids)?;

    println!(
        "start and end of /bin/true in a container, {} rounds, interleaved, {} ms apart",
        options.rounds,
        options.pause.as_millis()
    );
    println!("{}", report::table(&all));
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_vec_pretty(&report::json(&all))?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Starts this program again in a mount namespace of its own: nothing that is mounted for the bench reaches the machine.
fn enter_private_mounts() -> Result<()> {
    let status = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env(INSIDE, "1")
        .status()
        .context("cannot run unshare (util-linux)")?;
    process::exit(status.code().unwrap_or(1));
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

/// The peers asked for that start a container here; of the others it is said why not.
fn ready_peers(bed: &Bed, options: &Options, ids: &mut impl Iterator<Item = String>) -> Vec<Peer> {
    let mut ready = Vec::new();
    for name in NAMES.into_iter().filter(|name| options.wants(name)) {
        match bed.peer(name).and_then(|peer| proven(peer, ids)) {
            Ok(peer) => ready.push(peer),
            Err(error) => eprintln!("without {name}: {error:#}"),
        }
    }
    ready
}

/// The peer, if the command that it runs is the first process of a pid namespace: one that does nothing would be fast.
fn proven(mut peer: Peer, ids: &mut impl Iterator<Item = String>) -> Result<Peer> {
    peer.set_words(&["/bin/sh", "-c", "echo process $$"])?;
    let said = workspace::output(&mut peer.command(&ids.next().unwrap()))?;
    ensure!(
        said.trim() == "process 1",
        "its command is not process 1 of a container; it said `{}`",
        said.trim()
    );
    peer.set_words(&["/bin/true"])?;
    time(&peer, &ids.next().unwrap())?;
    Ok(peer)
}

fn measure(peers: &[Peer], options: &Options, ids: &mut impl Iterator<Item = String>) -> Result<Vec<Series>> {
    let mut all: Vec<_> = peers
        .iter()
        .map(|peer| Series { name: peer.name, times: Vec::with_capacity(options.rounds) })
        .collect();
    let mut order: Vec<_> = (0..peers.len()).collect();
    let mut shuffle = Shuffle(0x2545_f491_4f6c_dd1d);
    for _ in 0..options.rounds {
        shuffle.apply(&mut order);
        for &index in &order {
            thread::sleep(options.pause);
            all[index].times.push(time(&peers[index], &ids.next().unwrap())?);
        }
    }
    Ok(all)
}

/// The wall time of one container, from before the runtime is spawned until it has been waited for.
fn time(peer: &Peer, id: &str) -> Result<Duration> {
    let mut command = peer.command(id);
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
struct Shuffle(u64);

impl Shuffle {
    fn apply<T>(&mut self, items: &mut [T]) {
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
    prefix: String,
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        let Ok(hierarchies) = fs::read_dir("/sys/fs/cgroup") else { return };
        for hierarchy in hierarchies.flatten() {
            for name in NAMES {
                let left = hierarchy.path().join(format!("{}-{name}", self.prefix));
                if left.is_dir() && fs::remove_dir(&left).is_err() {
                    eprintln!("xtask: cannot remove {}", left.display());
                }
            }
        }
    }
}
