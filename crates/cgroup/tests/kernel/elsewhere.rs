//! The same tests on other layouts of control groups, in kernels of their own: v2 alone, and v1 as distributions with
//! systemd mounted it.

use crate::scratch::Outcome;
use crate::skipped;
use libtest_mimic::Trial;
use testbed::Kernel;
use testbed::kernel::{V1, V2, inside};

const ELSEWHERE: [(&str, Kernel, &str); 4] = [
    ("v2_in_user_mode_linux", Kernel::UserMode, V2),
    ("v1_in_user_mode_linux", Kernel::UserMode, V1),
    ("v2_in_debians_kernel", Kernel::Debian, V2),
    ("v1_in_debians_kernel", Kernel::Debian, V1),
];

pub fn trials() -> Vec<Trial> {
    if inside().is_some() {
        return vec![];
    }
    let trial = |(name, kernel, layout): (&str, Kernel, &'static str)| {
        let missing: Vec<_> = kernel.needs().into_iter().filter_map(|need| need.missing()).collect();
        match missing.is_empty() {
            true => Trial::test(name, move || Ok(elsewhere(kernel, layout).map_err(|e| e.to_string())?)),
            false => skipped(name, missing.join(", ")),
        }
    };
    ELSEWHERE.into_iter().map(trial).collect()
}

/// Every row of the table is told: written and read back there, or what that kernel lacks for it.
fn elsewhere(kernel: Kernel, layout: &str) -> Outcome {
    let console = kernel.again(layout, "")?;
    for row in cgroup::table::rows() {
        let name = format!("setting::{} ", row.name.replace(' ', "_"));
        let line = console.lines().find(|line| line.starts_with("test ") && line.contains(&name));
        println!("{}", line.ok_or_else(|| format!("{name} was not tried:\n{console}"))?);
    }
    Ok(())
}
