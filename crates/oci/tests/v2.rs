//! cgroup v2, in a kernel of its own: an older one (6.1) at that, so that calls which only newer kernels take are
//! noticed, too.

use serde_json::json;
use std::process::ExitCode;
use testbed::kernel::{Kernel, V2};
use testbed::{Bundle, Trial, binary, trial};

fn main() -> ExitCode {
    testbed::main(tests())
}

fn tests() -> Vec<Trial> {
    vec![trial(
        "a container on cgroup v2 is born in its group, with its limits",
        Kernel::UserMode.needs(),
        on_v2,
    )]
}

/// What the container prints: its group, its limits, its devices.
const INSIDE: &str = "cat /proc/self/cgroup; cd /sys/fs/cgroup; for f in memory.max pids.max cpu.max; do echo $f $(cat $f); done; \
     echo x > /dev/null && echo null works; \
     mknod /dev/disk b 98 0 && ! dd if=/dev/disk of=/dev/null count=1 2>/dev/null && echo disk does not";

fn on_v2() {
    let mut bundle = Bundle::busybox();
    bundle.edit(|config| {
        config["process"]["args"] = json!(["sh", "-c", INSIDE]);
        config["process"]["terminal"] = json!(false);
        config["process"]["capabilities"] =
            json!({ "bounding": ["CAP_MKNOD"], "effective": ["CAP_MKNOD"], "permitted": ["CAP_MKNOD"] });
        config["linux"]["resources"] = json!({
            "memory": { "limit": 67_108_864 },
            "pids": { "limit": 7 },
            "cpu": { "quota": 50_000, "period": 100_000 },
        });
        config["linux"].as_object_mut().expect("an object").remove("cgroupsPath");
    });
    let script = format!(
        "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /mnt && cp -a {} /mnt/bundle && cd /mnt/bundle\n\
         {1} run web && echo ended well\n\
         {1} --systemd-cgroup run web 2>&1 || echo refused without systemd\n\
         ls -d /sys/fs/cgroup/cuddy-* || echo nothing left",
        bundle.path().display(),
        binary("cuddy-oci").display(),
    );
    let console = Kernel::UserMode.boot(V2, &script).expect("a kernel that boots");
    for expected in [
        "0::/",
        "memory.max 67108864",
        "pids.max 7",
        "cpu.max 50000 100000",
        "null works",
        "disk does not",
        "ended well",
        "cuddy-oci: error: cannot start web: systemd cannot be reached: tried the bus at /run/dbus/system_bus_socket: \
         no such file or directory, and /run/systemd/private: no such file or directory",
        "refused without systemd",
        "nothing left",
    ] {
        assert!(
            console.lines().any(|line| line == expected),
            "no line {expected:?} on the console:\n{console}"
        );
    }
}
