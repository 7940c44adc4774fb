//! containerd and its shim, through `ctr run --runc-binary`.

use serde_json::Value;
use testbed::{Done, Terminal, run};

use crate::image::{self, IMAGE};
use crate::life::{PATIENT, nothing_left};
use crate::stage::{RUNTIME, Stage};
use crate::support::{SOON, eventually};

/// What `docs/engines.md` shows for Kubernetes.
const CONFIG: &str = r#"
version = 2

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.cuddy]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.cuddy.options]
BinaryName = "/usr/local/sbin/cuddy-oci"
SystemdCgroup = false
"#;

/// containerd on a stage, with the image imported.
struct Containerd {
    stage: Stage,
}

impl Containerd {
    fn new() -> Containerd {
        let stage = Stage::new();
        stage.write("/etc/containerd/config.toml", CONFIG);
        stage.daemon(&["containerd"], "/run/containerd/containerd.sock");
        let archive = image::archive(stage.scratch());
        stage.run(&["ctr", "images", "import", archive.to_str().expect("a path of ours")]).ok();
        Containerd { stage }
    }

    #[track_caller]
    fn does(&self, args: &[&str]) -> Done {
        run(&mut self.stage.command(&[&["ctr"], args].concat()))
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        self.does(args).ok().stdout.trim_end().to_owned()
    }

    /// `ctr run`, whose containers have cuddy-oci as their runtime.
    #[track_caller]
    fn run(&self, options: &[&str], name: &str, command: &[&str]) -> Done {
        self.does(&[&["run", "--runc-binary", RUNTIME], options, &[IMAGE, name], command].concat())
    }

    fn terminal(&self, args: &[&str]) -> Terminal {
        Terminal::start(&self.stage.command(&[&["ctr"], args].concat()))
    }

    /// What `ctr tasks list` says of one: CREATED, RUNNING, PAUSED or STOPPED.
    fn status(&self, name: &str) -> String {
        let list = self.ok(&["tasks", "list"]);
        let words = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        words.filter(|words| words[0] == name).map(|words| words[2].to_owned()).collect()
    }
}

/// Output and exit codes of what runs to its end.
pub fn runs() {
    let containerd = Containerd::new();
    let config = containerd.stage.run(&["containerd", "config", "dump"]).ok().stdout;
    assert!(config.contains(&format!("BinaryName = \"{RUNTIME}\"")), "{config}");
    let done = containerd.run(&["--rm"], "cuddy-a", &["sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!(
        (done.code(), done.stdout.as_str(), done.stderr.contains("err")),
        (7, "out\n", true),
        "{done:#?}"
    );
    let done = containerd.run(&["--rm"], "cuddy-b", &["no-such"]);
    assert!(done.stderr.contains("executable file not found in $PATH"), "{done:#?}");
    let mut shell =
        containerd.terminal(&["run", "--rm", "--tty", "--runc-binary", RUNTIME, IMAGE, "cuddy-c", "sh"]);
    shell.expect("# ", SOON);
    shell.send("tty; exit 4\n");
    shell.expect("/dev/pts/0", SOON);
    assert_eq!(shell.wait(SOON).code(), Some(4));
    for name in ["cuddy-a", "cuddy-b", "cuddy-c"] {
        nothing_left(&containerd.stage, name);
    }
}

/// Started detached, executed in, frozen, measured, signalled, ended and removed.
pub fn life() {
    let containerd = Containerd::new();
    let log = containerd.stage.shared("output");
    let log_uri = format!("file://{}", log.display());
    containerd.run(&["--detach", "--log-uri", &log_uri], "cuddy-web", &PATIENT).ok();
    let output = || std::fs::read_to_string(&log).unwrap_or_default();
    eventually("it has started", || output().contains("started"));
    assert_eq!(containerd.status("cuddy-web"), "RUNNING");

    let exec = |options: &[&str], command: &[&str]| {
        let id = testbed::unique_name();
        containerd.does(&[&["tasks", "exec", "--exec-id", &id], options, &["cuddy-web"], command].concat())
    };
    assert_eq!(exec(&[], &["echo", "inside"]).ok().stdout, "inside\n");
    assert_eq!(exec(&[], &["sh", "-c", "exit 5"]).code(), 5);
    assert_eq!(
        exec(&["--user", "1000", "--cwd", "/tmp"], &["sh", "-c", "id -u; pwd"]).ok().stdout,
        "1000\n/tmp\n"
    );
    let missing = exec(&[], &["no-such"]);
    assert!(missing.stderr.contains("executable file not found in $PATH"), "{missing:#?}");
    let mut shell = containerd.terminal(&["tasks", "exec", "--exec-id", "shell", "--tty", "cuddy-web", "sh"]);
    shell.expect("# ", SOON);
    shell.send("tty; exit 6\n");
    shell.expect("/dev/pts/0", SOON);
    assert_eq!(shell.wait(SOON).code(), Some(6));

    containerd.ok(&["tasks", "kill", "--signal", "USR1", "cuddy-web"]);
    eventually("the signal has come", || output().contains("got usr1"));
    containerd.ok(&["tasks", "kill", "cuddy-web"]);
    eventually("it has ended", || containerd.status("cuddy-web") == "STOPPED");
    assert!(output().ends_with("going\n"), "{}", output());
    let deleted = containerd.does(&["tasks", "delete", "cuddy-web"]);
    assert!(deleted.stderr.contains("exit code 3\""), "{deleted:#?}");
    containerd.ok(&["containers", "delete", "cuddy-web"]);
    nothing_left(&containerd.stage, "cuddy-web");
}

/// What the shim asks of the runtime while a container runs.
pub fn paused_and_measured() {
    let containerd = Containerd::new();
    containerd.run(&["--detach", "--memory-limit", "67108864"], "cuddy-web", &["sleep", "1000"]).ok();
    containerd.ok(&["tasks", "pause", "cuddy-web"]);
    assert_eq!(containerd.status("cuddy-web"), "PAUSED");
    containerd.ok(&["tasks", "resume", "cuddy-web"]);
    assert_eq!(containerd.status("cuddy-web"), "RUNNING");

    let metrics: Value = containerd.does(&["tasks", "metrics", "--format", "json", "cuddy-web"]).ok().json();
    let memory = &metrics["memory"]["usage"];
    assert_eq!(memory["limit"].as_u64(), Some(67_108_864), "{metrics:#}");
    assert_eq!(metrics["pids"]["current"].as_u64(), Some(1), "{metrics:#}");
    let processes = containerd.ok(&["tasks", "ps", "cuddy-web"]);
    assert_eq!(processes.lines().count(), 2, "a heading and one process: {processes}");

    containerd.ok(&["tasks", "kill", "--signal", "KILL", "cuddy-web"]);
    eventually("it has ended", || containerd.status("cuddy-web") == "STOPPED");
    let deleted = containerd.does(&["tasks", "delete", "cuddy-web"]);
    assert!(deleted.stderr.contains("exit code 137\""), "{deleted:#?}");
    containerd.ok(&["containers", "delete", "cuddy-web"]);
    nothing_left(&containerd.stage, "cuddy-web");
}

/// As in Kubernetes: a container that only sleeps holds the namespaces of a pod, and the others join them by path.
pub fn pod() {
    let containerd = Containerd::new();
    let detached = |options: &[&str], name| {
        containerd.run(&[&["--detach"], options].concat(), name, &["sleep", "1000"]).ok();
    };
    detached(&[], "cuddy-pause");
    let list = containerd.ok(&["tasks", "list"]);
    let line = list.lines().find(|line| line.starts_with("cuddy-pause")).expect("it runs");
    let pid = line.split_whitespace().nth(1).expect("a pid");
    let joins = ["network", "ipc", "uts"].map(|kind| {
        let file = if kind == "network" { "net" } else { kind };
        format!("{kind}:/proc/{pid}/ns/{file}")
    });
    let joins: Vec<_> = joins.iter().flat_map(|join| ["--with-ns", join]).collect();
    for name in ["cuddy-one", "cuddy-two"] {
        detached(&joins, name);
    }
    let links = |name: &str| {
        let id = testbed::unique_name();
        let script = "for n in net ipc uts pid mnt; do readlink /proc/self/ns/$n; done";
        let links = containerd.ok(&["tasks", "exec", "--exec-id", &id, name, "sh", "-c", script]);
        links.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (pause, one, two) = (links("cuddy-pause"), links("cuddy-one"), links("cuddy-two"));
    assert_eq!((&pause[..3], &pause[..3]), (&one[..3], &two[..3]), "network, IPC and UTS are the pod's");
    assert!(one[3] != two[3] && one[4] != two[4], "pids and mounts are each one's own");

    for name in ["cuddy-one", "cuddy-two", "cuddy-pause"] {
        containerd.ok(&["tasks", "kill", "--signal", "KILL", name]);
        eventually("it has ended", || containerd.status(name) == "STOPPED");
        containerd.does(&["tasks", "delete", name]);
        containerd.ok(&["containers", "delete", name]);
        nothing_left(&containerd.stage, name);
    }
}
