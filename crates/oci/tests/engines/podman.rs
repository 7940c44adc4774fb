//! podman, and what it does beyond Docker's commands.

use crate::cli::Cli;
use crate::image::IMAGE;
use crate::life::nothing_left;
use crate::options::check;
use crate::stage::{RUNTIME, Stage};
use crate::support::eventually;

/// The configuration that `docs/engines.md` shows. `default_ulimits` as podman would raise hard limits otherwise, which takes
/// CAP_SYS_RESOURCE; cgroupfs and files as there is no systemd on the stage.
pub const CONTAINERS_CONF: &str = r#"
[containers]
default_ulimits = []
netns = "none"

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "cuddy"
runtime_supports_json = ["crun", "runc", "cuddy"]
runtime_supports_nocgroup = ["crun", "cuddy"]

[engine.runtimes]
cuddy = ["/usr/local/sbin/cuddy-oci"]
"#;

/// podman on a stage.
pub fn podman() -> Cli {
    let stage = Stage::new();
    configure(&stage);
    Cli::new("podman", stage)
}

/// The files that podman and buildah read.
pub fn configure(stage: &Stage) {
    stage.write("/etc/containers/containers.conf", CONTAINERS_CONF);
    let storage = "[storage]\ndriver = \"overlay\"\nrunroot = \"/run/containers/storage\"\ngraphroot = \"/var/lib/containers/storage\"\n";
    stage.write("/etc/containers/storage.conf", storage);
    stage.write("/etc/containers/policy.json", r#"{ "default": [{ "type": "insecureAcceptAnything" }] }"#);
}

/// The runtime can be named for one command, by its path, without any configuration of it.
pub fn runtime_by_path(podman: &Cli) {
    let by_path = podman.does(&["--runtime", RUNTIME, "run", "--rm", IMAGE, "echo", "hi"]).ok();
    assert_eq!(by_path.stdout, "hi\n");
    assert_eq!(podman.ok(&["info", "--format", "{{.Host.OCIRuntime.Path}}"]), RUNTIME);
}

/// A pod with podman's own infra container, whose namespaces the others join by path.
pub fn pod(podman: &Cli) {
    podman.ok(&["pod", "create", "--name", "pod", "--share", "net,ipc,uts,pid"]);
    let infra = podman.ok(&["pod", "inspect", "--format", "{{.InfraContainerID}}", "pod"]);
    let one = podman.detached("one", &["--pod", "pod"], &["sleep", "1001"]);
    let two = podman.detached("two", &["--pod", "pod"], &["sleep", "1002"]);
    let links = |name: &str| {
        let script = "for n in net ipc uts pid mnt; do readlink /proc/self/ns/$n; done";
        podman.ok(&["exec", name, "sh", "-c", script]).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second) = (links("one"), links("two"));
    assert_eq!(first[..4], second[..4]);
    assert_ne!(first[4], second[4], "mounts are each one's own");
    let seen = podman.ok(&["exec", "two", "ps"]);
    assert!(seen.contains("sleep 1001") && seen.contains("sleep 1002"), "{seen}");

    podman.ok(&["pod", "pause", "pod"]);
    assert_eq!(podman.status("one"), "paused");
    podman.ok(&["pod", "unpause", "pod"]);
    assert_eq!(podman.status("one"), "running");
    assert!(podman.ok(&["pod", "top", "pod"]).contains("sleep 1002"));
    podman.ok(&["pod", "stop", "--time", "0", "pod"]);
    eventually("it is noted that it has ended", || podman.status("two") == "exited");
    podman.ok(&["pod", "rm", "pod"]);
    for id in [&infra, &one, &two] {
        nothing_left(&podman.stage, id);
    }
}

/// A pod as Kubernetes writes it, with an init container, limits and a volume.
pub fn kube(podman: &Cli) {
    let yaml = format!(
        r#"
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: {{ io.podman.annotations.init.container.type: always }}
spec:
  volumes:
  - name: shared
    emptyDir: {{}}
  initContainers:
  - name: first
    image: {IMAGE}
    command: [sh, -c, "echo ready > /shared/state"]
    volumeMounts: [{{ name: shared, mountPath: /shared }}]
  containers:
  - name: main
    image: {IMAGE}
    command: [sleep, "1000"]
    securityContext: {{ runAsUser: 1000, readOnlyRootFilesystem: true, capabilities: {{ drop: [ALL] }} }}
    resources: {{ limits: {{ memory: 64Mi, cpu: 500m }} }}
    volumeMounts: [{{ name: shared, mountPath: /shared }}]
"#
    );
    podman.stage.write("/run/pod.yaml", &yaml);
    podman.ok(&["play", "kube", "/run/pod.yaml"]);
    let exec = |script: &str| podman.ok(&["exec", "web-main", "sh", "-c", script]);
    assert_eq!(
        exec("cat /shared/state; id -u; touch /x 2>/dev/null || echo refused"),
        "ready\n1000\nrefused"
    );
    assert_eq!(exec("sed -n 's/^CapBnd:\\t//p' /proc/self/status"), "0000000000000000");
    podman.ok(&["play", "kube", "--down", "/run/pod.yaml"]);
    assert_eq!(podman.ok(&["ps", "--all", "--quiet"]), "");
}

/// Options that Docker does not have.
pub fn options(podman: &Cli) {
    let root = podman.stage.shared("rootfs");
    let root = root.to_str().expect("a path of ours");
    check(
        podman,
        &[
            (&["--umask", "077"], "umask", "0077"),
            (&["--tz", "UTC", "--env", "A=b"], "echo $A", "b"),
            (&["--security-opt", "unmask=ALL"], "grep -c ' /proc/' /proc/mounts || true", "0"),
            (&["--security-opt", "mask=/etc"], "ls /etc | wc -l", "0"),
            (
                &["--security-opt", "proc-opts=hidepid=2"],
                r"sed -n 's/^proc .proc .*\(hidepid=[a-z]*\).*/\1/p' /proc/mounts",
                "hidepid=invisible",
            ),
            (&["--cgroups", "no-conmon"], "echo ran", "ran"),
            (&["--cgroups", "disabled"], "grep -c libpod- /proc/self/cgroup || true", "0"),
            (&["--log-driver", "none"], "echo ran", "ran"),
            (&["--systemd", "always"], "grep -c -E ' /(run|tmp|run/lock) tmpfs' /proc/mounts", "3"),
            (
                &["--mount", "type=tmpfs,destination=/data,tmpcopyup"],
                "grep -c ' /data tmpfs' /proc/mounts",
                "1",
            ),
            (&["--pid", "private", "--blkio-weight", "100"], "echo ran", "ran"),
        ],
    );
    podman.ok(&["create", "--name", "template", IMAGE]);
    let mounted = podman.ok(&["mount", "template"]);
    podman.stage.run(&["cp", "-a", &mounted, root]).ok();
    podman.ok(&["rm", "--force", "template"]);
    assert_eq!(
        podman.ok(&["run", "--rm", "--rootfs", root, "sh", "-c", "echo from a directory"]),
        "from a directory"
    );
    let passed = "echo text > /run/file; exec 3< /run/file; podman run --rm --preserve-fds 1 localhost/test:1 cat /proc/self/fd/3";
    assert_eq!(podman.stage.run(&["sh", "-c", passed]).ok().stdout, "text\n");
}

/// Container ids that are not those of the machine, given or chosen by podman.
pub fn user_namespaces(podman: &Cli) {
    podman.stage.write("/etc/subuid", "containers:100000:1000000\n");
    podman.stage.write("/etc/subgid", "containers:100000:1000000\n");
    let map = "awk '{ print $1, $2, $3 }' /proc/self/uid_map; id -u; touch /etc/x && stat -c %u /etc/x";
    check(
        podman,
        &[
            (&["--uidmap", "0:200000:5000", "--gidmap", "0:200000:5000"], map, "0 200000 5000\n0\n0"),
            (&["--userns", "auto:size=3000"], map, "0 100000 3000\n0\n0"),
        ],
    );
    let id = podman.detached("first", &["--uidmap", "0:200000:5000"], &["sleep", "1000"]);
    let exec = ["exec", "first", "sh", "-c", map];
    assert_eq!(podman.ok(&exec), "0 200000 5000\n0\n0");
    let joined = podman.once(&["--userns", "container:first"], &["sh", "-c", map]).ok().stdout;
    assert_eq!(joined, "0 200000 5000\n0\n0\n");
    podman.ok(&["rm", "--force", "first"]);
    nothing_left(&podman.stage, &id);
}

/// A container that is made, then initialised, then started; and its health.
pub fn step_by_step(podman: &Cli) {
    let id = podman.ok(&[
        "create",
        "--name",
        "web",
        "--stop-timeout",
        "0",
        "--health-cmd",
        "test -e /tmp/well",
        "--health-interval",
        "disable",
        IMAGE,
        "sleep",
        "1000",
    ]);
    assert_eq!(podman.status("web"), "created");
    podman.ok(&["init", "web"]);
    assert_eq!(podman.status("web"), "initialized");
    podman.ok(&["start", "web"]);
    assert_eq!(podman.status("web"), "running");
    assert_eq!(podman.does(&["healthcheck", "run", "web"]).code(), 1);
    podman.ok(&["exec", "web", "touch", "/tmp/well"]);
    podman.ok(&["healthcheck", "run", "web"]);
    podman.ok(&["restart", "web"]);
    assert_eq!(podman.status("web"), "running");
    podman.ok(&["rm", "--force", "web"]);
    nothing_left(&podman.stage, &id);
}

/// A container that is saved and goes on from there, and then under another name.
pub fn checkpoint(podman: &Cli) {
    let count = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";
    let first = podman.detached("one", &[], &["sh", "-c", count]);
    let last = |name: &str| podman.ok(&["logs", "--tail", "1", name]).parse::<u64>().unwrap_or(0);
    eventually("it counts", || last("one") > 0);
    podman.ok(&["container", "checkpoint", "one"]);
    let saved = last("one");
    assert_eq!(podman.status("one"), "exited");
    podman.ok(&["container", "restore", "one"]);
    eventually("it goes on", || last("one") > saved);

    podman.ok(&["container", "checkpoint", "--export", "/run/one.tar", "one"]);
    podman.ok(&["rm", "--force", "one"]);
    podman.ok(&["container", "restore", "--import", "/run/one.tar", "--name", "two"]);
    eventually("it goes on under another name", || last("two") > saved);
    let second = podman.ok(&["inspect", "--format", "{{.Id}}", "two"]);
    podman.ok(&["rm", "--force", "two"]);
    for id in [first, second] {
        nothing_left(&podman.stage, &id);
    }
}
