//! From the number of a system call to its verdict: a binary search, as BPF.
//!
//! All numbers there are, from 0 to 2³²-1, are cut into runs that have one target. Neighbours in a
//! system call list tend to have the same verdict, so 300 allowed calls are a few dozen runs, and the
//! search for one is five to eight comparisons deep. The kernel profits too: when a filter is loaded it
//! tries every number to find the calls that are always allowed (`seccomp_cache_prepare`), and makes
//! those without running the filter at all.

use crate::assemble::{Assembler, JUMP_EQUAL, JUMP_GREATER_OR_EQUAL, Target};

/// Numbers from `start` up to where the next run starts.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: u32,
    target: Target,
}

/// What each number leads to, filled in ascending order.
#[derive(Debug, Default)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    /// All numbers from `start` on lead to `target`, until a later call says otherwise.
    pub(crate) fn from(&mut self, start: u32, target: Target) {
        if self.0.last().is_some_and(|last| last.start == start) {
            self.0.pop();
        }
        if self.0.last().is_none_or(|last| last.target != target) {
            self.0.push(Run { start, target });
        }
    }

    /// Writes the search.
    pub(crate) fn search(&self, program: &mut Assembler) -> Target {
        search(program, &self.0)
    }
}

/// So many single numbers are compared one after the other rather than searched among.
const SINGLES: usize = 4;

fn search(program: &mut Assembler, runs: &[Run]) -> Target {
    if let [only] = runs {
        return only.target;
    }
    if let Some(background) = background(runs) {
        let singles = runs.iter().rev().filter(|run| run.target != background);
        return singles
            .fold(background, |otherwise, run| program.branch(JUMP_EQUAL, run.start, run.target, otherwise));
    }
    let (below, above) = runs.split_at(runs.len() / 2);
    let yes = search(program, above);
    let no = search(program, below);
    program.branch(JUMP_GREATER_OR_EQUAL, above[0].start, yes, no)
}

/// The one target of `runs` but for a few single numbers, if it is so. A single number costs one `jeq`,
/// while the search needs a `jge` at both of its ends.
fn background(runs: &[Run]) -> Option<Target> {
    // Of two neighbours one is background, or there would be no saving.
    let target = runs.get(1..3)?.iter().map(|run| run.target).find(|target| {
        let singles = runs.iter().filter(|run| run.target != *target).count();
        singles <= SINGLES && singles + 1 < runs.len()
    })?;
    let ends = runs.iter().skip(1).map(|run| Some(run.start)).chain([None]);
    let all_single =
        runs.iter().zip(ends).all(|(run, end)| run.target == target || end == run.start.checked_add(1));
    all_single.then_some(target)
}
