//! Control groups: where a container is, what is written there, and that it bites.

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};
use support::{Case, groups};
use testbed::{Need, run, trial};

const MIB: i64 = 1024 * 1024;

fn main() -> ExitCode {
    let root = [Need::Root];
    let memory = [Need::Root, Need::Controller("memory")];
    let pids = [Need::Root, Need::Controller("pids")];
    testbed::main([
        trial(
            "half a processor over five seconds, measured",
            [Need::Root, Need::Controller("cpu")],
            half_a_processor,
        ),
        trial("it is in one group of its own in every hierarchy", root.clone(), membership),
        trial("the path of the configuration is taken", root.clone(), configured_path),
        trial("each limit stands in its file", root.clone(), values),
        trial("limits are in force before the program runs", memory.clone(), in_force),
        trial("who uses more memory than allowed is killed", memory.clone(), memory_limit),
        trial("with five processes allowed the sixth cannot be made", pids, pids_limit),
        trial("two megabytes are enough for a start", memory, little_memory),
        trial("groups above the configured one stay", root, groups_above),
    ])
}

fn sleeper(change: impl FnOnce(&mut Value)) -> Case {
    let mut case = Case::probe();
    case.edit(change).args(&["/bin/probe", "sleep"]);
    case.detach();
    case
}

fn membership() {
    let case = sleeper(|_| ());
    let groups = groups(case.pid());
    assert!(!groups.is_empty());
    for (name, path) in &groups {
        let own = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(own, format!("cuddy-{}", case.id()), "{name}: {path:?}");
        let procs = fs::read_to_string(path.join("cgroup.procs")).unwrap();
        assert_eq!(procs.trim(), case.pid().to_string(), "{name}: {path:?}");
    }
    run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
    case.wait_until_stopped();
    case.does("delete").ok();
    assert!(groups.iter().all(|(_, path)| !path.exists()));
}

/// A group of the caller's, in which containers have theirs. It is removed when dropped.
struct Above(String);

impl Above {
    fn new() -> Above {
        Above(testbed::unique_name())
    }

    fn directories(&self) -> Vec<PathBuf> {
        groups(rustix::process::getpid().as_raw_nonzero().get())
            .into_iter()
            .map(|(name, _)| match name.as_str() {
                "" if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() => "/sys/fs/cgroup".into(),
                "" => "/sys/fs/cgroup/unified".into(),
                name => Path::new("/sys/fs/cgroup").join(name),
            })
            .map(|mount: PathBuf| mount.join(&self.0))
            .collect()
    }
}

impl Drop for Above {
    fn drop(&mut self) {
        for directory in self.directories() {
            // Where no container was made, neither was this.
            let _ = fs::remove_dir(directory);
        }
    }
}

fn configured_path() {
    let above = Above::new();
    let path = format!("/{}/web", above.0);
    let case = sleeper(|config| config["linux"]["cgroupsPath"] = json!(path));
    for line in fs::read_to_string(format!("/proc/{}/cgroup", case.pid())).unwrap().lines() {
        assert_eq!(line.splitn(3, ':').nth(2), Some(path.as_str()), "{line}");
    }
}

/// Where a value is on v1: controller, file, text; and on v2: file, text. A machine may lack the file.
type Value2 = (&'static str, &'static str, &'static str);

fn values() {
    let disk = fs::metadata("/").unwrap().dev();
    let (major, minor) = (rustix::fs::major(disk), rustix::fs::minor(disk));
    let resources = json!({
        "devices": [{ "allow": false, "access": "rwm" }],
        "memory": { "limit": 128 * MIB, "reservation": 64 * MIB, "swap": 256 * MIB },
        "cpu": { "shares": 512, "quota": 20_000, "period": 50_000, "cpus": "0", "mems": "0" },
        "pids": { "limit": 77 },
        "blockIO": { "throttleReadBpsDevice": [{ "major": major, "minor": minor, "rate": MIB }] },
    });
    let throttle_v1: &str = format!("{major}:{minor} 1048576").leak();
    let throttle_v2: &str = format!("{major}:{minor} rbps=1048576 wbps=max riops=max wiops=max").leak();
    let table: [(Value2, (&str, &str)); 11] = [
        (("memory", "memory.limit_in_bytes", "134217728"), ("memory.max", "134217728")),
        (("memory", "memory.soft_limit_in_bytes", "67108864"), ("memory.low", "67108864")),
        (("memory", "memory.memsw.limit_in_bytes", "268435456"), ("memory.swap.max", "134217728")),
        (("cpu", "cpu.shares", "512"), ("cpu.weight", "59")),
        (("cpu", "cpu.cfs_quota_us", "20000"), ("cpu.max", "20000 50000")),
        (("cpu", "cpu.cfs_period_us", "50000"), ("cpu.max", "20000 50000")),
        (("cpuset", "cpuset.cpus", "0"), ("cpuset.cpus", "0")),
        (("cpuset", "cpuset.mems", "0"), ("cpuset.mems", "0")),
        (("pids", "pids.max", "77"), ("pids.max", "77")),
        (("blkio", "blkio.throttle.read_bps_device", throttle_v1), ("io.max", throttle_v2)),
        (("devices", "devices.list", ""), ("", "")),
    ];
    let case = sleeper(|config| config["linux"]["resources"] = resources);
    let groups = groups(case.pid());
    let mut seen = 0;
    for ((controller, v1, first), (v2, second)) in table {
        let hierarchy = groups.iter().find(|(name, _)| name.split(',').any(|one| one == controller));
        let unified = groups.iter().find(|(name, _)| name.is_empty());
        let (file, expect) = match (hierarchy, unified) {
            (Some((_, path)), _) => (path.join(v1), first),
            (None, Some((_, path))) if !v2.is_empty() => (path.join(v2), second),
            _ => continue,
        };
        // Files that this kernel was built without.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        seen += 1;
        if v1 == "devices.list" {
            let lines: Vec<_> = text.lines().collect();
            for rule in ["c 1:3 rwm", "c 1:5 rwm", "c 5:0 rwm", "c 136:* rwm", "c *:* m", "b *:* m"] {
                assert!(lines.contains(&rule), "{rule}: {lines:?}");
            }
            assert!(!lines.iter().any(|line| line.starts_with('a') || line.contains("*:* rwm")), "{lines:?}");
        } else {
            assert_eq!(text.trim(), expect, "{file:?}");
        }
    }
    assert!(seen > 5, "only {seen} of the values could be looked at");
}

fn in_force() {
    // The program's very first allocation is counted: nothing of it runs before it is in its group.
    let mut case = Case::probe();
    case.edit(|config| {
        config["linux"]["resources"]["memory"] = json!({ "limit": 32 * MIB, "swap": 32 * MIB })
    });
    case.args(&["/bin/probe", "fill-memory", &(64 * MIB).to_string()]);
    for _ in 0..5 {
        assert_eq!(case.run().code(), 137);
    }
}

fn memory_limit() {
    let mut case = Case::probe();
    case.edit(|config| {
        config["linux"]["resources"]["memory"] = json!({ "limit": 64 * MIB, "swap": 64 * MIB })
    });
    assert_eq!(case.attempt(&["fill-memory", &(32 * MIB).to_string()]).outcome, "ok");
    case.args(&["/bin/probe", "fill-memory", &(256 * MIB).to_string()]);
    let done = case.run();
    assert_eq!((done.code(), done.stdout.as_str()), (137, ""));
    assert!(
        done.stderr.contains("touched 33554432") && !done.stderr.contains("touched 67108864"),
        "{done:#?}"
    );
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn pids_limit() {
    let mut case = Case::probe();
    case.edit(|config| config["linux"]["resources"]["pids"] = json!({ "limit": 5 }));
    let verdict = case.attempt(&["fork-many", "10"]);
    let forks: probe::Forks = serde_json::from_value(verdict.detail).unwrap();
    assert_eq!((forks.made, forks.first_error.as_deref()), (4, Some("EAGAIN")), "with the probe: five");
}

fn half_a_processor() {
    let mut case = Case::probe();
    case.edit(|config| config["linux"]["resources"]["cpu"] = json!({ "quota": 50_000, "period": 100_000 }));
    let mut shares = Vec::new();
    // On a machine that is busy otherwise it may get less than it is allowed; never more.
    for _ in 0..5 {
        let verdict = case.attempt(&["burn", "5"]);
        let burn: probe::Burn = serde_json::from_value(verdict.detail).unwrap();
        let share = burn.cpu / burn.wall;
        assert!(share < 0.55, "{burn:?}");
        shares.push(share);
        if share > 0.45 {
            return;
        }
    }
    panic!("less than half a processor: {shares:?}");
}

fn little_memory() {
    for terminal_free in [true, false] {
        let mut case = Case::probe();
        case.edit(|config| {
            config["linux"]["resources"]["memory"] = json!({ "limit": 2 * MIB, "swap": 2 * MIB });
            if !terminal_free {
                config["linux"]["seccomp"] = json!({
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [{ "names": ["reboot"], "action": "SCMP_ACT_ERRNO" }],
                });
            }
        });
        case.args(&["/bin/probe", "exit", "6"]);
        let done = case.run();
        assert_eq!((done.code(), done.stderr.as_str()), (6, ""));
    }
}

fn groups_above() {
    let above = Above::new();
    let container =
        |name: &str| sleeper(|config| config["linux"]["cgroupsPath"] = json!(format!("/{}/{name}", above.0)));
    let (one, two) = (container("one"), container("two"));
    run(one.oci(&["delete", "--force"]).arg(one.id())).ok();
    for directory in above.directories() {
        assert_eq!((directory.join("one").exists(), directory.join("two").exists()), (false, true));
    }
    assert_eq!(two.status(), "running");
    run(two.oci(&["delete", "--force"]).arg(two.id())).ok();
    assert!(above.directories().iter().all(|directory| directory.exists()), "they are the caller's");
}
