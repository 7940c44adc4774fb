//! What `events` says, against the kernel's own files.

use crate::group::{Groups, usage};
use crate::needs;
use crate::support::{self, Case, eventually};
use serde_json::{Value, json};
use std::fs;
use testbed::{Need, Trial, run, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("memory is what the kernel counts", needs("memory"), memory),
        trial("processor time is what the kernel counts", needs("cpu"), processor),
        trial("processes are what the kernel counts", needs("pids"), processes),
        trial("network is counted by interface", [Need::Root, Need::Program("busybox")], network),
        trial("pressure is what the kernel tells", needs("memory"), pressure),
        trial("kills are told when they happen, and counted", needs("memory"), kills),
        trial("exec counts in a group below the container's", needs("memory"), below),
    ]
}

/// A container that has done this and sleeps now.
fn resting(work: &str, resources: Value) -> Case {
    let mut case = crate::writable();
    case.edit(|config| {
        config["linux"]["resources"] = resources;
        let net = json!(["CAP_NET_ADMIN", "CAP_NET_RAW"]);
        config["process"]["capabilities"] = json!({ "bounding": net, "effective": net, "permitted": net });
    });
    case.args(&["sh", "-c", &format!("{work}\ntouch /done; exec sleep 1000")]).detach();
    let done = case.bundle.rootfs().join("done");
    eventually("it rests", || done.exists());
    case
}

/// Asserts that a value is between two looks at the kernel's file, of which the kernel may have counted on in between.
#[track_caller]
fn between(what: &str, before: u64, value: &Value, after: u64) {
    let value = value.as_u64().unwrap_or_else(|| panic!("{what} is no number: {value}"));
    assert!((before.min(after)..=before.max(after)).contains(&value), "{what}: {before} {value} {after}");
}

fn memory() {
    const FILES: [(&str, [&str; 2]); 3] = [
        ("usage", ["memory.usage_in_bytes", "memory.current"]),
        ("max", ["memory.max_usage_in_bytes", "memory.peak"]),
        ("limit", ["memory.limit_in_bytes", "memory.max"]),
    ];
    // A file in a tmpfs is memory; one on disk is cache.
    let work = "dd if=/dev/zero of=/dev/shm/x bs=1048576 count=8 2>/dev/null; cat /bin/probe >/dev/null";
    let case = resting(work, json!({ "memory": { "limit": 64 << 20 } }));
    let groups = Groups::of(&case);
    let look = || FILES.map(|(_, files)| groups.number(&files));
    let inactive = || {
        let v2 = groups.has("memory.current");
        groups.field(&["memory.stat"], if v2 { "inactive_file" } else { "total_inactive_file" })
    };
    eventually("two looks are the same", || {
        let (before, cache, usage, after) = (look(), inactive(), usage(&case), look());
        let memory = &usage["memory"];
        for ((name, _), (before, after)) in FILES.iter().zip(before.into_iter().zip(after)) {
            between(name, before, &memory["usage"][name], after);
        }
        assert!(memory["usage"]["usage"].as_u64().unwrap() > 8 << 20, "{memory:#}");
        if (before, cache) != (after, inactive()) {
            return false;
        }
        assert_eq!(memory["workingSet"], before[0] - cache, "{memory:#}");
        let swap = memory["swap"]["usage"].as_u64().unwrap();
        let expect = match groups.has("memory.current") {
            true => before[0] + groups.number(&["memory.swap.current"]),
            false if groups.has("memory.memsw.usage_in_bytes") => {
                groups.number(&["memory.memsw.usage_in_bytes"])
            }
            false => 0,
        };
        assert_eq!(swap, expect, "{memory:#}");
        true
    });
}

fn processor() {
    let case = resting("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", json!({}));
    let groups = Groups::of(&case);
    let total = || match groups.has("cpuacct.usage") {
        true => groups.number(&["cpuacct.usage"]),
        false => groups.field(&["cpu.stat"], "usage_usec") * 1000,
    };
    let (before, usage, after) = (total(), usage(&case), total());
    let cpu = &usage["cpu"]["usage"];
    between("total", before, &cpu["total"], after);
    assert!(before > 1_000_000, "{cpu:#}");
    // v2 does not count by processor.
    if groups.has("cpuacct.usage_percpu") {
        let sum: u64 = cpu["percpu"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
        between("the processors' sum", before, &sum.into(), after);
        let processors = groups.text(&["cpuacct.usage_percpu"]).split_whitespace().count();
        assert_eq!(cpu["percpu"].as_array().unwrap().len(), processors);
    }
    // The kernel divides by ticks, so that the two need not sum up to the total.
    let user = match groups.has("cpuacct.usage_user") {
        true => groups.number(&["cpuacct.usage_user"]),
        false => groups.field(&["cpu.stat"], "user_usec") * 1000,
    };
    assert!(cpu["user"].as_u64().unwrap() <= user && user > 0, "{user} {cpu:#}");
}

fn processes() {
    let case = resting("sleep 1000 & sleep 1000 &", json!({ "pids": { "limit": 30 } }));
    let groups = Groups::of(&case);
    eventually("touch is gone", || groups.number(&["pids.current"]) == 3);
    assert_eq!(usage(&case)["pids"], json!({ "current": 3, "limit": 30 }));
}

fn network() {
    let case = resting("ip link set lo up; ping -c 3 -i 0.1 127.0.0.1 >/net 2>&1", json!({}));
    let usage = usage(&case);
    let inside = fs::read_to_string(format!("/proc/{}/net/dev", case.pid())).unwrap();
    let interfaces = usage["network_interfaces"].as_array().expect("a list");
    assert_eq!(interfaces.len(), inside.lines().filter(|line| line.contains(':')).count(), "{inside}");
    let lo = interfaces.iter().find(|interface| interface["Name"] == "lo").expect("lo");
    let line = inside.lines().find_map(|line| line.trim().strip_prefix("lo:")).unwrap();
    let numbers: Vec<u64> = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert_eq!((&lo["RxBytes"], &lo["TxPackets"]), (&numbers[0].into(), &numbers[9].into()), "{usage:#}");
    // A request and an answer, three times.
    assert_eq!(lo["RxPackets"], 6, "{}", fs::read_to_string(case.bundle.rootfs().join("net")).unwrap());

    let mut case = Case::probe();
    case.edit(|config| support::set_namespace(config, "network", None));
    case.args(&["/bin/probe", "sleep"]).detach();
    let usage = crate::group::usage(&case);
    assert_eq!(usage["network_interfaces"], Value::Null, "the network of the machine is not the container's");
}

fn pressure() {
    let case = resting("true", json!({}));
    let (usage, groups) = (usage(&case), Groups::of(&case));
    for (part, file) in [("cpu", "cpu.pressure"), ("memory", "memory.pressure"), ("blkio", "io.pressure")] {
        let readable = groups.has(file) && fs::read(groups.path(&[file])).is_ok();
        assert_eq!(usage[part]["psi"].is_object(), readable, "{part}: {usage:#}");
        if readable {
            let total = groups
                .text(&[file])
                .lines()
                .next()
                .and_then(|line| line.split("total=").nth(1)?.parse().ok());
            let total: u64 = total.unwrap();
            assert!(usage[part]["psi"]["some"]["total"].as_u64().unwrap() <= total, "{usage:#}");
        }
    }
}

fn kills() {
    let case = resting("true", json!({ "memory": { "limit": 32 << 20, "swap": 32 << 20 } }));
    let file = case.bundle.path().join("events");
    // An interval that does not pass: what is told comes from the kernel.
    let mut command = case.oci(&["events", "--interval", "1h"]);
    let mut watching = command.arg(case.id()).stdout(fs::File::create(&file).unwrap()).spawn().unwrap();
    let told = || fs::read_to_string(&file).unwrap().matches("\"oom\"").count();
    eventually("it watches", || watches(watching.id()));
    for count in 1..=2 {
        let greedy = case.exec(&[], &["sh", "-c", "tail -c 100000000 /dev/zero"]);
        assert_ne!(greedy.code(), 0, "{greedy:#?}");
        eventually("the kill is told", || told() >= count);
        let groups = Groups::of(&case);
        let kernel = groups.field(&["memory.oom_control", "memory.events"], "oom_kill");
        assert_eq!(usage(&case)["memory"]["oomKills"], kernel);
        assert_eq!(kernel, u64::try_from(count).unwrap());
    }
    run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
    assert_eq!(watching.wait().unwrap().code(), Some(0));
}

/// Whether a process has the file open that the kernel tells of kills by.
fn watches(pid: u32) -> bool {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut names = links.filter_map(|link| fs::read_link(link.path()).ok());
    names.any(|name| ["memory.oom_control", "memory.events"].iter().any(|file| name.ends_with(file)))
}

fn below() {
    let case = resting("true", json!({}));
    let groups = support::groups(case.pid());
    for (_, group) in &groups {
        fs::create_dir(group.join("below")).unwrap();
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(text) = fs::read_to_string(group.join(file)) {
                let _ = fs::write(group.join("below").join(file), text);
            }
        }
    }
    let done = case.exec(&["--cgroup", "below"], &["cat", "/proc/self/cgroup"]).ok();
    let places: Vec<_> = done.stdout.lines().filter_map(|line| line.splitn(3, ':').nth(2)).collect();
    // Seen from the container's cgroup namespace. A hierarchy that is not mounted has no group of the container's.
    assert_eq!(places.iter().filter(|place| **place == "/below").count(), groups.len(), "{done:#?}");
    let done = case.exec(&["--cgroup", "no/such"], &["true"]);
    assert!(done.code() != 0 && done.stderr.contains("no such file or directory"), "{done:#?}");
}
