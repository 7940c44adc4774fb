//! Mounts with mapped owners (config.md, `idmap` and `ridmap`).

mod support;

use std::fs;
use std::os::unix::fs::chown;
use std::process::ExitCode;

use rustix::mount::{MountFlags, mount};
use serde_json::{Value, json};
use support::refusal::says;
use support::{Case, HOST_ID, map_ids};
use testbed::{Need, Scratch, trial};

fn main() -> ExitCode {
    let busybox = [Need::Root, Need::Program("busybox")];
    testbed::main([
        trial("owners are mapped as the mount says", busybox.clone(), own_mappings),
        trial("a user namespace maps the owners of its mounts", busybox.clone(), user_namespace),
        trial("a user namespace without maps has root alone", busybox.clone(), no_maps),
        trial("a joined user namespace maps them, too", busybox.clone(), joined),
        trial("ridmap is for all mounts below, idmap is not", [Need::Root, Need::Kernel(6, 3)], recursive),
        trial("a new file system has mapped owners", [Need::Root, Need::Kernel(6, 3)], new_file_system),
        trial("what cannot be mapped is refused by its name", busybox, refused),
    ])
}

fn add(case: &mut Case, mount: Value) {
    case.edit(|config| config["mounts"].as_array_mut().unwrap().push(mount));
}

fn ids(inside: u32, outside: u32) -> Value {
    json!([{ "containerID": inside, "hostID": outside, "size": 10 }])
}

/// A directory with a file of 0:0 and one of 5:6.
fn files() -> Scratch {
    let scratch = Scratch::new();
    fs::set_permissions(scratch.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (name, user, group) in [("root", 0, 0), ("five", 5, 6)] {
        let file = scratch.path().join(name);
        fs::write(&file, "").unwrap();
        chown(&file, Some(user), Some(group)).unwrap();
    }
    scratch
}

/// The owners of these files, as the container sees them.
#[track_caller]
fn owners(case: &mut Case, files: &[&str]) -> String {
    let done = case.args(&[&["stat", "-c", "%u:%g"], files].concat()).run().ok();
    done.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn own_mappings() {
    let files = files();
    let (up, down) = (ids(0, 1000), ids(5, 0));
    // What is asked for, and the owners of the two files.
    let cases = [
        (
            json!({ "options": ["bind", "idmap"], "uidMappings": up, "gidMappings": up }),
            "1000:1000 1005:1006",
        ),
        (
            json!({ "options": ["rbind", "ridmap"], "uidMappings": up, "gidMappings": up }),
            "1000:1000 1005:1006",
        ),
        (json!({ "options": ["bind"], "uidMappings": up, "gidMappings": up }), "1000:1000 1005:1006"),
        // Ids that have no mapping are nobody's.
        (
            json!({ "options": ["bind", "idmap"], "uidMappings": down, "gidMappings": up }),
            "65534:1000 0:1006",
        ),
        (json!({ "options": ["bind", "idmap=uids=0-7-1#5-9-1;gids=0-2000-10"] }), "7:2000 9:2006"),
        (json!({ "options": ["bind"] }), "0:0 5:6"),
    ];
    for (mut entry, expect) in cases {
        let mut case = Case::busybox();
        entry["destination"] = json!("/tmp");
        entry["source"] = json!(files.path());
        add(&mut case, entry.clone());
        assert_eq!(owners(&mut case, &["/tmp/root", "/tmp/five"]), expect, "{entry}");
    }
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&files.path().join("five").metadata().unwrap()), 5);
}

fn user_namespace() {
    let files = files();
    let shifted = ids(0, HOST_ID + 3);
    let cases = [
        (json!({ "options": ["bind"] }), "65534:65534 65534:65534"),
        (json!({ "options": ["bind", "idmap"] }), "0:0 5:6"),
        (json!({ "options": ["rbind", "ridmap", "ro"] }), "0:0 5:6"),
        (json!({ "options": ["bind", "idmap"], "uidMappings": shifted, "gidMappings": shifted }), "3:3 8:9"),
        (json!({ "options": ["bind", "idmap=uids=@0-3-10;gids=@0-3-10"] }), "3:3 8:9"),
    ];
    for (mut entry, expect) in cases {
        let mut case = Case::busybox();
        map_ids(&mut case);
        entry["destination"] = json!("/tmp");
        entry["source"] = json!(files.path());
        add(&mut case, entry.clone());
        assert_eq!(owners(&mut case, &["/tmp/root", "/tmp/five"]), expect, "{entry}");
    }
    // What its root makes there belongs to the machine's root.
    let mut case = Case::busybox();
    map_ids(&mut case);
    add(&mut case, json!({ "destination": "/tmp", "source": files.path(), "options": ["bind", "idmap"] }));
    case.args(&["touch", "/tmp/new"]).run().ok();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&files.path().join("new").metadata().unwrap()), 0);
}

fn joined() {
    let files = files();
    let mut first = Case::busybox();
    map_ids(&mut first);
    first.args(&["/bin/probe", "sleep"]).detach();
    let namespace = format!("/proc/{}/ns/user", first.pid());
    let mut case = Case::busybox();
    map_ids(&mut case);
    case.edit(|config| {
        support::set_namespace(config, "user", Some(json!({ "type": "user", "path": namespace })));
        config["linux"].as_object_mut().unwrap().retain(|name, _| !name.ends_with("idMappings"));
    });
    add(&mut case, json!({ "destination": "/tmp", "source": files.path(), "options": ["bind", "idmap"] }));
    assert_eq!(owners(&mut case, &["/tmp/root", "/tmp/five"]), "0:0 5:6");
}

fn recursive() {
    let files = files();
    let below = files.path().join("below");
    fs::create_dir(&below).unwrap();
    mount("tmpfs", &below, "tmpfs", MountFlags::empty(), None).unwrap();
    fs::write(below.join("file"), "").unwrap();
    for (option, expect) in [("idmap", "1000:1000 0:0"), ("ridmap", "1000:1000 1000:1000")] {
        let mut case = Case::busybox();
        let map = ids(0, 1000);
        let options = json!(["rbind", option]);
        add(
            &mut case,
            json!({
                "destination": "/tmp", "source": files.path(), "options": options, "uidMappings": map,
                "gidMappings": map,
            }),
        );
        assert_eq!(owners(&mut case, &["/tmp/root", "/tmp/below/file"]), expect, "{option}");
    }
}

fn new_file_system() {
    let mut case = Case::busybox();
    let map = ids(0, 1000);
    add(
        &mut case,
        json!({
            "destination": "/tmp", "type": "tmpfs", "source": "x", "options": ["idmap"], "uidMappings": map,
            "gidMappings": map,
        }),
    );
    assert_eq!(owners(&mut case, &["/tmp"]), "1000:1000");
}

fn refused() {
    let map = ids(0, 1000);
    let mut case = Case::busybox();
    add(
        &mut case,
        json!({
            "destination": "/tmp", "source": "/sys/kernel", "options": ["bind", "idmap"], "uidMappings": map,
            "gidMappings": map,
        }),
    );
    says(
        &case,
        case.run(),
        "map the owners of the mount on /tmp: invalid argument (step S of N, from /mounts/7)\n  the file system or this kernel cannot show mapped owners, or it is mapped already; drop idmap, or keep the source on another file system",
    );
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn no_maps() {
    let files = files();
    let mut case = Case::busybox();
    case.edit(|config| {
        support::set_namespace(config, "user", Some(json!({ "type": "user" })));
        // The group of terminals has no id there.
        config["mounts"].as_array_mut().unwrap().retain(|mount| mount["type"] != "devpts");
    });
    add(&mut case, json!({ "destination": "/tmp", "source": files.path(), "options": ["bind", "ro"] }));
    assert_eq!(owners(&mut case, &["/tmp/root", "/tmp/five"]), "0:0 65534:65534");
    let done = case.args(&["cat", "/proc/self/uid_map"]).run().ok();
    assert_eq!(done.stdout.split_whitespace().collect::<Vec<_>>(), ["0", "0", "1"]);
    assert!(done.stderr.contains("/linux/uidMappings: there are none"), "{done:#?}");
}
