//! The same tests on other layouts of control groups, in kernels of their own: v2 alone, and v1 as distributions with
//! systemd mounted it.

use crate::scratch::Outcome;
use crate::skipped;
use libtest_mimic::Trial;
use std::path::Path;
use testbed::uml::{KERNEL, V1, V2, boot};

/// Set for the tests inside.
const INSIDE: &str = "CUDDY_TEST_IN_UML";

pub fn trials() -> Vec<Trial> {
    if std::env::var_os(INSIDE).is_some() {
        return vec![];
    }
    let layouts = [("v2_in_user_mode_linux", V2), ("v1_in_user_mode_linux", V1)];
    let trial = |(name, layout): (&str, &'static str)| match Path::new(KERNEL).exists() {
        true => Trial::test(name, || Ok(again(layout).map_err(|e| e.to_string())?)),
        false => skipped(name, format!("no {KERNEL}: apt install user-mode-linux")),
    };
    layouts.into_iter().map(trial).collect()
}

/// This very program, in another kernel; the test goes by its verdict on the console.
fn again(layout: &str) -> Outcome {
    let program = std::env::current_exe()?;
    let script = format!("{INSIDE}=1 exec {} --test-threads=1 --color=never", program.display());
    let console = boot(layout, &script)?;
    match console.lines().find(|line| line.starts_with("test result: ")) {
        Some(line) if line.contains(" 0 failed") && !line.contains(" 0 passed") => Ok(()),
        _ => Err(console.into()),
    }
}
