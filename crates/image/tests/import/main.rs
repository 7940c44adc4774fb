//! Archives into the store, on a real file system.

mod archives;
mod bed;
mod big;
mod broken;
mod faithful;
mod hostile;
mod property;
mod store;

use libtest_mimic::{Arguments, Trial};

fn main() {
    if let Some(status) = store::run_as_child() {
        std::process::exit(status);
    }
    let mut trials = Vec::new();
    for (module, tests) in [
        ("hostile", hostile::TESTS),
        ("broken", broken::TESTS),
        ("faithful", faithful::TESTS),
        ("big", big::TESTS),
        ("store", store::TESTS),
        ("property", property::TESTS),
    ] {
        trials.extend(tests.iter().map(|test| test.trial(module)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// One test.
struct Test {
    name: &'static str,
    needs: Needs,
    run: fn(),
}

/// What a test needs that not every machine has.
enum Needs {
    Nothing,
    /// To give files to others, and to give them capabilities.
    Root,
    /// The tar program, to make archives that no code of ours has touched.
    Tar,
}

impl Test {
    const fn new(name: &'static str, needs: Needs, run: fn()) -> Self {
        Self { name, needs, run }
    }

    /// The test as one that counts as skipped, with the reason in its kind, where it cannot be run.
    fn trial(&self, module: &str) -> Trial {
        let reason = match self.needs {
            Needs::Root if !rustix::process::geteuid().is_root() => Some("needs root"),
            Needs::Tar if std::process::Command::new("tar").arg("--version").output().is_err() => {
                Some("needs tar")
            }
            _ => None,
        };
        let run = self.run;
        Trial::test(format!("{module}::{}", self.name), move || {
            run();
            Ok(())
        })
        .with_kind(reason.unwrap_or_default())
        .with_ignored_flag(reason.is_some())
    }
}
