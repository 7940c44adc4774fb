//! The `config.json` that `spec` writes to start from.

use runtime::Error;
use serde_json::{Value, json};
use std::path::Path;

/// Writes the template into a bundle that has no configuration yet.
pub(crate) fn write(bundle: &Path, rootless: bool) -> Result<(), Error> {
    let path = bundle.join("config.json");
    let text = serde_json::to_string_pretty(&config(rootless)).unwrap_or_default();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(|error| Error::writing(&path, error))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| Error::writing(&path, error))
}

fn config(rootless: bool) -> Value {
    let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];
    let mut config = json!({
        "ociVersion": spec::VERSION,
        "process": {
            "terminal": true,
            "user": { "uid": 0, "gid": 0 },
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {
                "bounding": capabilities,
                "effective": capabilities,
                "permitted": capabilities,
            },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }],
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": "cuddy",
        "mounts": mounts(),
        "linux": {
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "namespaces": namespaces(),
            "maskedPaths": [
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
            ],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    });
    if rootless {
        let own = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
        config["linux"]["uidMappings"] = own(rustix::process::getuid().as_raw());
        config["linux"]["gidMappings"] = own(rustix::process::getgid().as_raw());
        config["linux"]["namespaces"]
            .as_array_mut()
            .into_iter()
            .for_each(|list| list.push(json!({ "type": "user" })));
    }
    config
}

/// As runc's: a cgroup namespace where v2 is all there is.
fn namespaces() -> Value {
    let unified = host::cgroups().is_ok_and(|layout| layout.is_unified());
    let kinds = ["pid", "network", "ipc", "uts", "mount"].into_iter().chain(unified.then_some("cgroup"));
    kinds.map(|kind| json!({ "type": kind })).collect()
}

fn mounts() -> Value {
    let mount = |destination: &str, kind: &str, source: &str, options: &[&str]| json!({ "destination": destination, "type": kind, "source": source, "options": options });
    let devpts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"];
    json!([
        mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/dev/pts", "devpts", "devpts", &devpts),
        mount("/dev/shm", "tmpfs", "shm", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        mount("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"]),
    ])
}
