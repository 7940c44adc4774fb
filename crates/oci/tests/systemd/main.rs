//! Groups that systemd makes, and groups for a systemd: on a Debian with systemd in a kernel of its own, with cgroup v2 and
//! with v1. One boot has many checks, in the script beside.

mod settings;

use serde_json::json;
use std::process::ExitCode;
use testbed::uml::{self, Hierarchy};
use testbed::{Bundle, Trial, binary, trial};

fn main() -> ExitCode {
    if settings::is_inside() { settings::main() } else { testbed::main(tests()) }
}

fn tests() -> Vec<Trial> {
    vec![
        trial("systemd makes the groups, on v2", uml::needs_of_systemd(), || groups(Hierarchy::Unified)),
        trial("systemd makes the groups, on v1", uml::needs_of_systemd(), || groups(Hierarchy::Hybrid)),
        trial("a systemd in a container makes groups of its own", uml::needs_of_systemd(), machines),
        trial(
            "the systemd of a user makes the groups of the user's containers",
            uml::needs_of_systemd(),
            users,
        ),
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
        config["root"]["readonly"] = json!(false);
        // Its groups are seen from inside by the names that they have outside.
        config["linux"]["namespaces"].as_array_mut().expect("a list").retain(|one| one["type"] != "cgroup");
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

/// A container whose first process is a systemd, on the same files as the one outside, and which has its own group for
/// writing.
fn machine() -> Bundle {
    let mut machine = Bundle::probe();
    machine.args(&["/lib/systemd/systemd", "--unit=basic.target"]).edit(|config| {
        let all = json!(spec::Capability::all().map(spec::Capability::name).collect::<Vec<_>>());
        config["process"]["capabilities"] = json!({ "bounding": all, "effective": all, "permitted": all });
        config["process"]["env"].as_array_mut().expect("a list").push(json!("container=cuddy"));
        config["root"] = json!({ "path": "/", "readonly": true });
        config["linux"]["cgroupsPath"] = json!("CGROUPS_PATH");
        let mounts = config["mounts"].as_array_mut().expect("a list");
        mounts.retain(|mount| mount["destination"] != "/sys/fs/cgroup");
        mounts.push(json!({ "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup" }));
        for place in ["/run", "/tmp", "/var"] {
            mounts.push(json!({ "destination": place, "type": "tmpfs", "source": "tmpfs" }));
        }
    });
    machine
}

fn groups(hierarchy: Hierarchy) {
    let bundle = bundle();
    let (layout, key) = match hierarchy {
        Hierarchy::Unified => ("v2", ""),
        Hierarchy::Hybrid => ("hybrid", "name=systemd"),
    };
    let given = format!("bundle=/mnt{} layout={layout} key={key}", bundle.path().display());
    let settings = settings::line();
    let script = format!("{}\n{settings}\necho the end\n", include_str!("groups.sh"));
    let console = check(hierarchy, &given, &script);
    let passed = |line: &str| line.starts_with("test result: ok") && !line.contains(" 0 passed");
    assert!(console.lines().any(passed), "{console}");
    // Every row of the table is told: tried, or what is lacking for it.
    for row in cgroup::table::rows() {
        let name = format!("setting::{} ", row.name.replace(' ', "_"));
        let line = console.lines().find(|line| line.starts_with("test ") && line.contains(&name));
        println!("{}", line.unwrap_or_else(|| panic!("{name} was not tried:\n{console}")));
    }
}

fn machines() {
    let machine = machine();
    let given = format!("machine=/mnt{}/config.json", machine.path().display());
    check(Hierarchy::Unified, &given, include_str!("machine.sh"));
}

fn users() {
    let bundle = Bundle::busybox();
    check(Hierarchy::Unified, &format!("bundle=/mnt{}", bundle.path().display()), include_str!("user.sh"));
}

/// Boots, and looks at what each check has printed; the console.
fn check(hierarchy: Hierarchy, given: &str, script: &str) -> String {
    let runtime = binary("cuddy-oci");
    let common = include_str!("common.sh");
    let script = format!("runtime=/mnt{} {given}\n{common}\n{script}", runtime.display());
    let console = uml::boot_systemd(hierarchy, &script).expect("a kernel that boots");
    let failed: Vec<_> = console.lines().filter(|line| line.starts_with("not ok")).collect();
    assert!(failed.is_empty(), "{}\n\n{console}", failed.join("\n"));
    assert!(console.lines().any(|line| line == "the end"), "{console}");
    console
}
