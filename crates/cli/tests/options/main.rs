//! Every option of `cuddy run`: what is typed, and what the command then sees.

#[path = "../common/mod.rs"]
mod common;
mod limits;
mod ordinary;
mod others;
mod seen;
mod shell;
mod volumes;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use common::{Home, Rootfs, words};
use testbed::{Need, Trial, run, trial};

/// A test that needs no more than most of them.
fn with_busybox(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    trial(name, [Need::Root, Need::Program("busybox")], test)
}

fn main() -> ExitCode {
    let rooms = [
        shell::trials(),
        seen::trials(),
        limits::trials(),
        volumes::trials(),
        others::trials(),
        ordinary::trials(),
    ];
    testbed::main(rooms.into_iter().flatten())
}

/// What every row finds where it is typed.
fn typed(here: &Path) {
    for (name, text) in [
        ("conf/file", "from the host\n"),
        ("vars", "# a comment\nA=1\nB=x y\nCUDDY_TEST_HERE\n"),
        ("read-only.json", r#"{"paths": [{"path": "/", "access": ["read", "execute"]}]}"#),
        (
            "no-mkdir.json",
            r#"{"defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}"#,
        ),
    ] {
        let path = here.join(name);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory of ours");
        fs::write(path, text).expect("a file of ours");
    }
}

/// Runs a row; `$CUDDY_TEST_HERE` is `from here` where it is typed.
#[track_caller]
fn run_row(home: &Home, options: &str, command: &[&str]) -> testbed::Done {
    typed(&home.dir());
    let rootfs = Rootfs::new();
    let (_, mut cuddy) = home.container(words(options));
    cuddy.arg(rootfs.path()).args(command).env("CUDDY_TEST_HERE", "from here");
    run(&mut cuddy).ok()
}
