//! What the command line changes of the usual plan.

use crate::support::{changes, facts, hybrid, lines, plan, usual};
use planner::{Options, Request, RootSource, Start, Upper};
use serde_json::json;
use spec::Config;
use std::path::Path;

#[test]
fn the_usual_plan() {
    let planned = plan(&usual(), hybrid(), &Options::default()).unwrap();
    insta::assert_snapshot!("usual", plan::render::syscalls(&planned.plan));
}

#[test]
fn what_each_option_changes() {
    let place = || "/run/web".into();
    let overlay = |upper| Options {
        root: RootSource::Overlay { lower: "/srv/debian".into(), upper },
        ..Options::default()
    };
    let cases = [
        ("create", Options { start: Start::OnRequest, ..Options::default() }),
        ("under_init", Options { init: true, ..Options::default() }),
        ("no_pivot", Options { no_pivot: true, no_new_keyring: true, preserve_fds: 2, ..Options::default() }),
        ("overlay_in_memory", overlay(Upper::Memory { place: place() })),
        ("overlay_on_disk", overlay(Upper::Disk { place: place() })),
    ];
    for (name, options) in cases {
        insta::assert_snapshot!(name, changes(&plan(&usual(), hybrid(), &options).unwrap()));
    }
}

#[test]
fn criu_is_started_in_the_groups_and_on_the_root_of_the_container_that_it_restores() {
    let mut config = usual();
    config["linux"]["namespaces"][1]["path"] = json!("/run/netns/web");
    config["mounts"].as_array_mut().unwrap().extend([
        json!({ "destination": "/data", "type": "bind", "source": "data", "options": ["rbind"] }),
        json!({ "destination": "/dev/file", "type": "bind", "source": "/etc/hosts", "options": ["bind"] }),
    ]);
    let config: Config = serde_json::from_value(config).unwrap();
    let (facts, options, id) = (facts(hybrid()), Options::default(), "web".parse().unwrap());
    let request =
        Request { config: &config, facts: &facts, id: &id, bundle: Path::new("/b"), options: &options };
    let criu = planner::Criu { search: "/sbin", env: &["PATH=/sbin".to_owned()] };
    let planned = planner::restore(&request, Path::new("/run/web/root"), &criu).unwrap().planned;
    insta::assert_snapshot!("restore", lines(&planned).join("\n"));
    let planned =
        planner::Planned { plan: planner::criu(&criu).unwrap(), hooks: Vec::new(), notes: Vec::new() };
    insta::assert_snapshot!("checkpoint", lines(&planned).join("\n"));
}
