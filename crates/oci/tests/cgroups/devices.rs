//! Device rules of a running container.

use crate::support::Case;
use serde_json::{Value, json};
use std::fs;
use testbed::{Need, Trial, input, run, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("new device rules take the place of the old without a gap", [Need::Root], without_a_gap),
        trial("update changes what may be opened", [Need::Root], changed),
    ]
}

/// `/dev/kmsg`, for reading.
fn kmsg(allow: bool) -> Value {
    json!({ "allow": allow, "type": "c", "major": 1, "minor": 11, "access": "r" })
}

fn everything(allow: bool) -> Value {
    json!({ "allow": allow, "access": "rwm" })
}

/// Nodes of kmsg and of the memory of the machine, which nobody is to open.
fn with_nodes(config: &mut Value) {
    config["linux"]["devices"] = json!([
        { "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11 },
        { "path": "/dev/mem", "type": "c", "major": 1, "minor": 1 },
    ]);
    config["linux"]["resources"]["devices"] = json!([everything(false)]);
    let raw = json!(["CAP_SYS_RAWIO", "CAP_SYSLOG"]);
    config["process"]["capabilities"] = json!({ "bounding": raw, "effective": raw, "permitted": raw });
}

#[track_caller]
fn update(case: &Case, devices: &[Value]) {
    let resources = json!({ "devices": devices }).to_string();
    let mut command = case.oci(&["update", "--resources", "-"]);
    run(command.arg(case.id()).stdin(input(&resources))).ok();
}

fn without_a_gap() {
    let mut case = crate::writable();
    case.edit(with_nodes);
    case.args(&["/bin/probe", "--out", "/verdict", "open-in-turn", "/dev/null", "/dev/mem", "/stop"]);
    case.detach();
    // Each takes a process, which is slow in a kernel that is a program.
    let rounds = if testbed::kernel::inside().is_some() { 6 } else { 20 };
    for round in 0..rounds {
        update(&case, &[everything(false), kmsg(round % 2 == 0)]);
        // Another kind of list on v1: everything but these. The memory is never allowed.
        if round % 5 == 0 {
            let but = json!({ "allow": false, "type": "c", "major": 1, "minor": 1, "access": "rwm" });
            update(&case, &[everything(true), but]);
        }
    }
    fs::write(case.bundle.rootfs().join("stop"), "").unwrap();
    case.wait_until_stopped();
    let verdict: Value =
        serde_json::from_slice(&fs::read(case.bundle.rootfs().join("verdict")).unwrap()).unwrap();
    let detail = &verdict["detail"];
    assert_eq!((&detail["refused"], &detail["slipped"]), (&json!(0), &json!(0)), "{verdict:#}");
    assert!(
        detail["opened"].as_u64().unwrap() > 100 && detail["denied"].as_u64().unwrap() > 100,
        "{verdict:#}"
    );
}

fn changed() {
    let mut case = Case::probe();
    case.edit(with_nodes);
    case.args(&["/bin/probe", "sleep"]).detach();
    let reads = |path: &str| {
        let done = case.exec(&[], &["/bin/probe", "try-open", path, "rdonly"]);
        done.ok().json::<probe::Verdict>().outcome
    };
    assert_eq!((reads("/dev/kmsg").as_str(), reads("/dev/null").as_str()), ("EPERM", "ok"));
    update(&case, &[everything(false), kmsg(true)]);
    assert_eq!((reads("/dev/kmsg").as_str(), reads("/dev/null").as_str()), ("ok", "ok"));
    // What does not speak of devices leaves them.
    run(case.oci(&["update", "--pids-limit", "50"]).arg(case.id())).ok();
    assert_eq!(reads("/dev/kmsg"), "ok");
    update(&case, &[everything(false), kmsg(false)]);
    assert_eq!((reads("/dev/kmsg").as_str(), reads("/dev/null").as_str()), ("EPERM", "ok"));
}
