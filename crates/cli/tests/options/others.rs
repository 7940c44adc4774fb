//! What is shared with the host and with other containers, and what becomes of the command.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::linux::fs::MetadataExt;
use std::process::Stdio;

use probe::Report;
use rustix::process::{Pid, Signal, kill_process};
use testbed::{Machine, Trial, run};

use crate::common::{Home, Rootfs};
use crate::with_busybox;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        with_busybox("a running container's namespaces are joined by its name", join),
        with_busybox("processes and interfaces of the host are seen where it is asked for", host_is_seen),
        with_busybox("signals reach the command below an init", init_forwards),
        with_busybox("an init reaps what the command leaves behind", init_reaps),
        with_busybox("the stop signal is in the container's record", stop_signal),
        with_busybox("without --rm the name stays taken until it is deleted", kept),
    ]
}

fn join() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let root = rootfs.text();
    let running = home.start([&root]);
    let container = format!("container:{}", running.name);
    let report: Report =
        home.run(["--pid", &container, "--ipc", &container, &root, "/bin/probe"]).ok().json();
    for (kind, joined) in [("pid", true), ("ipc", true), ("uts", false), ("net", false), ("mnt", false)] {
        let theirs = fs::metadata(format!("/proc/{}/ns/{kind}", running.pid())).unwrap();
        assert_eq!(report.namespaces[kind] == theirs.st_ino(), joined, "{kind}");
    }
    assert!(report.pids.contains(&1) && report.process.pid != 1, "{:?}", report.pids);
}

fn host_is_seen() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let report: Report =
        home.run(["--pid", "host", "--network", "host", &rootfs.text(), "/bin/probe"]).ok().json();
    assert!(report.pids.contains(&std::process::id()));
    let interfaces: BTreeSet<_> =
        report.interfaces.iter().map(|interface| format!("interface {}", interface.name)).collect();
    let host = Machine::snapshot().network;
    assert!(interfaces.iter().all(|name| host.contains(name)), "{interfaces:?} are not among {host:?}");
}

fn init_forwards() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let script = "trap 'echo told; exit 9' USR1; echo ready; while :; do sleep 0.1; done";
    let (_, mut command) = home.container(["--init", &rootfs.text(), "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    kill_process(Pid::from_child(&child), Signal::USR1).unwrap();
    out.read_to_string(&mut line).unwrap();
    assert_eq!((line.as_str(), child.wait().unwrap().code()), ("ready\ntold\n", Some(9)));
}

fn init_reaps() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    // The inner shell ends before its child, which then belongs to pid 1. sleep(1) reaps nobody.
    let script = "sh -c 'sleep 0.2 &'; sleep 1; grep -l 'State:.Z' /proc/[0-9]*/status | wc -l";
    let done = home.run(["--init", &rootfs.text(), "sh", "-c", script]).ok();
    assert_eq!(done.stdout, "0\n");
}

fn stop_signal() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let running = home.start(["--stop-signal", "SIGUSR2", &rootfs.text()]);
    let state: serde_json::Value = run(home.oci(["state"]).arg(&running.name)).ok().json();
    assert_eq!(state["annotations"]["org.opencontainers.image.stopSignal"], "SIGUSR2");
    assert_eq!((&state["id"], &state["status"]), (&running.name.as_str().into(), &"running".into()));
}

fn kept() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (name, root) = (home.name(), rootfs.text());
    let once = || run(&mut home.cuddy(["run", "--name", &name, &root, "true"]));
    once().ok();
    let again = once();
    assert_eq!(again.code(), 125, "{again:#?}");
    assert!(again.stderr.contains(&format!("container {name} exists already")), "{again:#?}");
    // Nothing but the record is left of one that has ended.
    let left = home.traces();
    assert!(left.iter().all(|trace| trace.starts_with("file ")), "{left:?}");
    run(home.oci(["delete", &name]).stdin(Stdio::null())).ok();
    once().ok();
    run(home.oci(["delete", &name]).stdin(Stdio::null())).ok();
}
