//! Engines on cgroup v2 alone, in a kernel of their own that has neither overlay nor networks.

use testbed::kernel::{Kernel, V2};
use testbed::{Scratch, binary};

use crate::image::{self, IMAGE};
use crate::podman::CONTAINERS_CONF;

/// What both engines say and do alike, with limits read from inside.
const STEPS: &str = r#"
limits() { $engine exec web cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max /proc/self/cgroup; }
$engine load --quiet --input /usr/local/sbin/image.tar
$engine run --rm --network host $image sh -c 'echo ran; exit 7' || echo code $?
$engine run --detach --network host --name web --memory 64m --stop-timeout 0 $image sleep 1000 >/dev/null
limits
$engine pause web && grep -h frozen $(find /sys/fs/cgroup -path '*/engine' -prune -o -name cgroup.events -print) | sort -u
$engine unpause web
$engine update --memory 32m --memory-swap 32m --cpus 0.5 web >/dev/null
limits
$engine rm --force web
find /sys/fs/cgroup -mindepth 2 -type d | grep -v conmon
echo the end
"#;

fn check(engine: &str, configure: &str) {
    let scratch = Scratch::new();
    let archive = image::archive(scratch.path());
    let script = format!(
        "RUNTIME={} IMAGE={} engine={engine} image={IMAGE}\n{}\n{configure}\n{STEPS}",
        binary("cuddy-oci").display(),
        archive.display(),
        include_str!("v2.sh"),
    );
    let console = Kernel::UserMode.boot(V2, &script).expect("a kernel that boots");
    let said: Vec<_> = console.lines().skip_while(|line| *line != "ran").collect();
    let limits = |memory, cpu| [memory, cpu, "0::/"];
    let expected = [
        &["ran", "code 7"][..],
        &limits("67108864", "max 100000"),
        &["web", "frozen 0", "frozen 1", "web"],
        &limits("33554432", "50000 100000"),
        &["web", "the end"],
    ];
    assert!(said.starts_with(&expected.concat()), "{console}");
}

/// Where podman keeps images in a kernel without overlay.
pub const STORAGE_CONF: &str =
    "[storage]\ndriver = \"vfs\"\nrunroot = \"/run/storage\"\ngraphroot = \"/var/lib/storage\"";

pub fn podman() {
    check(
        "podman",
        &format!(
            "cat >/etc/containers/containers.conf <<'END'\n{CONTAINERS_CONF}\nEND\n\
             cat >/etc/containers/storage.conf <<'END'\n{STORAGE_CONF}\nEND"
        ),
    );
}

pub fn docker() {
    let daemon = r#"{
        "runtimes": { "cuddy": { "path": "/usr/local/sbin/cuddy-oci" } }, "default-runtime": "cuddy",
        "exec-opts": ["native.cgroupdriver=cgroupfs"], "storage-driver": "vfs", "iptables": false, "bridge": "none"
    }"#;
    check(
        "docker",
        &format!(
            "echo '{daemon}' >/etc/docker/daemon.json\n\
             dockerd >/run/dockerd.log 2>&1 &\n\
             while ! docker version >/dev/null 2>&1; do sleep 0.2; kill -0 $! || {{ cat /run/dockerd.log; exit; }}; done"
        ),
    );
}
