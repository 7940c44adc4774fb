//! Tests that say what they need.

use std::process::ExitCode;

use libtest_mimic::Arguments;

use crate::{Need, uml};

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

/// [`main`], with one more test: all of them again on cgroup v2 alone, in a kernel of its own ([`uml`]).
pub fn main_also_on_v2(trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    let again = (!uml::is_inside()).then(|| {
        trial("all_of_this_on_cgroup_v2_alone", [Need::Root, Need::Path(uml::KERNEL)], || {
            match uml::again(uml::V2) {
                Ok(console) => print!("{console}"),
                Err(error) => panic!("{error}"),
            }
        })
    });
    main(trials.into_iter().chain(again))
}

/// Runs the tests that the command line asks for: the `main` of a test with `harness = false`.
pub fn main(trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    let trials = trials.into_iter().map(|Trial(trial)| trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
