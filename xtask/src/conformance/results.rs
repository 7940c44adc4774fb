//! What came of a suite, and the table of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What came of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, or its program did not come to an end.
    Failed,
    /// It says that it cannot be run here.
    Skipped,
}

/// The outcome of each test, by `GROUP: NAME`.
pub type Results = BTreeMap<String, Outcome>;

/// How many of each outcome by runtime, and by name what the first runtime does not pass and another does.
pub fn table(all: &[(&str, Results)]) -> String {
    let mut text = format!("{:<12}{:>8}{:>8}{:>8}\n", "", "passed", "failed", "skipped");
    for (name, results) in all {
        let count = |wanted| results.values().filter(|outcome| **outcome == wanted).count();
        let [passed, failed, skipped] = [Outcome::Passed, Outcome::Failed, Outcome::Skipped].map(count);
        let _ = writeln!(text, "{name:<12}{passed:>8}{failed:>8}{skipped:>8}");
    }
    let Some(((name, ours), peers)) = all.split_first() else { return text };
    for (test, by) in passed_by_others(ours, peers) {
        let outcome = ours.get(test).map_or("not run", |outcome| match outcome {
            Outcome::Skipped => "skipped",
            _ => "failed",
        });
        let _ = writeln!(text, "{outcome} by {name}, passed by {}: {test}", by.join(", "));
    }
    text
}

fn passed_by_others<'a>(
    ours: &Results,
    peers: &'a [(&'a str, Results)],
) -> impl Iterator<Item = (&'a String, Vec<&'a str>)> {
    let passes = |results: &Results, test: &str| results.get(test) == Some(&Outcome::Passed);
    let tests: BTreeSet<_> = peers.iter().flat_map(|(_, results)| results.keys()).collect();
    let missing: Vec<_> = tests.into_iter().filter(|test| !passes(ours, test)).collect();
    missing.into_iter().filter_map(move |test| {
        let by: Vec<_> =
            peers.iter().filter(|(_, results)| passes(results, test)).map(|(name, _)| *name).collect();
        (!by.is_empty()).then_some((test, by))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_passes_and_we_do_not_is_named() {
        let results = |tests: &[(&str, Outcome)]| -> Results {
            tests.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect()
        };
        let ours =
            results(&[("a: 1", Outcome::Passed), ("a: 2", Outcome::Failed), ("a: 4", Outcome::Failed)]);
        let runc =
            results(&[("a: 1", Outcome::Passed), ("a: 2", Outcome::Passed), ("a: 3", Outcome::Passed)]);
        let table = table(&[("cuddy-oci", ours), ("runc", runc)]);
        let lines: Vec<_> = table.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "cuddy-oci          1       2       0",
                "runc               3       0       0",
                "failed by cuddy-oci, passed by runc: a: 2",
                "not run by cuddy-oci, passed by runc: a: 3",
            ]
        );
    }
}
