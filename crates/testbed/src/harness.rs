//! Tests that say what they need.

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::Need;

/// A test with its needs; made by [`trial`].
pub struct Trial(libtest_mimic::Trial);

/// A test of this name. It fails by panicking.
///
/// If the machine does not meet a need, the test is listed as `[needs root] NAME` and ignored: `cargo test` and nextest
/// count it as skipped.
pub fn trial(
    name: &str,
    needs: impl IntoIterator<Item = Need>,
    test: impl FnOnce() + Send + 'static,
) -> Trial {
    let missing: Vec<_> = needs.into_iter().filter_map(|need| need.missing()).collect();
    let trial = libtest_mimic::Trial::test(name, move || {
        test();
        Ok(())
    });
    Trial(match missing.is_empty() {
        true => trial,
        false => trial.with_kind(missing.join(", ")).with_ignored_flag(true),
    })
}

/// Runs the tests that the command line asks for: the `main` of a test with `harness = false`.
pub fn main(trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    let trials = trials.into_iter().map(|Trial(trial)| trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
