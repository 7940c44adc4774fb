//! Labels of SELinux and profiles of AppArmor, where their modules are on and where they are not.

use crate::support::{changes, facts, hybrid, plan, plan_on, usual};
use plan::facts::HostFacts;
use planner::Options;
use serde_json::json;

#[test]
fn labels_are_entered_where_their_module_is_on() {
    let mut config = usual();
    config["process"]["apparmorProfile"] = json!("web");
    config["process"]["selinuxLabel"] = json!("u:r:web_t:s0");
    let mut facts = facts(hybrid());
    (facts.apparmor, facts.selinux) = (true, true);
    let planned = plan_on(&config, &facts, &Options::default()).unwrap();
    insta::assert_snapshot!("labels", changes(&planned));

    let mut config = usual();
    config["process"]["apparmorProfile"] = json!("unconfined");
    let planned = plan(&config, hybrid(), &Options::default()).unwrap();
    assert_eq!(changes(&planned), "", "everybody is, without AppArmor");
}

#[test]
fn labels_are_options_of_new_file_systems_where_selinux_is_on() {
    let mut config = usual();
    config["linux"]["mountLabel"] = json!("system_u:object_r:container_file_t:s0");
    let facts = HostFacts { selinux: true, ..facts(hybrid()) };
    let planned = plan_on(&config, &facts, &Options::default()).unwrap();
    insta::assert_snapshot!("labels_of_mounts", changes(&planned));
}
