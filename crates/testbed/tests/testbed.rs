//! The test bed itself, with runc in place of the program under test.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{fs, panic};

use serde_json::json;
use testbed::{Bundle, Machine, Need, Scratch, Terminal, input, run, run_within, trial, unique_name};

const SOON: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let runc = || [Need::Root, Need::Program("runc"), Need::Program("busybox")];
    testbed::main([
        trial("what a machine lacks is a reason to skip", [Need::Program("no-such-program")], || {
            panic!("this test cannot run anywhere")
        }),
        trial("output and exit codes are captured", [], output),
        trial("a command that takes too long is killed", [], time_limit),
        trial("a terminal echoes, resizes and ends", [Need::Program("setsid")], terminal),
        trial("a scratch directory goes with its mounts", [Need::Root], scratch),
        trial("a busybox bundle runs", runc(), busybox),
        trial("the probe reports what it was given", runc(), probe),
        trial("the probe's attacks fail in a container", runc(), attacks),
        trial("a minimal Debian is made once", [Need::Root, Need::Program("mmdebstrap")], debian),
        trial("the machine's snapshot sees mounts and files", [Need::Root], snapshot),
    ])
}

fn output() {
    let done = run(Command::new("sh").args(["-c", "cat; echo no >&2; exit 3"]).stdin(input("yes\n")));
    assert_eq!((done.code(), done.stdout.as_str(), done.stderr.as_str()), (3, "yes\n", "no\n"));
    assert_eq!(run(Command::new("sh").args(["-c", "kill -TERM $$"])).code(), 143);
}

fn time_limit() {
    let start = Instant::now();
    let limit = Duration::from_millis(100);
    let late = panic::catch_unwind(|| run_within(limit, Command::new("sleep").arg("60")));
    let message = *late.expect_err("sleep 60 ends after 100 ms").downcast::<String>().unwrap();
    assert!(message.contains("still running after 100ms"), "{message}");
    assert!(start.elapsed() < SOON);
}

fn terminal() {
    let mut shell = Terminal::start(Command::new("sh").env("PS1", "prompt> "));
    shell.expect("prompt> ", SOON);
    assert!(!shell.is_raw());
    shell.resize(33, 100);
    shell.send("stty size; tty; stty raw -echo\n");
    shell.expect("33 100\r\n", SOON);
    shell.expect("/dev/pts/", SOON);
    shell.expect("prompt> ", SOON);
    assert!(shell.is_raw());
    shell.send("stty sane; exit 4\n");
    assert_eq!(shell.wait(SOON).code(), Some(4));
}

fn scratch() {
    let scratch = Scratch::new();
    let path = scratch.path().to_owned();
    let (kept, point) = (path.join("kept"), path.join("point"));
    fs::create_dir(&kept).unwrap();
    fs::create_dir(&point).unwrap();
    let outside = Scratch::new();
    fs::write(outside.path().join("file"), "precious").unwrap();
    rustix::mount::mount_bind(outside.path(), &point).unwrap();
    drop(scratch);
    assert!(!path.exists());
    assert!(outside.path().join("file").exists());
}

/// `runc run` of the bundle; its cgroup is below the root of each hierarchy, and so not in that of the tests.
fn runc(bundle: &mut Bundle) -> testbed::Done {
    let name = unique_name();
    bundle.edit(|config| config["linux"]["cgroupsPath"] = json!(format!("/{name}")));
    let state = Scratch::new();
    let mut command = Command::new("runc");
    command.arg("--root").arg(state.path()).args(["run", "--bundle"]).arg(bundle.path()).arg(&name);
    let done = run(&mut command);
    assert_eq!(Machine::snapshot().mentioning(&name), Vec::<String>::new());
    done
}

fn busybox() {
    let mut bundle = Bundle::busybox();
    bundle.args(&["sh", "-c", "echo $HOSTNAME; hostname; whoami; ls /bin | wc -l; exit 5"]);
    let done = runc(&mut bundle);
    assert_eq!(done.code(), 5, "{done:#?}");
    let lines: Vec<_> = done.stdout.lines().collect();
    assert_eq!(lines[1..3], ["testbed", "root"]);
    assert!(lines[3].parse::<u32>().unwrap() > 100);
}

fn probe() {
    let mut bundle = Bundle::probe();
    bundle.edit(|config| {
        config["process"]["env"] = json!(["A=1"]);
        config["process"]["user"] = json!({ "uid": 7, "gid": 8, "additionalGids": [9], "umask": 0o77 });
        config["process"]["rlimits"] = json!([{ "type": "RLIMIT_NOFILE", "soft": 100, "hard": 200 }]);
    });
    let report: probe::Report = runc(&mut bundle).ok().json();

    assert_eq!(report.process.pid, 1);
    assert_eq!(report.process.env["A"], "1");
    assert!(report.process.no_new_privs);
    assert_eq!((report.ids.uids, report.ids.gids, &report.ids.groups[..]), ([7; 4], [8; 4], &[9][..]));
    assert_eq!(report.process.umask, 0o77);
    assert_eq!(report.rlimits["RLIMIT_NOFILE"], probe::Rlimit { soft: Some(100), hard: Some(200) });
    let bounding = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"].map(str::to_owned);
    assert_eq!(report.capabilities.bounding, bounding.into());
    assert!(report.mount("/").unwrap().has("ro"));
    assert_eq!(report.mount("/proc").unwrap().fstype, "proc");
    assert_eq!(report.device("/dev/null").unwrap().number, Some((1, 3)));
    assert_eq!(report.device("/dev/ptmx").unwrap().target.as_deref(), Some("pts/ptmx"));
    assert_eq!(report.pids, [1]);
    assert_eq!(report.descriptors.len(), 3, "{:?}", report.descriptors);
    assert_eq!(
        report.interfaces.iter().map(|lo| (lo.name.as_str(), lo.up)).collect::<Vec<_>>(),
        [("lo", true)]
    );
    assert_eq!(report.cgroup("memory"), Some("/"));
    assert_eq!(report.unknown.keys().collect::<Vec<_>>(), Vec::<&String>::new());
    let own =
        fs::metadata("/proc/self/ns/pid").map(|file| std::os::unix::fs::MetadataExt::ino(&file)).unwrap();
    assert_ne!(report.namespaces["pid"], own);
}

fn attacks() {
    let marker = Scratch::new();
    let marker = marker.path().to_str().unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["chroot-escape", marker], "EPERM"),
        (&["fd-escape", marker], "ENOENT"),
        (&["try-write", "/etc/passwd"], "EROFS"),
        (&["try-mount", "none", "/tmp", "tmpfs", "nosuid"], "EPERM"),
        (&["try-remount", "/proc/sys", "bind"], "EPERM"),
        (&["mknod", "/dev/disk", "b", "8", "0"], "EPERM"),
        (&["write-proc", "/proc/sys/kernel/panic", "1"], "EROFS"),
        (&["fork-many", "2"], "ok"),
        (&["fill-memory", "1000000"], "ok"),
    ];
    let mut bundle = Bundle::probe();
    for (attempt, expect) in cases {
        bundle.args(&[&["/bin/probe"], attempt].concat());
        let verdict: probe::Verdict = runc(&mut bundle).ok().json();
        assert_eq!(verdict.outcome, expect, "{verdict:?}");
    }
}

fn debian() {
    let tar = testbed::debian_tar();
    let made = fs::metadata(&tar).unwrap().modified().unwrap();
    let release = run(Command::new("tar").arg("-xOf").arg(&tar).arg("./usr/lib/os-release")).ok();
    assert!(release.stdout.contains("ID=debian"), "{release:#?}");
    assert_eq!(fs::metadata(testbed::debian_tar()).unwrap().modified().unwrap(), made);
}

fn snapshot() {
    let before = Machine::snapshot();
    let scratch = Scratch::new();
    rustix::mount::mount_bind(Path::new("/proc"), scratch.path()).unwrap();
    let name = scratch.path().file_name().unwrap().to_str().unwrap().to_owned();
    let seen = Machine::snapshot().mentioning(&name);
    assert_eq!(seen.len(), 2, "a mount and a directory: {seen:?}");
    drop(scratch);
    assert_eq!(Machine::snapshot().mentioning(&name), Vec::<String>::new());
    assert_eq!(before.mentioning(&name), Vec::<String>::new());
}
