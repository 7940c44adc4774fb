//! Users, capabilities and labels.

use crate::support::refusal::Bad;
use serde_json::json;

pub(crate) const PRIVILEGES: &[Bad] = &[
    (
        |c| c["process"]["apparmorProfile"] = json!("web"),
        "/process/apparmorProfile: profile \"web\" cannot be entered: AppArmor is not on in this kernel\n  drop it, or boot with apparmor=1 security=apparmor",
    ),
    (
        |c| c["process"]["apparmorProfile"] = json!("a\nb"),
        "/process/apparmorProfile: \"a\\nb\" is no name\n  write it on one line",
    ),
    (
        |c| c["process"]["selinuxLabel"] = json!("u:r:t:s0"),
        "/process/selinuxLabel: label \"u:r:t:s0\" cannot be entered: SELinux is not on in this kernel\n  drop it, or load a policy",
    ),
    (
        |c| {
            for set in ["bounding", "effective", "inheritable", "permitted", "ambient"] {
                c["process"]["capabilities"][set] = json!(["CAP_UNKNOWN", "UNKNOWN_CAP"]);
            }
        },
        "/process/capabilities: not one of these is a capability: CAP_UNKNOWN, UNKNOWN_CAP\n  capabilities(7) has the list",
    ),
    (
        |c| c["process"]["user"]["umask"] = json!(1000),
        "/process/user/umask: 1000 (01750 in octal) is not from 0 to 0777\n  write it in decimal: 18 is 022",
    ),
];
