//! Limits that bite.

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

use common::{Home, Rootfs, with_probe};
use probe::{Burn, Forks, Verdict};
use testbed::{Need, trial};

fn main() -> ExitCode {
    let limited = |controller| [Need::Root, Need::Program("busybox"), Need::Controller(controller)];
    testbed::main([
        trial("a command that fills its memory is killed, in one line", limited("memory"), memory),
        trial("a child that fills the memory is killed, and the command goes on", limited("memory"), child),
        trial("a command that stays below its memory limit says nothing", limited("memory"), enough),
        trial("the process above --pids-limit cannot be made", limited("pids"), pids),
        trial("half a processor is half of one over five seconds (measured)", limited("cpu"), cpus),
        trial("a read-only volume cannot be written to by any means", limited("memory"), read_only),
    ])
}

const MEMORY: [&str; 4] = ["--memory", "200m", "--memory-swap", "200m"];

/// `cuddy: memory limit 200 MiB reached, peak 200 MiB, cgroup PATH`, with the container's name in the path.
#[track_caller]
fn check_line(line: &str, name: &str) {
    let numbers = line.strip_prefix("cuddy: memory limit 200 MiB reached, peak ").expect(line);
    let (peak, cgroup) = numbers.split_once(" MiB, cgroup ").expect(line);
    let peak: f64 = peak.parse().expect(line);
    assert!((190.0..=200.0).contains(&peak), "{line}");
    assert!(cgroup.starts_with("/sys/fs/cgroup/") && cgroup.ends_with(name), "{line}");
}

fn memory() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (name, mut command) = home.container(MEMORY);
    let done = testbed::run(command.args([&*rootfs.text(), "tail", "/dev/zero"]));
    assert_eq!((done.code(), done.stdout.as_str()), (137, ""), "{done:#?}");
    let lines: Vec<_> = done.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{done:#?}");
    check_line(lines[0], &name);
}

fn child() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (name, mut command) = home.container(MEMORY);
    let script = "tail /dev/zero 2>/dev/null; echo $?; exit 5";
    let done = testbed::run(command.args([&*rootfs.text(), "sh", "-c", script]));
    assert_eq!((done.code(), done.stdout.as_str()), (5, "137\n"), "{done:#?}");
    // The shell has a word about it, too.
    let ours: Vec<_> = done.stderr.lines().filter(|line| line.starts_with("cuddy:")).collect();
    assert_eq!(ours.len(), 1, "{done:#?}");
    check_line(ours[0], &name);
}

fn enough() {
    let home = Home::new();
    let args = MEMORY.into_iter().map(str::to_owned);
    let command =
        [with_probe(), "host:".into(), "/probe".into(), "fill-memory".into(), (100 << 20).to_string()];
    let done = home.run(args.chain(command)).ok();
    assert!(done.json::<Verdict>().succeeded(), "{done:#?}");
    assert!(!done.stderr.contains("cuddy"), "{done:#?}");
}

fn pids() {
    let home = Home::new();
    let args = ["--pids-limit", "5", &with_probe(), "host:", "/probe", "fork-many", "10"];
    let verdict: Verdict = home.run(args).ok().json();
    let forks: Forks = serde_json::from_value(verdict.detail).unwrap();
    // Five with the probe itself.
    assert_eq!((forks.made, forks.first_error.as_deref()), (4, Some("EAGAIN")));
}

fn cpus() {
    let home = Home::new();
    let burn = || {
        let args = ["--cpus", "0.5", &with_probe(), "host:", "/probe", "burn", "5"];
        let verdict: Verdict = home.run(args).ok().json();
        let burn: Burn = serde_json::from_value(verdict.detail).unwrap();
        let share = burn.cpu / burn.wall;
        assert!(share <= 0.55, "{burn:?}");
        share
    };
    // A machine that is busy with other things may not have half a processor to give.
    let shares: Vec<f64> = (0..3).map(|_| burn()).take_while(|share| *share < 0.45).collect();
    assert!(shares.len() < 3, "not half of a processor, but {shares:?}");
}

fn read_only() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let file = home.write("conf/file", "from the host\n");
    let before = fs::metadata(&file).unwrap();
    let attempts: [&[&str]; 9] = [
        &["sh", "-c", "echo x > /etc/conf/file"],
        &["sh", "-c", "echo x >> /etc/conf/file"],
        &["sh", "-c", "echo x > /etc/conf/new"],
        &["rm", "/etc/conf/file"],
        &["mv", "/etc/conf/file", "/etc/conf/other"],
        &["chmod", "777", "/etc/conf/file"],
        &["touch", "/etc/conf/file"],
        &["mount", "-o", "remount,rw,bind", "/etc/conf"],
        &["umount", "/etc/conf"],
    ];
    let root = rootfs.text();
    for attempt in attempts {
        let args = ["-v", "./conf:/etc/conf:ro", &root].into_iter().chain(attempt.iter().copied());
        let done = home.run(args);
        assert_eq!(done.code(), 1, "{done:#?}");
        let refused = ["Read-only file system", "Operation not permitted", "permission denied"];
        assert!(refused.iter().any(|words| done.stderr.contains(words)), "{done:#?}");
    }
    let read = home.run(["-v", "./conf:/etc/conf:ro", &root, "cat", "/etc/conf/file"]).ok();
    assert_eq!(read.stdout, "from the host\n");
    let after = fs::metadata(&file).unwrap();
    assert_eq!((after.ctime(), after.ctime_nsec()), (before.ctime(), before.ctime_nsec()));
    assert_eq!(fs::read_dir(home.dir().join("conf")).unwrap().count(), 1);
}
