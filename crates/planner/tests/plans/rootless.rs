//! Plans for an ordinary user.

use crate::support::{facts, hybrid, plan_on, usual};
use plan::facts::HostFacts;
use planner::Options;
use serde_json::{Value, json};
use spec::CapabilitySet;

/// An ordinary user, with newuidmap(1) and without newgidmap(1).
fn user() -> HostFacts {
    let rootless = plan::facts::Rootless {
        setgroups: true,
        oom_score_adj: 100,
        newuidmap: Some("/usr/bin/newuidmap".into()),
        closed: vec!["/cg/memory".into(), "/cg/devices".into(), "/cg/pids".into(), "/cg/unified".into()],
        ..Default::default()
    };
    let capabilities = CapabilitySet::EMPTY;
    HostFacts { uid: 1000, gid: 100, capabilities, rootless: Some(rootless), ..facts(hybrid()) }
}

/// A configuration of `spec --rootless`, with these ids.
fn mapped(users: Value, groups: Value) -> Value {
    let mut config = usual();
    let namespaces = config["linux"]["namespaces"].as_array_mut().expect("a list");
    namespaces.push(json!({ "type": "user" }));
    config["linux"]["uidMappings"] = users;
    config["linux"]["gidMappings"] = groups;
    config["linux"].as_object_mut().expect("an object").remove("resources");
    for mount in config["mounts"].as_array_mut().expect("a list") {
        if let Some(options) = mount["options"].as_array_mut() {
            options.retain(|option| option != "gid=5");
        }
    }
    config
}

#[test]
fn an_ordinary_user_maps_the_own_id_and_leaves_more_to_others() {
    let own = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
    let more = json!([{ "containerID": 0, "hostID": 1000, "size": 1 }, { "containerID": 1, "hostID": 5000, "size": 9 }]);
    let maps = |config: &Value| -> Result<Vec<String>, String> {
        let planned = plan_on(config, &user(), &Options::default()).map_err(|error| error.to_string())?;
        let about = |step: &plan::Step| {
            matches!(
                step.op,
                plan::Op::WriteIdMap { .. } | plan::Op::RunIdMapper { .. } | plan::Op::DenySetgroups
            )
        };
        let steps = planned.plan.host.0.iter().filter(|step| about(step));
        Ok(steps.map(|step| step.op.to_string()).collect())
    };
    assert_eq!(
        maps(&mapped(own(1000), own(100))).unwrap(),
        ["map user ids", "deny setgroups", "map group ids"]
    );
    assert_eq!(
        maps(&mapped(more.clone(), own(100))).unwrap(),
        ["map user ids with /usr/bin/newuidmap", "deny setgroups", "map group ids"]
    );
    let missing = "/linux/gidMappings: more than the own id is mapped, and newgidmap is not installed";
    assert_eq!(maps(&mapped(own(1000), more)).unwrap_err(), missing);
    let mut limited = mapped(own(1000), own(100));
    limited["linux"]["resources"] = json!({ "memory": { "limit": 1_000_000 } });
    let refused = "/linux/resources/memory/limit: cannot be set: the cgroup /cg/memory/cuddy-web cannot be made by this user";
    assert_eq!(maps(&limited).unwrap_err(), refused);
}

#[test]
fn an_ordinary_user_has_no_groups_and_init_opens_what_is_the_machines() {
    let own = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
    let planned = plan_on(&mapped(own(1000), own(100)), &user(), &Options::default()).expect("a plan");
    assert_eq!(planned.plan.undo, []);
    let copies = |steps: &[plan::Step]| {
        steps.iter().filter(|step| matches!(step.op, plan::Op::CloneTree { .. })).count()
    };
    assert_eq!(copies(&planned.plan.host.0), 0);
    let init = &planned.plan.init.0;
    let root =
        init.iter().position(|step| matches!(step.op, plan::Op::SetUid { .. })).expect("init becomes root");
    assert!(copies(&init[..root]) > 1, "the root and the devices");
}
