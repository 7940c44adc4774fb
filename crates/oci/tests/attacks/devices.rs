//! Device nodes of the host's disks and memory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use serde_json::json;
use testbed::{Scratch, run};

use crate::ground::{grant, works_without};
use crate::support::Case;

/// Whether the machine itself lets anybody open it.
fn opens(kind: &str, major: u32, minor: u32) -> bool {
    let place = Scratch::new();
    let node = place.path().join("node");
    run(Command::new("mknod").arg(&node).args([kind, &major.to_string(), &minor.to_string()])).ok();
    fs::File::open(&node).is_ok()
}

pub fn host_disk() {
    let device = fs::metadata("/").unwrap().dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let mut case = Case::probe();
    case.edit(|config| grant(config, &["CAP_MKNOD", "CAP_SYS_RAWIO", "CAP_DAC_OVERRIDE"]));
    let mut careless = Case::probe();
    careless.edit(|config| {
        grant(config, &["CAP_MKNOD", "CAP_SYS_RAWIO", "CAP_DAC_OVERRIDE"]);
        config["linux"]["resources"]["devices"] = json!([{ "allow": true, "access": "rwm" }]);
    });
    let mut opened = Vec::new();
    let block = [("b", major, minor), ("b", 7, 0), ("c", 1, 1), ("c", 1, 4), ("c", 10, 223)];
    for (kind, major, minor) in block {
        let numbers = [major.to_string(), minor.to_string()];
        if opens(kind, major, minor) {
            let verdict = careless.attempt(&["mknod", "/dev/node", kind, &numbers[0], &numbers[1]]);
            works_without("device rules", verdict.detail["open"] == "ok", verdict);
            opened.push((kind, major, minor));
        }
        let verdict = case.attempt(&["mknod", "/dev/shm/node", kind, &numbers[0], &numbers[1]]);
        // A file system that is mounted nodev refuses with EACCES; /dev itself is not.
        assert_eq!(
            (verdict.outcome.as_str(), &verdict.detail["open"]),
            ("ok", &json!("EACCES")),
            "{verdict:?}"
        );
        let verdict = case.attempt(&["mknod", "/dev/node", kind, &numbers[0], &numbers[1]]);
        assert_eq!(
            (verdict.outcome.as_str(), &verdict.detail["open"]),
            ("ok", &json!("EPERM")),
            "{verdict:?}"
        );
    }
    works_without("device rules", !opened.is_empty(), opened);
    // Without the capability there is no node at all.
    assert_eq!(Case::probe().attempt(&["mknod", "/dev/node", "b", "7", "0"]).outcome, "EPERM");
}
