//! Limits and groups, by layout and by who makes them.

use crate::support::{changes, facts, hybrid, plan, plan_on, unified, usual, v1};
use plan::facts::{CgroupLayout, HostFacts, Systemd};
use planner::{CgroupManager, Options};
use serde_json::json;

#[test]
fn systemd_makes_the_groups() {
    let mut config = usual();
    config["linux"]["cgroupsPath"] = json!("machine.slice:x:web");
    config["linux"]["resources"] = json!({
        "memory": { "limit": 1 << 20 }, "pids": { "limit": 5 }, "hugepageLimits": [{ "pageSize": "2MB", "limit": 0 }],
    });
    let options = Options { cgroup_manager: CgroupManager::Systemd, ..Options::default() };
    let mut with_systemd = hybrid();
    with_systemd.v1.push(v1(&["name=systemd"], "/cg/systemd"));
    let mut pages = unified();
    pages.v2.as_mut().expect("v2").controllers.push("hugetlb".into());
    for (name, layout) in [("units_on_v2", pages), ("units_on_a_hybrid_machine", with_systemd)] {
        let systemd = Some(Systemd { version: 252, group: "/".into(), ..Systemd::default() });
        let planned = plan_on(&config, &HostFacts { systemd, ..facts(layout) }, &options).unwrap();
        let start = planned.plan.host.0.iter().find(|step| matches!(step.op, plan::Op::StartUnit { .. }));
        let command = plan::render::shell(&start.expect("a unit is started").op).command;
        insta::assert_snapshot!(name, format!("{}$ {command}", changes(&planned)));
    }
}

#[test]
fn limits_go_where_the_machine_has_their_controller() {
    let mut config = usual();
    config["linux"]["resources"] = json!({
        "memory": { "limit": 67_108_864 }, "pids": { "limit": 7 },
        "devices": [{ "allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw" }],
    });
    for (name, layout) in [("limits_on_a_hybrid_machine", hybrid()), ("limits_on_v2", unified())] {
        insta::assert_snapshot!(name, changes(&plan(&config, layout, &Options::default()).unwrap()));
    }
}

#[test]
fn joint_hierarchies_have_a_link_for_each_controller() {
    let mut layout = hybrid();
    layout.v1.push(v1(&["cpu", "cpuacct"], "/cg/cpu,cpuacct"));
    insta::assert_snapshot!(
        "joint_hierarchies",
        changes(&plan(&usual(), layout, &Options::default()).unwrap())
    );
    let mut config = usual();
    config["mounts"][4]["type"] = json!("cgroup2");
    let planned = plan(&config, hybrid(), &Options::default()).unwrap();
    insta::assert_snapshot!("cgroup2_beside_v1", changes(&planned));
    let no_v2 = CgroupLayout { v2: None, ..hybrid() };
    let error = plan(&config, no_v2, &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "/mounts/4/type: this machine has no cgroup v2 hierarchy");
}
