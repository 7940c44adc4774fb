//! Containers that stand still.

use crate::group::Groups;
use crate::support::{self, Case, eventually};
use std::fs;
use std::path::PathBuf;
use testbed::{Need, Trial, run, trial};

pub fn trials() -> Vec<Trial> {
    let busybox = [Need::Root, Need::Program("busybox")];
    vec![
        trial("a frozen container makes no progress", busybox.clone(), no_progress),
        trial("one that is frozen from above is said to be, and is still ended", busybox.clone(), from_above),
        trial("groups that it froze itself do not keep it from its end", busybox.clone(), nested),
        trial("a child of vfork is frozen with its parent", busybox, waiting_parent),
    ]
}

/// It counts in a file.
fn counter() -> Case {
    let mut case = crate::writable();
    case.args(&["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/count; done"]).detach();
    eventually("it counts", || count(&case) > 0);
    case
}

fn count(case: &Case) -> u64 {
    fs::read_to_string(case.bundle.rootfs().join("count"))
        .ok()
        .and_then(|t| t.trim().parse().ok())
        .unwrap_or(0)
}

fn no_progress() {
    let case = counter();
    let groups = Groups::of(&case);
    let used = || groups.number(&["cpuacct.usage"]);
    case.does("pause").ok();
    let v1 = groups.has("cpuacct.usage");
    let before = (count(&case), if v1 { used() } else { groups.field(&["cpu.stat"], "usage_usec") });
    assert!(!support::happens_within_a_moment(|| count(&case) != before.0));
    assert_eq!(
        if v1 { used() } else { groups.field(&["cpu.stat"], "usage_usec") },
        before.1,
        "processor time"
    );
    case.does("resume").ok();
    eventually("it goes on", || count(&case) > before.0);
}

/// A container in a group of the caller's, which is thawed when dropped and goes with it.
struct Below {
    case: Case,
    above: Vec<PathBuf>,
}

impl Drop for Below {
    fn drop(&mut self) {
        freeze(&self.above, false);
        run(self.case.oci(&["delete", "--force"]).arg(self.case.id()));
        self.above.iter().for_each(|directory| drop(fs::remove_dir(directory)));
    }
}

/// Freezes or thaws a group in all its hierarchies that can.
fn freeze(directories: &[PathBuf], frozen: bool) {
    for directory in directories {
        for (file, on, off) in [("cgroup.freeze", "1", "0"), ("freezer.state", "FROZEN", "THAWED")] {
            if directory.join(file).exists() {
                fs::write(directory.join(file), if frozen { on } else { off }).unwrap();
            }
        }
    }
}

fn from_above() {
    let mut case = crate::writable();
    let name = testbed::unique_name();
    case.edit(|config| config["linux"]["cgroupsPath"] = serde_json::json!(format!("/{name}/web")));
    case.args(&["sleep", "1000"]).detach();
    let parents = support::groups(case.pid()).into_iter().filter_map(|(_, p)| p.parent().map(PathBuf::from));
    let below = Below { above: parents.collect(), case };
    let case = &below.case;
    freeze(&below.above, true);
    eventually("it is paused", || case.status() == "paused");
    let done = case.does("resume");
    assert_eq!(done.code(), 1, "{done:#?}");
    assert!(done.stderr.contains("a group above it is frozen"), "{done:#?}");
    assert_eq!(case.status(), "paused");
    freeze(&below.above, false);
    eventually("it goes on", || case.status() == "running");
    case.does("pause").ok();
    case.does("resume").ok();
}

fn nested() {
    for end in [&["kill", "KILL"][..], &["delete", "--force"]] {
        let mut case = crate::writable();
        case.args(&["sh", "-c", "sleep 1000 & sleep 1001 & wait"]).detach();
        let groups = support::groups(case.pid());
        eventually("it has children", || pids(&groups).len() == 3);
        let inner = move_inside(&groups, *pids(&groups).iter().max().unwrap());
        freeze(&inner, true);
        case.does("pause").ok();
        case.does("resume").ok();
        assert_eq!(case.status(), "running", "what it froze itself is not the container");
        freeze(&inner, true);
        let mut command = case.oci(&end[..1]);
        match end[0] {
            "kill" => run(command.args([case.id(), end[1]])).ok(),
            _ => run(command.args(&end[1..]).arg(case.id())).ok(),
        };
        if end[0] == "kill" {
            case.wait_until_stopped();
            case.does("delete").ok();
        }
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}

fn pids(groups: &[(String, PathBuf)]) -> Vec<i32> {
    let text = fs::read_to_string(groups[0].1.join("cgroup.procs")).unwrap();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// A group below the container's own in each hierarchy that freezes, with this process in it.
fn move_inside(groups: &[(String, PathBuf)], pid: i32) -> Vec<PathBuf> {
    let freezes =
        |path: &&PathBuf| path.join("cgroup.freeze").exists() || path.join("freezer.state").exists();
    let inner: Vec<_> =
        groups.iter().map(|(_, path)| path).filter(freezes).map(|p| p.join("inner")).collect();
    for directory in &inner {
        fs::create_dir(directory).unwrap();
        fs::write(directory.join("cgroup.procs"), pid.to_string()).unwrap();
    }
    inner
}

fn waiting_parent() {
    // BusyBox's time(1) makes its child with vfork(2) and waits in the kernel until that has executed or ended.
    let mut case = crate::writable();
    case.args(&["sh", "-c", "while :; do time -p true; done 2>/dev/null"]).detach();
    for _ in 0..10 {
        case.does("pause").ok();
        assert_eq!(case.status(), "paused");
        case.does("resume").ok();
    }
    case.does("pause").ok();
    run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
}
