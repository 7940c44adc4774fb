//! Programs that give privileges.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::json;
use testbed::{copy_program, run};

use crate::ground::works_without;
use crate::support::Case;

pub fn setuid() {
    for (no_new_privs, effective) in [(true, 1000), (false, 0)] {
        let mut case = Case::probe();
        let program = case.bundle.rootfs().join("bin/suid");
        copy_program(&case.bundle.rootfs().join("bin/probe"), &program);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o6755)).unwrap();
        case.edit(|config| {
            config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 });
            config["process"]["noNewPrivileges"] = json!(no_new_privs);
        });
        case.args(&["/bin/suid"]);
        let report: probe::Report = case.run().ok().json();
        assert_eq!((report.ids.uids[0], report.ids.uids[1]), (1000, effective));
        // Even then it has no more than the bounding set.
        assert!(!report.capabilities.permitted.contains("CAP_SYS_ADMIN"));
    }
}

/// A program with capabilities of its own (capabilities(7), "File capabilities").
fn with_capabilities(text: &str, bounding: &[&str], no_new_privs: bool) -> Case {
    let mut case = Case::probe();
    let program = case.bundle.rootfs().join("bin/capable");
    copy_program(&case.bundle.rootfs().join("bin/probe"), &program);
    run(Command::new("setcap").arg(text).arg(&program)).ok();
    case.edit(|config| {
        config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 });
        config["process"]["noNewPrivileges"] = json!(no_new_privs);
        config["process"]["capabilities"] = json!({ "bounding": bounding });
    });
    case.args(&["/bin/capable"]);
    case
}

pub fn file_capabilities() {
    let permitted = |case: Case| case.run().ok().json::<probe::Report>().capabilities.permitted;
    let net_raw = ["CAP_NET_RAW"];
    let names = crate::support::names(&net_raw);
    // They work, as ping has to.
    assert_eq!(permitted(with_capabilities("cap_net_raw+ep", &net_raw, false)), names);
    // No new privileges means these, too.
    assert!(permitted(with_capabilities("cap_net_raw+ep", &net_raw, true)).is_empty());
    // What is beyond the bounding set nobody gets, however they ask.
    let case = with_capabilities("cap_net_raw,cap_sys_admin+p", &net_raw, false);
    assert_eq!(permitted(case), names);
    let done = with_capabilities("cap_net_raw,cap_sys_admin+ep", &net_raw, false).run();
    assert_ne!(done.code(), 0, "{done:#?}");
    let case = with_capabilities("cap_net_raw,cap_sys_admin+ep", &["CAP_NET_RAW", "CAP_SYS_ADMIN"], false);
    let has = permitted(case);
    works_without("the bounding set", has.contains("CAP_SYS_ADMIN"), has);
}
