//! Control groups of the kernel that runs this test: every setting is written and read back, groups are filled,
//! frozen, killed and removed. All of it happens in groups named `cuddy-test-PID-NUMBER`, which are removed at the end
//! of each test, also when it fails.
//!
//! What a kernel or a machine lacks is listed as ignored, with the reason. The last tests boot kernels where
//! v2 or v1 is all there is, and run the others again inside them.

mod bad;
mod churn;
mod elsewhere;
mod life;
mod scratch;
mod setting;
mod updates;

use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let enabled = scratch::Enabled::note();
    let mut trials = Vec::new();
    if rustix::process::geteuid().is_root() {
        trials.extend(setting::trials());
        trials.extend(life::trials());
        trials.extend(bad::trials());
        trials.extend(updates::trials());
        trials.extend(churn::trials());
        trials.extend(elsewhere::trials());
    } else {
        trials.push(skipped("control_groups", "needs root".to_owned()));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    enabled.restore();
    conclusion.exit_code()
}

/// A test that this machine cannot run.
fn skipped(name: &str, reason: String) -> Trial {
    Trial::test(name, || Ok(())).with_ignored_flag(true).with_kind(reason)
}
