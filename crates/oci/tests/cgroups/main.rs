//! Control groups, as containers meet them: limits that bite, what is counted, devices that come and go, freezing,
//! groups inside. All of it
//! runs on the groups of this machine, and again on cgroup v2 alone, in kernels of their own.

#[path = "../support/mod.rs"]
mod support;

mod delegation;
mod demonstrations;
mod devices;
mod freezer;
mod group;
mod statistics;

use std::process::ExitCode;

use testbed::{Kernel, Need};

fn main() -> ExitCode {
    let tests = [
        delegation::trials(),
        demonstrations::trials(),
        devices::trials(),
        freezer::trials(),
        statistics::trials(),
    ];
    let again = testbed::again_on_v2("all_of_this_in_debians_kernel", Kernel::Debian, "");
    testbed::main_also_on_v2(tests.into_iter().flatten().chain(again))
}

/// A container with BusyBox, limited by this controller.
fn needs(controller: &'static str) -> [Need; 3] {
    [Need::Root, Need::Program("busybox"), Need::Controller(controller)]
}

/// A container with BusyBox that may write to its root: there it leaves word of how far it is.
fn writable() -> support::Case {
    let mut case = support::Case::busybox();
    case.edit(|config| config["root"]["readonly"] = serde_json::json!(false));
    case
}
