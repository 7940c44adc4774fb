//! Tests that say what they need.

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::Need;
use crate::kernel::{Kernel, V2, inside};

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

/// A test of this name that is all tests of this program with `filter` in their names, in a kernel of its own with cgroup v2
/// alone; none where this is such a kernel.
pub fn again_on_v2(name: &str, kernel: Kernel, filter: &'static str) -> Option<Trial> {
    inside().is_none().then(|| {
        trial(name, kernel.needs(), move || match kernel.again(V2, filter) {
            Ok(console) => print!("{console}"),
            Err(error) => panic!("{error}"),
        })
    })
}

/// [`main`], with one more test: all of them again on cgroup v2 alone.
pub fn main_also_on_v2(trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    let again = again_on_v2("all_of_this_on_cgroup_v2_alone", Kernel::UserMode, "");
    main(trials.into_iter().chain(again))
}

/// Runs the tests that the command line asks for: the `main` of a test with `harness = false`.
pub fn main(trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    let trials = trials.into_iter().map(|Trial(trial)| trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
