//! landlock(7).

use super::{Call, call, gives};
use crate::landlock::{FS, NET, SCOPE};
use crate::{Landlock, Op};

const RULESET: &str = "$ruleset";

pub(super) fn calls(op: &Op) -> Vec<Call> {
    let Op::Restrict { rules } = op else { unreachable!("not about Landlock") };
    let Landlock { fs, net, scopes, .. } = rules;
    let handled = format!(
        "{{handled_access_fs={}, handled_access_net={}, scoped={}}}, 24, 0",
        FS.names(*fs),
        NET.names(*net),
        SCOPE.names(*scopes)
    );
    let mut calls = vec![gives("landlock_create_ruleset", handled, RULESET)];
    for (path, access) in &rules.paths {
        calls.push(gives("openat", format!("AT_FDCWD, {path:?}, O_PATH|O_CLOEXEC"), "$path"));
        let rule = format!("{{allowed_access={}, parent_fd=$path}}", FS.names(*access));
        calls.push(call("landlock_add_rule", format!("{RULESET}, LANDLOCK_RULE_PATH_BENEATH, {rule}, 0")));
    }
    for (port, access) in &rules.ports {
        let rule = format!("{{allowed_access={}, port={port}}}", NET.names(*access));
        calls.push(call("landlock_add_rule", format!("{RULESET}, LANDLOCK_RULE_NET_PORT, {rule}, 0")));
    }
    calls.push(call("landlock_restrict_self", format!("{RULESET}, 0")));
    calls
}
