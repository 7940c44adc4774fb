//! Groups that systemd makes: a Debian with systemd in a kernel of its own, once on cgroup v2 and once on v1. One boot has
//! many checks, in `systemd.sh`.

use serde_json::json;
use std::process::ExitCode;
use testbed::uml::{self, Hierarchy};
use testbed::{Bundle, Trial, binary, trial};

fn main() -> ExitCode {
    testbed::main(tests())
}

fn tests() -> Vec<Trial> {
    vec![
        trial("systemd makes the groups, on v2", uml::needs_of_systemd(), || check(Hierarchy::Unified)),
        trial("systemd makes the groups, on v1", uml::needs_of_systemd(), || check(Hierarchy::Hybrid)),
    ]
}

/// A container with limits of each kind, on the disk that the kernel has.
fn bundle() -> Bundle {
    let mut bundle = Bundle::busybox();
    bundle.args(&["sleep", "1000"]).edit(|config| {
        config["annotations"] = json!({ "org.systemd.property.TimeoutStopSec": "7" });
        config["process"]["terminal"] = json!(false);
        let capabilities = json!(["CAP_MKNOD"]);
        config["process"]["capabilities"] =
            json!({ "bounding": capabilities, "effective": capabilities, "permitted": capabilities });
        config["linux"]["cgroupsPath"] = json!("system.slice:cuddy:web");
        config["linux"]["resources"] = json!({
            "memory": { "limit": 67_108_864, "reservation": 33_554_432 },
            "pids": { "limit": 77 },
            "cpu": { "shares": 512, "quota": 50_500, "period": 100_000 },
            "blockIO": { "throttleReadBpsDevice": [{ "major": 98, "minor": 0, "rate": 1_048_576 }] },
        });
    });
    bundle
}

fn check(hierarchy: Hierarchy) {
    let bundle = bundle();
    let (layout, key) = match hierarchy {
        Hierarchy::Unified => ("v2", ""),
        Hierarchy::Hybrid => ("hybrid", "name=systemd"),
    };
    let script = format!(
        "runtime=/mnt{} bundle=/mnt{} layout={layout} layout_key={key}\n{}",
        binary("cuddy-oci").display(),
        bundle.path().display(),
        include_str!("systemd.sh"),
    );
    let console = uml::boot_systemd(hierarchy, &script).expect("a kernel that boots");
    let failed: Vec<_> = console.lines().filter(|line| line.starts_with("not ok")).collect();
    assert!(failed.is_empty(), "{}\n\n{console}", failed.join("\n"));
    assert!(console.lines().any(|line| line == "the end"), "{console}");
}
