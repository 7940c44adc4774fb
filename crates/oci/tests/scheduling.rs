//! Where and when a process runs, where its memory is, and what it takes the machine for.

mod support;

use std::fs;
use std::process::{Command, ExitCode, Stdio};

use probe::{Report, Scheduling};
use serde_json::{Value, json};
use support::{Case, map_ids};
use testbed::{Need, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let ionice = [Need::Root, Need::Program("ionice")];
    let taskset = [Need::Root, Need::Program("taskset"), Need::Processors(2)];
    let real_time = [Need::Root, Need::Path("/sys/fs/cgroup/cpu/cpu.rt_runtime_us")];
    let numa = [Need::Root, Need::Path("/proc/self/numa_maps")];
    testbed::main([
        trial("the scheduling policy", root.clone(), policies),
        trial("real-time policies", real_time, real_time_policies),
        trial("a deadline", root.clone(), deadline),
        trial("the I/O priority", ionice, io_priority),
        trial("processors that the caller was kept on are not kept", taskset.clone(), reset_affinity),
        trial("processors of exec, before and after it joins the groups", taskset, exec_affinity),
        trial("the memory policy", numa, memory_policy),
        trial("the personality", root, personality),
    ])
}

/// A container that sleeps, and what the probe sees in it as its own process.
fn sleeper(change: impl FnOnce(&mut Value)) -> Case {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).edit(change);
    case.detach();
    case
}

#[track_caller]
fn looks(case: &Case, options: &[&str]) -> Report {
    case.exec(options, &["/bin/probe"]).ok().json()
}

/// The report of a process given to exec as JSON.
#[track_caller]
fn looks_as(case: &Case, process: Value) -> Report {
    let file = case.bundle.path().join("process.json");
    let mut all = json!({ "cwd": "/", "args": ["/bin/probe"], "user": { "uid": 0, "gid": 0 } });
    all.as_object_mut().unwrap().extend(process.as_object().unwrap().clone());
    fs::write(&file, all.to_string()).unwrap();
    run(case.oci(&["exec", "--process"]).arg(&file).arg(case.id())).ok().json()
}

fn scheduling(policy: u32, nice: i32, priority: u32) -> Scheduling {
    Scheduling { policy, nice, priority }
}

/// The nice value of these tests, which policies without one leave as it is.
fn own_nice() -> i32 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    stat.rsplit_once(") ")
        .and_then(|(_, rest)| rest.split(' ').nth(16)?.parse().ok())
        .expect("proc_pid_stat(5)")
}

fn policies() {
    let cases = [
        (json!({ "policy": "SCHED_OTHER" }), scheduling(0, 0, 0)),
        (json!({ "policy": "SCHED_OTHER", "nice": 5 }), scheduling(0, 5, 0)),
        (json!({ "policy": "SCHED_OTHER", "nice": -20 }), scheduling(0, -20, 0)),
        (json!({ "policy": "SCHED_BATCH", "nice": 19 }), scheduling(3, 19, 0)),
        (json!({ "policy": "SCHED_IDLE" }), scheduling(5, own_nice(), 0)),
    ];
    for mapped in [false, true] {
        for (scheduler, expect) in &cases {
            let mut case = Case::probe();
            if mapped {
                map_ids(&mut case);
            }
            case.edit(|config| config["process"]["scheduler"] = scheduler.clone());
            case.args(&["/bin/probe", "sleep"]).detach();
            let first = fs::read_to_string(format!("/proc/{}/stat", case.pid())).unwrap();
            let fields: Vec<&str> = first.rsplit_once(") ").unwrap().1.split(' ').collect();
            assert_eq!((fields[38], fields[16]), (&*expect.policy.to_string(), &*expect.nice.to_string()));
            assert_eq!(looks(&case, &[]).process.scheduling, *expect, "exec has it, too: {scheduler}");
            let own = looks_as(&case, json!({ "scheduler": { "policy": "SCHED_OTHER", "nice": 7 } }));
            assert_eq!(own.process.scheduling, scheduling(0, 7, 0), "but for its own");
        }
    }
}

fn real_time_policies() {
    for (policy, number) in [("SCHED_FIFO", 1), ("SCHED_RR", 2)] {
        let mut case = Case::probe();
        case.edit(|config| {
            config["process"]["scheduler"] = json!({ "policy": policy, "priority": 10 });
            config["linux"]["resources"]["cpu"] =
                json!({ "realtimeRuntime": 20_000, "realtimePeriod": 1_000_000 });
        });
        assert_eq!(case.report().process.scheduling, scheduling(number, own_nice(), 10));
    }
}

fn deadline() {
    let case = sleeper(|config| {
        config["process"]["scheduler"] = json!({
            "policy": "SCHED_DEADLINE", "flags": ["SCHED_FLAG_RESET_ON_FORK"],
            "runtime": 42_000, "deadline": 100_000, "period": 1_000_000,
        });
    });
    let seen = fs::read_to_string(format!("/proc/{}/sched", case.pid())).unwrap();
    let value = |name: &str| {
        let line = seen.lines().find(|line| line.split(' ').next() == Some(name));
        line.and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
    };
    let values = ["policy", "dl.deadline"].map(|name| value(name).unwrap_or_default());
    assert_eq!(values[0], "6", "{seen}");
    assert!(!values[1].is_empty(), "{seen}");
}

fn io_priority() {
    let of = |pid: &str| run(Command::new("ionice").args(["-p", pid])).ok().stdout.trim().to_owned();
    let cases = [
        (json!({ "class": "IOPRIO_CLASS_BE", "priority": 4 }), "best-effort: prio 4"),
        (json!({ "class": "IOPRIO_CLASS_RT", "priority": 1 }), "realtime: prio 1"),
        (json!({ "class": "IOPRIO_CLASS_IDLE" }), "idle"),
    ];
    for (index, (priority, expect)) in cases.iter().enumerate() {
        let mut case = Case::probe();
        // The real-time class takes privileges that root of a user namespace does not have.
        if index == 1 {
            map_ids(&mut case);
        }
        case.edit(|config| config["process"]["ioPriority"] = priority.clone());
        case.args(&["/bin/probe", "sleep"]).detach();
        assert_eq!(of(&case.pid().to_string()), *expect);
        let file = case.bundle.path().join("exec.pid");
        let options = ["--detach", "--pid-file", file.to_str().unwrap()];
        case.exec(&options, &["/bin/probe", "sleep"]).ok();
        assert_eq!(of(&fs::read_to_string(&file).unwrap()), *expect, "exec");
    }
    let caller = run(Command::new("ionice").args(["-p", &std::process::id().to_string()]));
    assert!(!caller.ok().stdout.contains("idle"), "the caller's own is as it was");
}

/// A command on the first processor alone.
fn on_first_processor(command: &Command) -> Command {
    let mut taskset = Command::new("taskset");
    taskset.args(["--cpu-list", "0"]).arg(command.get_program()).args(command.get_args());
    taskset.stdin(Stdio::null());
    taskset
}

fn own_processors() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:\t")).unwrap().to_owned()
}

fn reset_affinity() {
    let mut case = Case::probe();
    case.args(&["/bin/probe"]);
    let first: Report = run(&mut on_first_processor(&case.make(&["run"]))).ok().json();
    assert_eq!(first.process.cpus, own_processors());
    // It is set for exec alone.
    case.edit(|config| config["process"]["execCPUAffinity"] = json!({ "initial": "0", "final": "0" }));
    assert_eq!(case.report().process.cpus, own_processors());

    let case = sleeper(|_| ());
    let mut command = case.oci(&["exec"]);
    command.arg(case.id()).arg("/bin/probe");
    let more: Report = run(&mut on_first_processor(&command)).ok().json();
    assert_eq!(more.process.cpus, own_processors());

    let case = sleeper(|config| config["linux"]["resources"]["cpu"] = json!({ "cpus": "1" }));
    assert_eq!(looks(&case, &[]).process.cpus, "1", "the cpuset of the group");
}

fn exec_affinity() {
    let case = sleeper(|_| ());
    for (affinity, expect) in [
        (json!({ "initial": "1" }), "1"),
        (json!({ "final": "0" }), "0"),
        (json!({ "initial": "0", "final": "1" }), "1"),
        (json!({ "initial": "", "final": "" }), "0-1"),
        (json!({ "initial": "1", "final": "0-1" }), "0-1"),
    ] {
        let report = looks_as(&case, json!({ "execCPUAffinity": affinity }));
        assert_eq!(report.process.cpus, expect, "{affinity}");
    }
    let case = sleeper(|config| {
        config["process"]["execCPUAffinity"] = json!({ "initial": "0", "final": "1" });
    });
    assert_eq!(looks(&case, &[]).process.cpus, "1", "from the container's configuration");
}

fn memory_policy() {
    for (policy, expect) in [
        (json!({ "mode": "MPOL_DEFAULT" }), "default"),
        (json!({ "mode": "MPOL_LOCAL" }), "local"),
        (json!({ "mode": "MPOL_BIND", "nodes": "0" }), "bind:0"),
        (json!({ "mode": "MPOL_INTERLEAVE", "nodes": "0" }), "interleave:0"),
        (
            json!({ "mode": "MPOL_PREFERRED", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"] }),
            "prefer=static:0",
        ),
        (json!({ "mode": "MPOL_PREFERRED" }), "local"),
        (json!({ "mode": "MPOL_PREFERRED_MANY", "nodes": "0" }), "prefer (many):0"),
    ] {
        let case = sleeper(|config| config["linux"]["memoryPolicy"] = policy.clone());
        let maps = fs::read_to_string(format!("/proc/{}/numa_maps", case.pid())).unwrap();
        assert!(maps.lines().next().unwrap().contains(&format!(" {expect}")), "{policy}: {maps}");
        let word = expect.split(' ').next();
        assert_eq!(looks(&case, &[]).process.memory_policy.as_deref(), word, "exec: {policy}");
    }
}

fn personality() {
    let own = rustix::system::uname().machine().to_string_lossy().into_owned();
    let narrow = if own == "x86_64" { "i686" } else { "armv8l" };
    for (domain, number, machine) in [("LINUX", 0, own.as_str()), ("LINUX32", 8, narrow)] {
        let case = sleeper(|config| config["linux"]["personality"] = json!({ "domain": domain }));
        let exec = looks(&case, &[]).process;
        assert_eq!((exec.personality, exec.machine.as_str()), (number, machine), "exec, {domain}");
        let first = fs::read_to_string(format!("/proc/{}/personality", case.pid())).unwrap();
        assert_eq!(u32::from_str_radix(first.trim(), 16), Ok(number), "{domain}");
    }
}
