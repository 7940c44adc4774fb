//! What this runtime can do, as data (features.md of the specification).

use plan::{Constant, NamespaceKind};
use serde_json::{Value, json};
use spec::{Capability, HookKind};

/// The features document.
pub(crate) fn features() -> Value {
    use NamespaceKind::{Cgroup, Ipc, Mount, Network, Pid, Time, User, Uts};
    json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": spec::VERSION,
        "hooks": HookKind::ALL.map(HookKind::name),
        "mountOptions": planner::mount_option_names(),
        "linux": {
            "namespaces": [Cgroup, Ipc, Mount, Network, Pid, Time, User, Uts],
            "capabilities": Capability::all().map(Capability::name).collect::<Vec<_>>(),
            "cgroup": { "v1": true, "v2": true, "systemd": true, "systemdUser": true, "rdma": true },
            "seccomp": {
                "enabled": true,
                "actions": seccomp::ACTIONS,
                "operators": seccomp::OPERATORS,
                "archs": seccomp::ARCHITECTURES,
                "knownFlags": seccomp::FLAGS,
                "supportedFlags": seccomp::FLAGS,
            },
            "apparmor": { "enabled": true },
            "selinux": { "enabled": true },
            "memoryPolicy": { "modes": names(&plan::MEMORY_MODES), "flags": names(&plan::MEMORY_FLAGS) },
            "intelRdt": { "enabled": true, "schemata": true, "monitoring": true },
            "mountExtensions": { "idmap": { "enabled": true } },
            "netDevices": { "enabled": true },
        },
    })
}

fn names(constants: &[Constant]) -> Vec<&'static str> {
    constants.iter().map(|constant| constant.name).collect()
}
