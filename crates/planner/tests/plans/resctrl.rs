//! `linux.intelRdt`: which groups of resctrl are made, written, joined and removed (config-linux.md, "IntelRdt"). What a
//! configuration asks for is known without a processor that has them.

use crate::support::{facts, plan_on, usual};
use plan::facts::{CgroupLayout, HostFacts, Resctrl};
use planner::{CgroupManager, Options};
use serde_json::{Value, json};

/// The steps that are about resctrl, as shell, and what is undone; or the refusal.
fn steps(asked: &Value, groups: &[&str]) -> Result<Vec<String>, String> {
    let mut config = usual();
    config["linux"]["intelRdt"] = asked.clone();
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    let resctrl = Some(Resctrl { mount: "/r".into(), groups });
    let facts = HostFacts { resctrl, ..facts(CgroupLayout::default()) };
    let options = Options { cgroup_manager: CgroupManager::Disabled, ..Options::default() };
    let planned = plan_on(&config, &facts, &options).map_err(|error| error.to_string())?;
    let calls = planned.plan.host.0.iter().flat_map(|step| plan::render::calls(&step.op));
    let calls =
        calls.map(|call| call.to_string()).filter(|call| !call.starts_with("openat(AT_FDCWD, \"/proc"));
    let about = calls.skip_while(|call| !call.contains("\"/r")).take_while(|call| !call.contains("$channel"));
    let undone = planned.plan.undo.iter().map(|undo| format!("undo: {undo}"));
    Ok(about.filter(|call| !call.starts_with("write($state")).chain(undone).collect())
}

const MADE: [&str; 6] = [
    "mkdir(\"/r/web\", 0755)",
    "openat(AT_FDCWD, \"/r/web/schemata\", O_WRONLY|O_CLOEXEC) = $file",
    "write($file, \"L3:0=f\\nMB:0=20\")",
    "openat(AT_FDCWD, \"/r/web/tasks\", O_WRONLY|O_CLOEXEC) = $file",
    "write($file, $init_pid)",
    "undo: remove the resctrl group /r/web",
];

#[test]
fn a_group_is_made_unless_it_is_named_and_there() {
    let both = json!({ "l3CacheSchema": "L3:0=f\nMB:0=10", "memBwSchema": "MB:0=20" });
    assert_eq!(steps(&both, &[]).unwrap(), MADE);

    let named = steps(&json!({ "closID": "gold" }), &["gold"]).unwrap();
    assert_eq!(named, ["openat(AT_FDCWD, \"/r/gold/tasks\", O_WRONLY|O_CLOEXEC) = $file", MADE[4]]);

    let compared = steps(&json!({ "closID": "gold", "schemata": ["L3:0=f"] }), &["gold"]).unwrap();
    assert_eq!(compared.len(), 4, "{compared:#?}");
    assert_eq!(compared[1], "read($file, \"L3:0=f\")");
}

#[test]
fn what_is_counted_alone_is_in_a_group_below() {
    let counted = steps(&json!({ "closID": "gold", "enableMonitoring": true }), &["gold"]).unwrap();
    assert_eq!(counted[2], "mkdir(\"/r/gold/mon_groups/web\", 0755)");
    assert_eq!(counted[5], "undo: remove the resctrl group /r/gold/mon_groups/web");
}

#[test]
fn what_cannot_be_had_is_refused() {
    for (asked, groups, refusal) in [
        (json!({ "closID": "gold" }), &[][..], "/linux/intelRdt/closID: there is no group gold below /r"),
        (json!({ "closID": "a/b" }), &[], "/linux/intelRdt/closID: \"a/b\" is no name of a group"),
        (json!({}), &["web"], "/linux/intelRdt: /r has a group web already"),
    ] {
        assert_eq!(steps(&asked, groups).unwrap_err(), refusal);
    }
}
