//! What a start that was killed or failed leaves behind: nothing.

mod support;

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Case, map_ids, set_namespace};
use testbed::{Need, run, trial};

/// How often a command is killed.
const POINTS: u32 = 50;

fn main() -> ExitCode {
    let root = [Need::Root];
    testbed::main([
        trial("run, killed at any point, is cleaned up by delete --force", root.clone(), || {
            killed(POINTS, |case| case.make(&["run", "--detach"]), |_| {});
        }),
        trial("create, killed at any point, is cleaned up by delete --force", root.clone(), || {
            killed(POINTS, |case| case.make(&["create"]), |_| {});
        }),
        trial("run in a user namespace, killed at any point", root.clone(), || {
            killed(POINTS, |case| case.make(&["run", "--detach"]), map_ids);
        }),
        trial("start, killed at any point", root.clone(), || {
            killed(POINTS / 2, |case| command_on(case, &["start"]), created);
        }),
        trial("exec, killed at any point", root.clone(), || {
            killed(POINTS / 2, exec, running);
        }),
        trial("delete, killed at any point, is finished by the next", root.clone(), || {
            killed(POINTS / 2, |case| command_on(case, &["delete", "--force"]), running);
        }),
        trial("a start that fails leaves nothing, and its name is free", root.clone(), failed_starts),
        trial("a start that fails leaves no pid file", root.clone(), no_pid_file),
        trial("an end of the program leaves nothing", root, ended),
        trial(
            "processes that the program left behind end with the container",
            [Need::Root, Need::Program("busybox")],
            orphans,
        ),
    ])
}

fn command_on(case: &Case, words: &[&str]) -> Command {
    let mut command = case.oci(words);
    command.arg(case.id());
    command
}

fn exec(case: &Case) -> Command {
    let mut command = command_on(case, &["exec", "--detach"]);
    command.args(["/bin/probe", "sleep"]);
    command
}

fn created(case: &mut Case) {
    run(&mut case.make(&["create"])).ok();
}

fn running(case: &mut Case) {
    case.detach();
}

/// Numbers below 1 that look random and are the same every time (xorshift, George Marsaglia 2003).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A container whose program has the container's name among its arguments, so that it is found wherever it is.
fn case(prepare: fn(&mut Case)) -> Case {
    let mut case = Case::probe();
    let id = case.id().to_owned();
    case.args(&["/bin/probe", "--sysctl", &id, "sleep"]);
    prepare(&mut case);
    case
}

/// Sends SIGKILL to the command at so many moments, spread over the time that it takes, and cleans up after each.
fn killed(points: u32, command: fn(&Case) -> Command, prepare: fn(&mut Case)) {
    const SEED: u64 = 0x5eed_cadd;
    let mut random = Random(SEED);
    let mut takes = Duration::ZERO;
    for _ in 0..3 {
        let case = case(prepare);
        let start = Instant::now();
        run(&mut command(&case)).ok();
        takes = takes.max(start.elapsed());
    }
    for point in 0..points {
        let case = case(prepare);
        let delay = takes.mul_f64((f64::from(point) + random.next()) / f64::from(points));
        let mut child = command(&case).spawn().expect("cuddy-oci can be started");
        std::thread::sleep(delay);
        child.kill().expect("a child of ours can be killed");
        child.wait().expect("a child of ours can be waited for");

        let what = format!("point {point} of {points}, {delay:?} of {takes:?}, seed {SEED:#x}");
        let deleted = run(&mut command_on(&case, &["delete", "--force"]));
        assert_eq!((deleted.code(), deleted.stderr.as_str()), (0, ""), "{what}");
        nothing_left(&case, &what);
        assert_eq!(case.does("state").code(), 1, "{what}");
    }
}

/// Nothing on the machine mentions the container. An init that found its creator gone ends by itself, a moment later.
#[track_caller]
fn nothing_left(case: &Case, what: &str) {
    let mut left = Vec::new();
    let deadline = Instant::now() + support::SOON;
    while Instant::now() < deadline {
        left = case.left_behind();
        if left.is_empty() {
            return;
        }
        // Only processes may take their time to end.
        assert!(left.iter().all(|thing| thing.starts_with("process")), "{what}: {left:#?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: {left:#?}");
}

/// A start that fails, and a part of what it says.
type Failure = (&'static str, fn(&mut Value), &'static str);

/// One for each stage of a start, in the order of the stages.
const FAILURES: [Failure; 17] = [
    ("the configuration", |c| c["process"]["args"] = json!([]), "there is no command"),
    (
        "a joined namespace",
        |c| {
            set_namespace(c, "network", Some(json!({ "type": "network", "path": "/no/such" })));
        },
        "open /no/such as a net namespace",
    ),
    (
        "the clocks",
        |c| {
            set_namespace(c, "time", Some(json!({ "type": "time" })));
            c["linux"]["timeOffsets"] = json!({ "boottime": { "secs": i64::MIN } });
        },
        "set the clock offsets",
    ),
    ("a limit", |c| c["linux"]["resources"]["cpu"] = json!({ "cpus": "4000" }), "/linux/resources/cpu/cpus"),
    (
        "the id maps",
        |c| {
            set_namespace(c, "user", Some(json!({ "type": "user" })));
            let map = json!({ "containerID": 0, "hostID": 100_000, "size": 1 });
            c["linux"]["uidMappings"] = json!([map, map]);
            c["linux"]["gidMappings"] = json!([map]);
        },
        "map user ids",
    ),
    ("the root", |c| c["root"]["path"] = json!("no-such-root"), "no-such-root"),
    (
        "a bind source",
        |c| {
            let mount = json!({ "destination": "/tmp", "type": "bind", "source": "/no/such/source" });
            c["mounts"].as_array_mut().unwrap().push(mount);
        },
        "/no/such/source",
    ),
    (
        "a file system",
        |c| {
            let mount = json!({ "destination": "/tmp", "type": "nofs", "source": "none" });
            c["mounts"].as_array_mut().unwrap().push(mount);
        },
        "make a new nofs file system",
    ),
    (
        "a mount option",
        |c| {
            let mount =
                json!({ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=moo"] });
            c["mounts"].as_array_mut().unwrap().push(mount);
        },
        "make a new tmpfs file system",
    ),
    (
        "a mount point",
        |c| {
            let mount = json!({ "destination": "/etc/passwd/below", "type": "tmpfs", "source": "tmpfs" });
            c["mounts"].as_array_mut().unwrap().push(mount);
        },
        "/etc/passwd/below of the container",
    ),
    (
        "a device",
        |c| {
            c["linux"]["devices"] = json!([{ "path": "/etc/passwd", "type": "c", "major": 1, "minor": 3 }]);
        },
        "make device /etc/passwd",
    ),
    (
        "a kernel parameter",
        |c| c["linux"]["sysctl"] = json!({ "kernel.msgmax": "moo" }),
        "set sysctl kernel.msgmax",
    ),
    (
        "a missing kernel parameter",
        |c| c["linux"]["sysctl"] = json!({ "net.moo": "1" }),
        "set sysctl net.moo",
    ),
    ("the working directory", |c| c["process"]["cwd"] = json!("/etc/passwd"), "/etc/passwd"),
    (
        "the user",
        |c| {
            set_namespace(c, "user", Some(json!({ "type": "user" })));
            let map = json!([{ "containerID": 0, "hostID": 100_000, "size": 10 }]);
            c["linux"]["uidMappings"] = map.clone();
            c["linux"]["gidMappings"] = map;
            c["process"]["user"]["uid"] = json!(50);
        },
        "become user 50",
    ),
    ("the program", |c| c["process"]["args"] = json!(["/no/such/program"]), "find \"/no/such/program\""),
    ("execve", |c| c["process"]["args"] = json!(["/etc/script"]), "execute \"/etc/script\""),
];

fn failed_starts() {
    for (stage, change, message) in FAILURES {
        let mut case = Case::probe();
        map_root_open(&mut case);
        let script = case.bundle.rootfs().join("etc/script");
        fs::write(&script, "#!/no/such/interpreter\n").unwrap();
        open(&script);
        let good = case.bundle.config().clone();
        case.edit(change);
        // The last failure is seen only when the program is executed, which `create` leaves to `start`.
        let commands: &[&str] = if stage == "execve" { &["run"] } else { &["run", "create"] };
        for command in commands {
            let done = run(&mut case.make(&[command]));
            assert_eq!(done.code(), 1, "{stage}: {done:#?}");
            assert!(done.stderr.contains(message), "{stage}: {done:#?}");
            nothing_left(&case, stage);
        }
        case.edit(|config| *config = good);
        case.args(&["/bin/probe", "exit", "7"]);
        assert_eq!(case.run().code(), 7, "after {stage}");
        nothing_left(&case, stage);
    }
}

fn open(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Lets the user namespaces of some cases in.
fn map_root_open(case: &mut Case) {
    open(case.bundle.path());
}

fn no_pid_file() {
    let mut case = Case::probe();
    case.args(&["/no/such/program"]);
    let file = case.bundle.path().join("pid");
    for words in ["run", "create"] {
        let mut command = case.make(&[words, "--pid-file", file.to_str().unwrap()]);
        assert_eq!(run(&mut command).code(), 1);
        assert_eq!(fs::read_dir(case.bundle.path()).unwrap().count(), 2, "config.json and rootfs");
    }
}

fn ended() {
    for args in
        [&["/bin/probe", "exit", "0"][..], &["/bin/probe", "exit", "3"], &["/bin/probe", "signal-self", "9"]]
    {
        let mut case = Case::probe();
        case.args(args);
        case.run();
        nothing_left(&case, args[1]);
    }
}

/// In the machine's own pid namespace the end of the program is not that of its children.
fn orphans() {
    let mut case = Case::busybox();
    let script =
        format!("sleep 1000 & setsid sh -c ': {}; while :; do sleep 1000; done' & exit 0", case.id());
    case.edit(|config| set_namespace(config, "pid", None));
    case.args(&["sh", "-c", &script]).detach();
    case.wait_until_stopped();
    assert!(!case.left_behind().is_empty());
    case.does("delete").ok();
    nothing_left(&case, "orphans");
    assert_eq!(processes_named(case.id()), 0);
}

/// Processes anywhere on the machine that have this text on their command line.
fn processes_named(text: &str) -> usize {
    let lines = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(text)).count()
}
