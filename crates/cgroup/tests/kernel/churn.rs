//! The end of groups whose processes fork, die and make groups meanwhile.

use crate::scratch::{Outcome, Scratch};
use cgroup::live::end;
use libtest_mimic::Trial;
use spec::Resources;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testbed::Kernel;

/// How many groups end. A kernel that is a program takes longer for each, and one on an emulated processor much longer.
fn rounds() -> u32 {
    match testbed::kernel::inside() {
        None => 1000,
        Some(Kernel::UserMode) => 60,
        Some(Kernel::Debian) => 10,
    }
}

pub fn trials() -> Vec<Trial> {
    let name = format!("churn::nothing_is_left_of_{}_groups_that_fork_and_nest_while_they_end", rounds());
    vec![Trial::test(name, || Ok(ends().map_err(|e| e.to_string())?))]
}

fn ends() -> Outcome {
    let mut longest = Duration::ZERO;
    for round in 0..rounds() {
        let scratch = Scratch::new(&Resources::default())?;
        let directories = &scratch.group.directories;
        let mut churning = start(directories)?;
        // Each time at another moment of its life: before it has joined, or after any number of forks.
        match round % 4 {
            0 => until_nested(directories)?,
            _ => std::thread::sleep(Duration::from_millis(u64::from(round % 12))),
        }
        let begun = Instant::now();
        end(directories).map_err(|error| format!("round {round}: {error}"))?;
        // One that had not joined everything yet was not there to be ended.
        let _ = churning.kill();
        churning.wait()?;
        end(directories).map_err(|error| format!("round {round}, afterwards: {error}"))?;
        longest = longest.max(begun.elapsed());
        if let Some(left) = directories.iter().find(|directory| directory.exists()) {
            return Err(format!("round {round}: {} is left", left.display()).into());
        }
    }
    println!("the longest end took {longest:?}");
    Ok(())
}

/// Waits until the second group below was made.
fn until_nested(directories: &[PathBuf]) -> Outcome {
    let begun = Instant::now();
    while !directories.iter().any(|directory| directory.join("2").exists()) {
        if begun.elapsed() > Duration::from_secs(20) {
            return Err("no group below is made".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// A shell that joins by itself, and then forks and makes groups for as long as it can.
fn start(directories: &[PathBuf]) -> std::io::Result<Child> {
    let text = |directory: &PathBuf| directory.display().to_string();
    let joins = directories.iter().map(|directory| match directory.join("tasks").exists() {
        true => format!("echo 0 >{}/tasks", text(directory)),
        false => format!("echo 0 >{}/cgroup.procs", text(directory)),
    });
    // Groups below in the hierarchies that can freeze: those are where an end could go wrong.
    let freezes = |d: &&PathBuf| d.join("freezer.state").exists() || d.join("cgroup.freeze").exists();
    let nests: Vec<_> = directories.iter().filter(freezes).map(text).collect();
    let script = format!(
        "{} || exit; i=0; while :; do i=$((i+1)); \
         (for d in {}; do mkdir -p $d/$i/deeper && echo 0 >$d/$i/deeper/cgroup.procs; done; sleep 1000 & :) & \
         (:) & sleep 0.005; done",
        joins.collect::<Vec<_>>().join(" && "),
        nests.join(" ")
    );
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}
