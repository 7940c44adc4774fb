//! What a plan says against what the kernel saw: every call of a run that mounts, makes or joins namespaces, changes ids or
//! privileges, by strace(1), and the same plan's rendering.
//!
//! Three things that cuddy-oci does are no part of a plan. Before all else it executes itself anew from a read-only mount
//! (CVE-2019-5736): the comparison begins after that execveat(2). And it asks what the machine is, by an open_tree(2) whose
//! flags no kernel knows: such calls are left out. So is the call with which it becomes the one who reaps orphans of a container
//! that it attends to.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use plan::render::Call;
use plan::{Op, Plan, Side, Step};
use planner::{Options, Start};
use runtime::{Bundle, Request, Store};
use serde_json::{Value, json};
use support::{Case, eventually, map_ids, set_namespace};
use testbed::{Need, Scratch, run, trial};

const TRACED: [&str; 24] = [
    "mount",
    "umount2",
    "fsopen",
    "fsconfig",
    "fsmount",
    "move_mount",
    "open_tree",
    "mount_setattr",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "clone3",
    "setresuid",
    "setresgid",
    "setgroups",
    "capset",
    "prctl",
    "seccomp",
    "sethostname",
    "sched_setattr",
    "ioprio_set",
    "set_mempolicy",
    "personality",
];

fn main() -> ExitCode {
    let needs = || [Need::Root, Need::Program("strace")];
    let compare = |change: fn(&mut Value), words: &'static [&'static str]| {
        move || {
            let mut case = Case::probe();
            case.args(&["/bin/probe", "exit", "0"]).edit(change);
            compare(&case, words);
        }
    };
    testbed::main([
        trial("the standard configuration", needs(), compare(|_| (), &["run"])),
        trial("a container that waits for its start", needs(), compare(|_| (), &["create"])),
        trial("no pivot_root", needs(), compare(|_| (), &["run", "--no-pivot"])),
        trial("a user namespace", needs(), user_namespace),
        trial(
            "a time namespace, and no network or cgroup namespace",
            needs(),
            compare(time_namespace, &["run"]),
        ),
        trial("joined namespaces", needs(), joined),
        trial("bind mounts with options", needs(), bind_mounts),
        trial("another user with ambient capabilities", needs(), compare(another_user, &["run"])),
        trial("a filter without no_new_privs", needs(), compare(filter, &["run"])),
        trial(
            "propagation, masks and read-only paths that are not there",
            needs(),
            compare(absent, &["run"]),
        ),
        trial("scheduling, memory policy and personality", needs(), compare(scheduling, &["run"])),
        trial("a process executed in a running container", needs(), exec),
        trial("a plan that says something else is found out", needs(), found_out),
    ])
}

/// A line of strace: the call, and its result if it succeeded, or the name of its error.
#[derive(Debug)]
struct Seen {
    name: String,
    args: String,
    result: Result<String, String>,
}

/// What each process did, in the order in which they began.
fn trace(command: Command) -> Vec<Vec<Seen>> {
    let directory = Scratch::new();
    let prefix = directory.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["--follow-forks", "--output-separately", "--quiet=all", "--string-limit=4096"]);
    strace.arg(format!("--trace={},execve,execveat", TRACED.join(","))).arg("--output").arg(&prefix);
    strace.arg(command.get_program()).args(command.get_args());
    run(strace.stdin(Stdio::null())).ok();
    let mut files: Vec<_> =
        fs::read_dir(directory.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    files.sort_by_key(|path| path.extension().and_then(|pid| pid.to_str()?.parse::<u32>().ok()));
    files.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Seen> {
    fs::read_to_string(path).unwrap().lines().filter_map(line).collect()
}

/// `NAME(ARGS) = RESULT`; a line about a signal or an exit is none.
fn line(text: &str) -> Option<Seen> {
    let (call, result) = text.rsplit_once(" = ")?;
    let (name, args) = call.trim_end().strip_suffix(')')?.split_once('(')?;
    let mut words = result.split(' ');
    let result = match words.next()? {
        "-1" => Err(words.next()?.to_owned()),
        number => Ok(number.to_owned()),
    };
    Some(Seen { name: name.to_owned(), args: plain(name, args), result })
}

/// Arguments without addresses of our memory and without what strace adds.
fn plain(name: &str, args: &str) -> String {
    match name {
        // {flags=F, pidfd=0xADDRESS, ..., stack=NULL, stack_size=0, ...} => {pidfd=[9]}, 88
        "clone3" => {
            let (given, taken) = args.split_once(" => ").unwrap_or((args, ""));
            let pidfd = taken.split(['[', ']']).nth(1).unwrap_or("");
            let fields =
                given.trim_matches(['{', '}']).split(", ").filter(|field| !field.starts_with("stack"));
            let fields = fields.map(|field| match field.split_once('=') {
                Some(("pidfd", _)) => format!("pidfd={pidfd}"),
                _ => field.to_owned(),
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        "seccomp" => match args.split_once("filter=") {
            Some((before, _)) => format!("{before}filter=...}}"),
            None => args.to_owned(),
        },
        // The mask of all access time bits has a name that strace does not know.
        _ => args.replace("MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x40", "MOUNT_ATTR__ATIME"),
    }
}

/// From the last time that the process executed our own binary up to the program.
fn of_plan(process: &[Seen]) -> &[Seen] {
    let start = process.iter().rposition(|call| call.name == "execveat").map_or(0, |index| index + 1);
    let own = &process[start..];
    let end = own.iter().position(|call| call.name == "execve").unwrap_or(own.len());
    &own[..end]
}

/// Whether this is no part of a plan: it asks which calls there are, or prepares for orphans of a container that is attended
/// to.
fn is_beside(call: &Seen) -> bool {
    let asks = call.name == "open_tree" && call.args.contains("OPEN_TREE_???");
    asks || (call.name == "prctl" && call.args.starts_with("PR_SET_CHILD_SUBREAPER"))
}

/// Values of slots: the number of a descriptor or process.
type Slots = BTreeMap<String, String>;

/// Compares arguments: text with text, and `$slot` with the number that it stands for. One that was filled by a call that
/// is not traced is learnt at its first use.
fn same(expected: &str, seen: &str, slots: &mut Slots) -> bool {
    let (mut expected, mut seen) = (expected, seen);
    while let Some(at) = expected.find('$') {
        let Some(rest) = seen.strip_prefix(&expected[..at]) else { return false };
        expected = &expected[at..];
        let name_end = expected[1..]
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map_or(expected.len(), |end| end + 1);
        let number_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (name, number) = (&expected[..name_end], &rest[..number_end]);
        if number.is_empty() || slots.entry(name.to_owned()).or_insert(number.to_owned()) != number {
            return false;
        }
        (expected, seen) = (&expected[name_end..], &rest[number_end..]);
    }
    expected == seen
}

/// The ways in which a step may be seen.
fn ways(step: &Step) -> Vec<Vec<Call>> {
    let calls = plan::render::calls(&step.op);
    let mut ways = match &step.op {
        // A mask is a copy of the null device or of the empty directory, and the first directory gets the empty one itself.
        Op::Mask { .. } => {
            let choose = |slot: &str| {
                let choose = |call: &Call| match call.args.split_once("$null, or $empty once it is attached")
                {
                    Some((_, rest)) => Call { args: format!("{slot}{rest}"), ..call.clone() },
                    None => call.clone(),
                };
                calls.iter().map(choose).collect::<Vec<_>>()
            };
            let mut itself: Vec<_> = calls.iter().filter(|call| call.name != "open_tree").cloned().collect();
            for call in &mut itself {
                call.args = call.args.replace("$mask", "$empty");
            }
            vec![choose("$null"), choose("$empty"), itself]
        }
        _ => vec![calls],
    };
    if !step.ignore.is_empty() {
        ways.push(Vec::new());
    }
    ways
}

/// Takes one way of a step off what was seen; `None`: it was not seen in this way.
fn take<'a>(step: &Step, way: &[Call], seen: &'a [Seen], slots: &Slots) -> Option<(&'a [Seen], Slots)> {
    let (mut seen, mut slots) = (seen, slots.clone());
    for call in way {
        let result =
            call.result.as_ref().map(|result| result.split(' ').next().unwrap_or_default().to_owned());
        if !TRACED.contains(&call.name) {
            result.map(|slot| slots.remove(&slot));
            continue;
        }
        let (first, rest) = seen.split_first()?;
        let args = call.args.split(" /*").next().unwrap_or_default();
        let args = if call.name == "seccomp" { args } else { &call.args };
        if first.name != call.name || !same(args, &first.args, &mut slots) {
            return None;
        }
        seen = rest;
        match (&first.result, result) {
            (Ok(number), Some(slot)) => drop(slots.insert(slot, number.clone())),
            (Ok(_), None) => {}
            // What may fail ends there.
            (Err(name), _) if step.ignore.iter().any(|errno| format!("{errno:?}") == *name) => break,
            (Err(_), _) => return None,
        }
    }
    Some((seen, slots))
}

/// Goes through a script and what its process did, step by step; the slots at the fork, for the other script.
fn follow(script: &[Step], seen: &[Seen], mut slots: Slots) -> Result<Slots, String> {
    let mut left = seen;
    let mut at_fork = None;
    for (index, step) in script.iter().enumerate() {
        if matches!(step.op, Op::Clone { .. }) {
            at_fork = Some(slots.clone());
        }
        let taken = ways(step).iter().find_map(|way| take(step, way, left, &slots));
        let Some((rest, filled)) = taken else {
            let calls = plan::render::calls(&step.op);
            let calls: Vec<_> =
                calls.iter().filter(|call| TRACED.contains(&call.name)).map(Call::to_string).collect();
            let next = left.first().map(|call| format!("{}({})", call.name, call.args));
            return Err(format!("step {index}, {}: {calls:#?}; the kernel saw {next:?}; {slots:?}", step.op));
        };
        (left, slots) = (rest, filled);
    }
    match left.first() {
        None => Ok(at_fork.unwrap_or(slots)),
        Some(call) => {
            Err(format!("the kernel saw {}({}), which the plan does not have", call.name, call.args))
        }
    }
}

/// Compares a plan with the trace of what it was performed by.
fn check(plan: &Plan, processes: &[Vec<Seen>]) -> Result<(), String> {
    let [host, init, ..] = processes else { return Err(format!("{} processes", processes.len())) };
    let answers = |call: &&Seen| !is_beside(call);
    let host: Vec<_> = of_plan(host).iter().filter(answers).map(copy).collect();
    let slots =
        follow(plan.script(Side::Host), &host, Slots::new()).map_err(|fault| format!("host: {fault}"))?;
    follow(plan.script(Side::Init), of_plan(init), slots).map_err(|fault| format!("init: {fault}"))?;
    Ok(())
}

fn copy(call: &Seen) -> Seen {
    Seen { name: call.name.clone(), args: call.args.clone(), result: call.result.clone() }
}

/// The plan of `cuddy-oci WORDS...` for a case.
fn planned(case: &Case, words: &[&str]) -> Plan {
    let bundle = Bundle::open(case.bundle.path()).unwrap();
    let options = Options {
        start: if words[0] == "create" { Start::OnRequest } else { Start::AtOnce },
        no_pivot: words.contains(&"--no-pivot"),
        ..Options::default()
    };
    let id = case.id().parse().unwrap();
    let request = Request {
        id: &id,
        bundle: &bundle.path,
        config: &bundle.config,
        json: None,
        options: &options,
        console: None,
        pid_file: None,
        manager: None,
        prepare: None,
    };
    Store::new(case.state_dir()).plan(&request).unwrap().plan
}

#[track_caller]
fn compare(case: &Case, words: &[&str]) {
    let plan = planned(case, words);
    let processes = std::thread::scope(|scope| {
        if words[0] == "create" {
            scope.spawn(|| {
                eventually("it waits for its start", || case.does("state").stdout.contains("\"created\""));
                case.does("start").ok();
            });
        }
        trace(case.make(words))
    });
    check(&plan, &processes).unwrap_or_else(|fault| panic!("{fault}"));
}

fn user_namespace() {
    let mut case = Case::probe();
    map_ids(&mut case);
    case.args(&["/bin/probe", "exit", "0"]);
    compare(&case, &["run"]);
}

fn time_namespace(config: &mut Value) {
    set_namespace(config, "time", Some(json!({ "type": "time" })));
    config["linux"]["timeOffsets"] = json!({ "boottime": { "secs": 5 } });
    set_namespace(config, "network", None);
    set_namespace(config, "cgroup", None);
}

fn joined() {
    let mut target = Case::probe();
    target.args(&["/bin/probe", "sleep"]).detach();
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]).edit(|config| {
        for (kind, file) in [("pid", "pid"), ("network", "net"), ("ipc", "ipc"), ("cgroup", "cgroup")] {
            let path = format!("/proc/{}/ns/{file}", target.pid());
            set_namespace(config, kind, Some(json!({ "type": kind, "path": path })));
        }
    });
    compare(&case, &["run"]);
}

fn bind_mounts() {
    let source = Scratch::new();
    fs::write(source.path().join("file"), "").unwrap();
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]).edit(|config| {
        let mount = |destination: &str, source: &Path, options: &[&str]| {
            json!({ "destination": destination, "source": source, "options": options })
        };
        config["mounts"].as_array_mut().unwrap().extend([
            mount("/srv/one", source.path(), &["rbind", "rro", "nosuid", "rprivate"]),
            mount("/srv/two", source.path(), &["bind", "ro", "noatime"]),
            mount("/srv/file", &source.path().join("file"), &["bind", "rw", "shared"]),
            json!({ "destination": "/srv/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=1m", "shared"] }),
        ]);
    });
    compare(&case, &["run"]);
}

fn another_user(config: &mut Value) {
    config["process"]["user"] = json!({ "uid": 1000, "gid": 1000, "additionalGids": [5, 6] });
    let sets = json!(["CAP_CHOWN", "CAP_KILL"]);
    config["process"]["capabilities"] = json!({
        "bounding": sets, "effective": sets, "inheritable": sets, "permitted": sets, "ambient": sets,
    });
}

fn filter(config: &mut Value) {
    config["process"]["noNewPrivileges"] = json!(false);
    config["linux"]["seccomp"] = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "flags": ["SECCOMP_FILTER_FLAG_LOG"],
        "syscalls": [{ "names": ["reboot"], "action": "SCMP_ACT_ERRNO" }],
    });
}

fn scheduling(config: &mut Value) {
    config["process"]["scheduler"] =
        json!({ "policy": "SCHED_BATCH", "nice": 7, "flags": ["SCHED_FLAG_RESET_ON_FORK"] });
    config["process"]["ioPriority"] = json!({ "class": "IOPRIO_CLASS_BE", "priority": 6 });
    config["linux"]["memoryPolicy"] =
        json!({ "mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"] });
    config["linux"]["personality"] = json!({ "domain": "LINUX32" });
}

fn absent(config: &mut Value) {
    config["linux"]["rootfsPropagation"] = json!("rprivate");
    config["linux"]["maskedPaths"] = json!(["/no/such", "/etc", "/proc/keys", "/home", "/etc/passwd/x"]);
    config["linux"]["readonlyPaths"] = json!(["/no/such", "/proc/sys"]);
    config["root"]["readonly"] = json!(false);
}

fn exec() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    let store = Store::new(case.state_dir());
    let id = case.id().parse().unwrap();
    let record = store.open(&id).unwrap().record;
    let mut config = store.target(&id, false).unwrap().config;
    config.process.as_mut().unwrap().args = ["/bin/probe", "exit", "0"].map(str::to_owned).into();
    let others: Vec<_> =
        record.cgroups.iter().filter(|group| Some(*group) != record.unified.as_ref()).cloned().collect();
    let plan = planner::exec(&planner::ExecRequest {
        config: &config,
        facts: &host::privileges().unwrap(),
        id: &id,
        namespaces: &record.namespaces,
        unified: record.unified.as_deref(),
        cgroups: &others,
        state: &store.open(&id).unwrap().state(),
        options: &Options::default(),
    });
    let mut command = case.oci(&["exec"]);
    command.arg(case.id()).args(["/bin/probe", "exit", "0"]);
    check(&plan.unwrap().plan, &trace(command)).unwrap_or_else(|fault| panic!("{fault}"));
}

fn found_out() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]);
    let plan = planned(&case, &["run"]);
    let processes = trace(case.make(&["run"]));
    assert_eq!(check(&plan, &processes), Ok(()));
    let has = |side: Side, step: &Step, name: &str| {
        side == Side::Init
            && step.ignore.is_empty()
            && plan::render::calls(&step.op).iter().any(|call| call.name == name)
    };
    for name in TRACED {
        for index in 0..plan.init.0.len() {
            if !has(Side::Init, &plan.init.0[index], name) {
                continue;
            }
            let mut other = plan.clone();
            let step = other.init.0.remove(index);
            assert!(check(&other, &processes).is_err(), "without step {index}, {}", step.op);
            other.init.0.insert(index, step.clone());
            other.init.0.insert(index, step.clone());
            assert!(check(&other, &processes).is_err(), "twice step {index}, {}", step.op);
        }
    }
}
