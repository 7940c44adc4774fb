//! `cargo xtask conformance`: the public test suites of the peers, run with our runtime and with theirs.
//!
//! The suites are not ours and are not here: the user names a directory that has one; docs/conformance.md says how it comes
//! to be. All runs are in a mount namespace of their own, and the control groups that a suite leaves are removed.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lexopt::{Arg, ValueExt};

use crate::{ground, workspace};

mod contest;
mod crun;
mod groups;
mod results;

use results::Results;

/// The peers, by the names of their programs.
const PEERS: [&str; 3] = ["runc", "crun", "youki"];

struct Options {
    suite: PathBuf,
    runtime: Option<PathBuf>,
    alone: bool,
}

impl Options {
    fn parse(mut args: lexopt::Parser) -> Result<Options> {
        let (mut suite, mut runtime, mut alone) = (None, None, false);
        while let Some(arg) = args.next()? {
            match arg {
                Arg::Long("suite") => suite = Some(PathBuf::from(args.value()?)),
                Arg::Long("runtime") => runtime = Some(PathBuf::from(args.value()?)),
                Arg::Long("alone") => alone = true,
                other => return Err(other.unexpected().into()),
            }
        }
        let suite = suite.context("--suite DIR is missing; docs/conformance.md says what is in it")?;
        let suite = suite.canonicalize().with_context(|| format!("no suite in {}", suite.display()))?;
        Ok(Options { suite, runtime, alone })
    }
}

/// Runs the suite that the arguments name with each runtime, and prints the table.
pub fn run(mut args: lexopt::Parser) -> Result<()> {
    let name = args.value().context("which suite? contest or crun")?.string()?;
    let suite: fn(&Path, &Path, &Path) -> Result<Results> = match name.as_str() {
        "contest" => contest::run,
        "crun" => crun::run,
        other => bail!("no suite `{other}`; there are `contest` and `crun`"),
    };
    let options = Options::parse(args)?;
    let place = ground::private("cuddy-conformance-")?;
    let ours = match &options.runtime {
        Some(path) => path.canonicalize().with_context(|| format!("no runtime {}", path.display()))?,
        None => workspace::release_binary("cuddy-oci", "cuddy-oci")?,
    };
    let peers = PEERS.into_iter().filter(|_| !options.alone).filter_map(|name| Some((name, on_path(name)?)));
    let runtimes: Vec<(&str, PathBuf)> = [("cuddy-oci", ours)].into_iter().chain(peers).collect();
    let mut all = Vec::new();
    for (name, path) in runtimes {
        eprintln!("xtask: {name}");
        let before = groups::all();
        let results = suite(&options.suite, &path, place.path());
        groups::remove_new(&before);
        all.push((name, results?));
    }
    print!("{}", results::table(&all));
    Ok(())
}

fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| path.is_file())
}
