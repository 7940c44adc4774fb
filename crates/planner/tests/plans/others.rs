//! A container among the mounts of others.

use crate::support::{changes, hybrid, plan, usual};
use planner::Options;
use serde_json::{Value, json};

/// The usual configuration among the mounts of others, without what is refused there.
fn among_others(entry: Option<Value>) -> Value {
    let mut config = usual();
    let namespaces = config["linux"]["namespaces"].as_array_mut().expect("a list");
    namespaces.retain(|one| one["type"] != "mount");
    namespaces.extend(entry);
    config["linux"]["maskedPaths"] = json!([]);
    config["linux"]["readonlyPaths"] = json!([]);
    config
}

#[test]
fn others_keep_their_mounts() {
    let options = Options { mount_note: Some("/run/web/mount".into()), ..Options::default() };
    let planned = plan(&among_others(None), hybrid(), &options).unwrap();
    insta::assert_snapshot!("no_mount_namespace", changes(&planned));
    let error = plan(&among_others(None), hybrid(), &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/linux/namespaces: nobody would take off what is mounted for this container"
    );

    let mut config = among_others(Some(json!({ "type": "mount", "path": "/proc/7/ns/mnt" })));
    config["mounts"] = json!([]);
    let changes = changes(&plan(&config, hybrid(), &options).unwrap());
    let added: Vec<&str> = changes.lines().filter(|line| line.starts_with('+')).collect();
    insta::assert_snapshot!("joined_mount_namespace", added.join("\n"));
}
