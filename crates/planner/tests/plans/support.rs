//! The usual configuration, two machines, and what a plan has more or less than the usual one.

use plan::facts::{CgroupLayout, CgroupV1, CgroupV2, HostFacts};
use planner::{Error, Options, Planned, Request};
use serde_json::{Value, json};
use spec::{CapabilitySet, Config};
use std::path::Path;

/// What `cuddy-oci spec` writes, but for the masks: two stand for all.
pub(crate) fn usual() -> Value {
    let mount = |destination: &str, kind: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": kind, "options": options });
    json!({
        "ociVersion": "1.3.0",
        "root": { "path": "rootfs" },
        "hostname": "web",
        "process": {
            "cwd": "/",
            "args": ["sh"],
            "env": ["PATH=/bin"],
            "user": { "uid": 0, "gid": 0 },
            "noNewPrivileges": true,
            "capabilities": {
                "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
            },
        },
        "mounts": [
            mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
            mount("/sys/fs/cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"]),
        ],
        "linux": {
            "namespaces": [
                { "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" },
                { "type": "cgroup" },
            ],
            "maskedPaths": ["/proc/kcore", "/sys/firmware"],
            "readonlyPaths": ["/proc/sys"],
        },
    })
}

pub(crate) fn v1(controllers: &[&str], mount: &str) -> CgroupV1 {
    CgroupV1 {
        controllers: controllers.iter().map(|&c| c.to_owned()).collect(),
        mount: mount.into(),
        own: "/".into(),
    }
}

/// A small hybrid machine: three v1 hierarchies, and v2 with huge pages.
pub(crate) fn hybrid() -> CgroupLayout {
    CgroupLayout {
        v1: vec![v1(&["memory"], "/cg/memory"), v1(&["devices"], "/cg/devices"), v1(&["pids"], "/cg/pids")],
        v2: Some(CgroupV2 {
            mount: "/cg/unified".into(),
            controllers: vec!["hugetlb".into()],
            own: "/".into(),
            delegated: None,
        }),
    }
}

pub(crate) fn unified() -> CgroupLayout {
    let controllers = ["cpu", "memory", "pids"].map(str::to_owned).to_vec();
    CgroupLayout {
        v1: vec![],
        v2: Some(CgroupV2 { mount: "/cg".into(), controllers, own: "/".into(), delegated: None }),
    }
}

pub(crate) fn facts(cgroups: CgroupLayout) -> HostFacts {
    HostFacts {
        kernel: (6, 1),
        uid: 0,
        // All but CAP_SYS_RESOURCE.
        capabilities: CapabilitySet::from_bits(0x1ff_feff_ffff),
        last_capability: 40,
        selinux: false,
        new_mount_api: true,
        cgroups,
        ..HostFacts::default()
    }
}

pub(crate) fn plan(config: &Value, layout: CgroupLayout, options: &Options) -> Result<Planned, Error> {
    plan_on(config, &facts(layout), options)
}

pub(crate) fn plan_on(config: &Value, facts: &HostFacts, options: &Options) -> Result<Planned, Error> {
    let config: Config = serde_json::from_value(config.clone()).expect("a configuration");
    let id = "web".parse().expect("a name");
    let bundle = Path::new("/bundle");
    planner::plan(&Request { config: &config, facts, id: &id, bundle, options })
}

/// The calls of a plan, one a line, with the side that makes them; descriptors without numbers.
pub(crate) fn lines(planned: &Planned) -> Vec<String> {
    let mut lines: Vec<String> = planned.notes.iter().map(|note| format!("note: {note}")).collect();
    for side in [plan::Side::Host, plan::Side::Init] {
        for step in planned.plan.script(side) {
            let calls = plan::render::calls(&step.op);
            lines.extend(calls.iter().map(|call| format!("{side}: {}", without_numbers(&call.to_string()))));
        }
    }
    lines.extend(planned.plan.undo.iter().map(|undo| format!("undo: {undo}")));
    lines
}

/// `$mount_7` as `$mount`: the count shifts with every mount before.
pub(crate) fn without_numbers(line: &str) -> String {
    let mut parts = line.split("$mount_");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("$mount");
        text.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    text
}

/// What of the usual plan is not in this one, and what is only in this one.
pub(crate) fn changes(planned: &Planned) -> String {
    let usual = lines(&plan(&usual(), hybrid(), &Options::default()).expect("the usual plan"));
    let new = lines(planned);
    let mut text = String::new();
    for (mark, these, others) in [('-', &usual, &new), ('+', &new, &usual)] {
        let mut left: Vec<&String> = others.iter().collect();
        for line in these {
            match left.iter().position(|other| *other == line) {
                Some(place) => drop(left.swap_remove(place)),
                None => text.push_str(&format!("{mark} {line}\n")),
            }
        }
    }
    text
}

/// A change of the usual configuration.
pub(crate) type Edit = fn(&mut Value);
