//! `cargo xtask bench life`: what the commands of an OCI runtime take, beside others.
//!
//! Each row is timed once for each peer in each round, the peers in a shuffled order, as in `bench start`. One container
//! of each peer stands while the rows are timed: it is what `exec`, `state` and `kill` are about.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::common::{self, Ground, Options, Shuffle};
use super::peers::Peer;
use super::report::{self, Series};
use super::start::proven;

/// The OCI runtimes among the peers.
const RUNTIMES: [&str; 4] = ["cuddy-oci", "crun", "youki", "runc"];

/// What the standing container runs: the first process of a pid namespace that has no handler for SIGTERM ignores it.
const STANDING: [&str; 2] = ["/bin/sleep", "1000000"];
const TRUE: [&str; 1] = ["/bin/true"];

/// A runtime, its standing container, and a new name.
struct Turn<'a> {
    peer: &'a Peer,
    standing: &'a str,
    id: &'a str,
}

type Row = (&'static str, fn(&Turn) -> Result<Duration>);

/// The last row leaves its container: there are more of them with each round.
const ROWS: [Row; 6] = [
    ("cycle", cycle),
    ("run", |turn| common::time(turn.peer.makes(&["run"], turn.id, &TRUE)?)),
    ("exec", |turn| common::time(turn.peer.does(&["exec", turn.standing, "/bin/true"])?)),
    ("state", |turn| common::time(turn.peer.does(&["state", turn.standing])?)),
    ("kill", |turn| common::time(turn.peer.does(&["kill", turn.standing, "TERM"])?)),
    ("one more", |turn| common::time(turn.peer.makes(&["run", "--detach"], turn.id, &STANDING)?)),
];

/// Three processes, one after the other. By force, as the program may not have come to its end yet.
fn cycle(turn: &Turn) -> Result<Duration> {
    let created = common::time(turn.peer.makes(&["create"], turn.id, &TRUE)?)?;
    let started = common::time(turn.peer.does(&["start", turn.id])?)?;
    Ok(created + started + common::time(turn.peer.does(&["delete", "--force", turn.id])?)?)
}

/// Runs the bench and prints its tables.
pub fn run(args: lexopt::Parser) -> Result<()> {
    let options = Options::parse(args)?;
    let ground = Ground::prepare()?;
    let mut ids = ground.ids();

    let mut stages = Vec::new();
    for name in RUNTIMES.into_iter().filter(|name| options.wants(name)) {
        match ground
            .bed
            .peer(name)
            .and_then(|peer| proven(peer, &mut ids))
            .and_then(|peer| Stage::new(peer, &mut ids))
        {
            Ok(stage) => stages.push(stage),
            Err(error) => eprintln!("without {name}: {error:#}"),
        }
    }
    ensure!(!stages.is_empty(), "nobody is left to measure");
    let rows = measure(&mut stages, &options, &mut ids)?;
    println!("commands of OCI runtimes, {} rounds, interleaved", options.rounds);
    for (row, all) in &rows {
        println!("\n{row}\n{}", report::table(all));
    }
    for series in rows.iter().filter(|(row, _)| *row == "one more").flat_map(|(_, all)| all) {
        println!("{}", report::growth(series));
    }
    if let Some(path) = &options.json {
        let all: Value = rows.iter().map(|(row, all)| (row.to_string(), report::json("life", all))).collect();
        fs::write(path, serde_json::to_vec_pretty(&all)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A runtime with all containers that it has to remove at the end.
struct Stage {
    peer: Peer,
    standing: String,
    left: Vec<String>,
}

impl Stage {
    fn new(peer: Peer, ids: &mut impl Iterator<Item = String>) -> Result<Stage> {
        let standing = ids.next().context("ids do not end")?;
        let stage = Stage { peer, standing: standing.clone(), left: vec![standing] };
        common::time(stage.peer.makes(&["run", "--detach"], &stage.standing, &STANDING)?)?;
        Ok(stage)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for id in &self.left {
            if let Err(error) = self.peer.does(&["delete", "--force", id]).and_then(common::time) {
                eprintln!("xtask: {error:#}");
            }
        }
    }
}

type Times = Vec<(&'static str, Vec<Series>)>;

fn measure(stages: &mut [Stage], options: &Options, ids: &mut impl Iterator<Item = String>) -> Result<Times> {
    let series = |stage: &Stage| Series { name: stage.peer.name, times: Vec::with_capacity(options.rounds) };
    let mut rows: Times = ROWS.iter().map(|(row, _)| (*row, stages.iter().map(series).collect())).collect();
    let mut order: Vec<_> = (0..stages.len()).collect();
    let mut shuffle = Shuffle(0x2545_f491_4f6c_dd1d);
    for _ in 0..options.rounds {
        for ((row, act), (_, all)) in ROWS.iter().zip(&mut rows) {
            shuffle.apply(&mut order);
            for &index in &order {
                let (stage, id) = (&mut stages[index], ids.next().context("ids do not end")?);
                // Also if it fails half-way.
                if ["cycle", "run", "one more"].contains(row) {
                    stage.left.push(id.clone());
                }
                std::thread::sleep(options.pause);
                let turn = Turn { peer: &stage.peer, standing: &stage.standing, id: &id };
                all[index].times.push(act(&turn).with_context(|| row.to_string())?);
                if ["cycle", "run"].contains(row) {
                    stage.left.pop();
                }
            }
        }
    }
    Ok(rows)
}
