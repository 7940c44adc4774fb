//! The same tests on other layouts of control groups, in kernels of their own: v2 alone, and v1 as distributions with
//! systemd mounted it.

use crate::scratch::Outcome;
use crate::skipped;
use libtest_mimic::Trial;
use std::path::Path;
use testbed::uml::{KERNEL, V1, V2, again, is_inside};

pub fn trials() -> Vec<Trial> {
    if is_inside() {
        return vec![];
    }
    let layouts = [("v2_in_user_mode_linux", V2), ("v1_in_user_mode_linux", V1)];
    let trial = |(name, layout): (&str, &'static str)| match Path::new(KERNEL).exists() {
        true => Trial::test(name, || Ok(elsewhere(layout).map_err(|e| e.to_string())?)),
        false => skipped(name, format!("no {KERNEL}: apt install user-mode-linux")),
    };
    layouts.into_iter().map(trial).collect()
}

/// Every row of the table is told: written and read back there, or what that kernel lacks for it.
fn elsewhere(layout: &str) -> Outcome {
    let console = again(layout)?;
    for row in cgroup::table::rows() {
        let name = format!("setting::{} ", row.name.replace(' ', "_"));
        let line = console.lines().find(|line| line.starts_with("test ") && line.contains(&name));
        println!("{}", line.ok_or_else(|| format!("{name} was not tried:\n{console}"))?);
    }
    Ok(())
}
