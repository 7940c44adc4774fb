//! `cargo xtask bench start`: the time from the start of a runtime to the end of a container that runs `/bin/true`.
//!
//! All peers take part in every round, in an order that is shuffled for each round: a slow minute of the machine, or the
//! network namespace that the kernel still tears down after the peer before, hits each of them equally often.

use std::{fs, thread};

use anyhow::{Context, Result, ensure};

use super::common::{self, Ground, Options, Shuffle};
use super::peers::{Bed, NAMES, Peer};
use super::report::{self, Series};
use crate::workspace;

/// Runs the bench and prints its table.
pub fn run(args: lexopt::Parser) -> Result<()> {
    let options = Options::parse(args)?;
    let ground = Ground::prepare()?;
    let mut ids = ground.ids();
    let peers = ready_peers(&ground.bed, &options, &mut ids);
    ensure!(!peers.is_empty(), "nobody is left to measure");
    let all = measure(&peers, &options, &mut ids)?;

    println!(
        "start and end of /bin/true in a container, {} rounds, interleaved, {} ms apart",
        options.rounds,
        options.pause.as_millis()
    );
    println!("{}", report::table(&all));
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_vec_pretty(&report::json("start", &all))?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
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
pub fn proven(mut peer: Peer, ids: &mut impl Iterator<Item = String>) -> Result<Peer> {
    peer.set_words(&["/bin/sh", "-c", "echo process $$"])?;
    let said = workspace::output(&mut peer.command(&ids.next().unwrap()))?;
    ensure!(
        said.trim() == "process 1",
        "its command is not process 1 of a container; it said `{}`",
        said.trim()
    );
    peer.set_words(&["/bin/true"])?;
    common::time(peer.command(&ids.next().unwrap()))?;
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
            all[index].times.push(common::time(peers[index].command(&ids.next().unwrap()))?);
        }
    }
    Ok(all)
}
