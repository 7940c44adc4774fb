//! Commands that look at a running container or change it, and what every command has: the log, the help.

mod support;

use std::fs;
use std::os::unix::net::UnixListener;
use std::process::ExitCode;

use serde_json::{Value, json};
use support::{Case, eventually, groups};
use testbed::{Need, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let busybox = [Need::Root, Need::Program("busybox")];
    let memory = [Need::Root, Need::Controller("memory")];
    let oom = [Need::Root, Need::Program("busybox"), Need::Controller("memory")];
    // It asks for the time of the boot, which User Mode Linux does not know.
    let working_ps =
        [Need::Root, Need::Program(if testbed::kernel::inside().is_some() { "ps that works" } else { "ps" })];
    testbed::main_also_on_v2([
        trial("a paused container stands still until it is resumed", busybox.clone(), pause),
        trial("what is refused in a paused or stopped container", root.clone(), paused_refusals),
        trial("a paused container can be killed and deleted", root.clone(), paused_end),
        trial("exec waits in a paused container if it is told to", busybox.clone(), ignore_paused),
        trial("a container frozen by somebody else is paused", root.clone(), frozen_by_another),
        trial("limits are changed by options", [Need::Root, Need::Controller("cpuset")], update_by_options),
        trial("limits are changed by a file and by standard input", memory, update_by_json),
        trial("limits that are wrong are named, and nothing is changed", root.clone(), update_refusals),
        trial("exec can be in a cgroup below the container's", busybox.clone(), exec_cgroup),
        trial("statistics are printed as runc prints them", root.clone(), statistics),
        trial("what happens is told until the container ends", oom, events),
        trial("orphans of a container without a pid namespace are reaped", busybox.clone(), orphans),
        trial("ps lists the processes of the container", working_ps, ps),
        trial("without cgroups there are none, and commands that need them say so", root.clone(), no_cgroups),
        trial("state has what runc has, in its order", root.clone(), state),
        trial("the process is sent as a pidfd", root.clone(), pidfd_socket),
        trial("a process that nobody takes is ended", root.clone(), pidfd_socket_closed),
        trial("a list of a root that is not there", root.clone(), list_without_root),
        trial("the configuration may be another file", root.clone(), other_config),
        trial("signal 0 asks whether a container lives", root.clone(), signal_zero),
        trial("with --debug the log has what is done", root, debug),
        trial("the log can be standard error", [], log_to_stderr),
        trial("help is printed for each command", [], help),
    ])
}

fn sleeper() -> Case {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    case
}

/// A container that counts in `/count`, as fast as it can.
fn counter() -> Case {
    let mut case = Case::busybox();
    case.edit(|config| config["root"]["readonly"] = json!(false));
    case.args(&["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/count; done"]).detach();
    eventually("it counts", || count(&case) > 0);
    case
}

fn count(case: &Case) -> u64 {
    let text = fs::read_to_string(case.bundle.rootfs().join("count")).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

fn pause() {
    let case = counter();
    case.does("pause").ok();
    assert_eq!(case.status(), "paused");
    let (before, pid) = (count(&case), case.pid());
    // Long enough for thousands of rounds.
    assert!(!support::happens_within_a_moment(|| count(&case) != before));
    case.does("pause").ok();
    assert_eq!((case.status().as_str(), case.pid()), ("paused", pid));
    case.does("resume").ok();
    assert_eq!(case.status(), "running");
    eventually("it goes on", || count(&case) > before);
}

fn paused_refusals() {
    let case = sleeper();
    let says = |command: &str, words: &str| {
        let done = case.does(command);
        assert_eq!(done.code(), 1, "{done:#?}");
        assert!(done.stderr.contains(words), "{done:#?}");
    };
    says("resume", &format!("container not paused: {} is running", case.id()));
    case.does("pause").ok();
    let done = case.exec(&[], &["/bin/probe"]);
    assert_eq!(done.code(), 255);
    assert!(done.stderr.contains("cannot exec in a paused container"), "{done:#?}");
    says("delete", "is paused; delete needs it stopped");
    says("start", "is paused; start needs it created");
    run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
    case.wait_until_stopped();
    for command in ["pause", "update", "kill"] {
        says(command, &format!("container not running: {} is stopped", case.id()));
    }
    says("resume", &format!("container not paused: {} is stopped", case.id()));
    run(case.oci(&["kill", "--all"]).args([case.id(), "KILL"])).ok();
    case.does("delete").ok();
    for command in ["pause", "resume", "update", "kill", "ps"] {
        says(command, "does not exist");
    }
}

fn paused_end() {
    for namespaces in [&["pid", "mount"][..], &["mount"]] {
        for words in [&["kill", "KILL"][..], &["delete", "--force"]] {
            let mut case = Case::probe();
            case.edit(|config| {
                config["linux"]["namespaces"] =
                    namespaces.iter().map(|kind| json!({ "type": kind })).collect();
                config.as_object_mut().unwrap().remove("hostname");
            });
            case.args(&["/bin/probe", "sleep"]).detach();
            case.does("pause").ok();
            let mut command = case.oci(&words[..1]);
            match words {
                ["kill", signal] => run(command.args([case.id(), signal])).ok(),
                _ => run(command.args(&words[1..]).arg(case.id())).ok(),
            };
            if words[0] == "kill" {
                case.wait_until_stopped();
                case.does("delete").ok();
            }
            assert_eq!(case.left_behind(), Vec::<String>::new(), "{namespaces:?} {words:?}");
        }
    }
}

fn ignore_paused() {
    let case = counter();
    case.does("pause").ok();
    let mut exec = case.oci(&["exec", "--ignore-paused"]);
    let mut child = exec.arg(case.id()).args(["sh", "-c", "echo done >/done"]).spawn().unwrap();
    let done = case.bundle.rootfs().join("done");
    assert!(!support::happens_within_a_moment(|| done.exists()));
    case.does("resume").ok();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_to_string(done).unwrap(), "done\n");
}

fn frozen_by_another() {
    let case = sleeper();
    let groups = groups(case.pid());
    let find = |name: &str| groups.iter().map(|(_, path)| path.join(name)).find(|path| path.exists());
    for (file, on, off) in [("cgroup.freeze", "1", "0"), ("freezer.state", "FROZEN", "THAWED")] {
        let Some(file) = find(file) else { continue };
        fs::write(&file, on).unwrap();
        assert_eq!(case.status(), "paused", "{file:?}");
        case.does("resume").ok();
        assert_eq!(fs::read_to_string(&file).unwrap().trim(), off);
        assert_eq!(case.status(), "running");
    }
}

/// What a file of the container's groups holds.
fn setting(case: &Case, names: &[&str]) -> String {
    let groups = groups(case.pid());
    let files = names.iter().flat_map(|name| groups.iter().map(move |(_, path)| path.join(name)));
    let text = files.filter_map(|file| fs::read_to_string(file).ok()).next();
    text.unwrap_or_else(|| panic!("no group has one of {names:?}")).trim().to_owned()
}

const MEMORY: &[&str] = &["memory.limit_in_bytes", "memory.max"];
const PIDS: &[&str] = &["pids.max"];

fn update(case: &Case, options: &[&str]) -> testbed::Done {
    run(case.oci(&["update"]).args(options).arg(case.id()))
}

fn update_by_options() {
    let case = sleeper();
    update(&case, &["--memory", "64M", "--pids-limit=20", "--cpu-quota", "50000", "--cpu-period", "100000"])
        .ok();
    assert_eq!((setting(&case, MEMORY), setting(&case, PIDS)), ("67108864".into(), "20".into()));
    let quota = setting(&case, &["cpu.cfs_quota_us", "cpu.max"]);
    assert!(["50000", "50000 100000"].contains(&quota.as_str()), "{quota}");
    update(&case, &["--memory", "33554432", "--cpu-share", "512", "--cpuset-cpus", "0", "--cpuset-mems", ""])
        .ok();
    assert_eq!((setting(&case, MEMORY), setting(&case, PIDS)), ("33554432".into(), "20".into()));
    let shares = setting(&case, &["cpu.shares", "cpu.weight"]);
    assert!(["512", "20"].contains(&shares.as_str()), "{shares}");
    assert_eq!(setting(&case, &["cpuset.cpus"]), "0");
    update(&case, &["--pids-limit", "-1", "--memory", "-1"]).ok();
    assert_eq!(setting(&case, PIDS), "max");
    let unlimited = setting(&case, MEMORY);
    assert!(unlimited == "max" || unlimited.parse::<u64>().unwrap() > 1 << 60, "{unlimited}");
    let done = update(&case, &["--kernel-memory", "50M"]).ok();
    assert!(done.stderr.contains("kernel memory are ignored"), "{done:#?}");
    update(&case, &[]).ok();
}

fn update_by_json() {
    let case = sleeper();
    let file = case.bundle.path().join("limits.json");
    let json = json!({ "memory": { "limit": 64 << 20 }, "pids": { "limit": 30 } });
    fs::write(&file, json.to_string()).unwrap();
    update(&case, &["--resources", file.to_str().unwrap(), "--pids-limit", "7"]).ok();
    assert_eq!((setting(&case, MEMORY), setting(&case, PIDS)), ("67108864".into(), "30".into()));
    let json = json!({ "pids": { "limit": 31 } }).to_string();
    let mut command = case.oci(&["update", "-r", "-"]);
    run(command.arg(case.id()).stdin(testbed::input(&json))).ok();
    assert_eq!((setting(&case, MEMORY), setting(&case, PIDS)), ("67108864".into(), "31".into()));
}

fn update_refusals() {
    let case = sleeper();
    let before = (setting(&case, MEMORY), setting(&case, PIDS));
    let file = case.bundle.path().join("limits.json");
    fs::write(&file, r#"{ "memory": { "limit": "much" }, "pids": { "limit": 1 } }"#).unwrap();
    let file = file.to_str().unwrap();
    for (options, words) in [
        (&["--resources", file][..], "invalid type: string \"much\""),
        (&["--resources", "/no/such"], "cannot read /no/such"),
        (&["--pids-limit", "9", "--cpuset-cpus", "nonsense"], "cpu/cpus"),
        (&["--memory", "64M", "--memory-swap", "32M"], "memory/swap"),
        (&["--blkio-weight", "5"], "blockIO/weight"),
        (&["--pids-limit", "9", "--l3-cache-schema", "L3:0=f"], "has no linux.intelRdt in its configuration"),
    ] {
        let done = update(&case, options);
        assert_eq!(done.code(), 1, "{done:#?}");
        assert!(
            done.stderr.starts_with(&format!("cuddy-oci: error: cannot update {}: ", case.id())),
            "{done:#?}"
        );
        assert!(done.stderr.contains(words), "{done:#?}");
    }
    assert_eq!((setting(&case, MEMORY), setting(&case, PIDS)), before);
}

fn exec_cgroup() {
    let mut case = Case::busybox();
    case.args(&["sleep", "1000"]).detach();
    let pids = groups(case.pid()).into_iter().find(|(_, path)| path.join("pids.max").exists());
    let (controller, pids) = pids.expect("a hierarchy that counts processes");
    fs::create_dir(pids.join("below")).unwrap();
    let own = fs::read_to_string(format!("/proc/{}/cgroup", case.pid())).unwrap();
    let seen = |options: &[&str]| {
        let file = case.bundle.path().join("exec.pid");
        let options = [options, &["--detach", "--pid-file", file.to_str().unwrap()]].concat();
        case.exec(&options, &["sleep", "1000"]).ok();
        fs::read_to_string(format!("/proc/{}/cgroup", fs::read_to_string(file).unwrap())).unwrap()
    };
    assert_eq!(seen(&["--cgroup", "/"]), own);
    if !controller.is_empty() {
        let line = own.lines().find(|line| line.contains(&format!(":{controller}:"))).unwrap();
        let asked = format!("{controller}:below");
        assert_eq!(seen(&["--cgroup", &asked]), own.replace(line, &format!("{line}/below")));
    }
    for (asked, words) in [
        ("..", "bad sub cgroup path"),
        ("nosuch", "nosuch: no such file or directory"),
        ("moo:/", "unknown controller moo"),
    ] {
        let done = case.exec(&["--cgroup", asked], &["true"]);
        assert!(done.code() == 255 && done.stderr.contains(words), "{done:#?}");
    }
    for (first, second) in [("a", "b"), ("pids:a", "pids:b"), (":a", "pids:b")] {
        let done = case.exec(&["--cgroup", first, "--cgroup", second], &["true"]);
        assert!(done.stderr.starts_with("cuddy-oci: error: --cgroup "), "{done:#?}");
    }
}

fn statistics() {
    let case = sleeper();
    let text = run(case.oci(&["events", "--stats"]).arg(case.id())).ok().stdout;
    assert!(
        text.starts_with(&format!("{{\"type\":\"stats\",\"id\":\"{}\",\"data\":{{", case.id())),
        "{text}"
    );
    let event: Value = serde_json::from_str(&text).unwrap();
    let data = &event["data"];
    assert_eq!(data["pids"]["current"], json!(1));
    for (pointer, at_least) in [
        ("/cpu/usage/total", 1),
        ("/memory/usage/usage", 4096),
        ("/memory/usage/limit", 4096),
        ("/memory/raw/pgfault", 0),
        ("/cpu/throttling/periods", 0),
    ] {
        let number = data.pointer(pointer).and_then(Value::as_u64);
        assert!(number.is_some_and(|number| number >= at_least), "{pointer}: {data}");
    }
    let processors = data["cpuset"]["cpus"].as_array();
    assert!(processors.is_none_or(|list| !list.is_empty()), "{data}");
}

fn events() {
    let mut case = Case::busybox();
    case.edit(|config| config["linux"]["resources"]["memory"] = json!({ "limit": 16 << 20 }));
    case.args(&["sleep", "1000"]).detach();
    let file = case.bundle.path().join("events");
    let mut command = case.oci(&["events", "--interval", "20ms"]);
    command.arg(case.id()).stdout(fs::File::create(&file).unwrap());
    let mut watching = command.spawn().unwrap();
    let lines = || {
        let text = fs::read_to_string(&file).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let oom = json!({ "type": "oom", "id": case.id() });
    eventually("statistics come", || lines().iter().filter(|event| event["type"] == "stats").count() > 2);
    assert!(!lines().contains(&oom));
    let greedy = case.exec(&[], &["sh", "-c", "tail -c 100000000 /dev/zero"]);
    assert_ne!(greedy.code(), 0);
    eventually("the kill is told", || lines().contains(&oom));
    run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
    assert_eq!(watching.wait().unwrap().code(), Some(0), "it ends with the container");
    let done = run(case.oci(&["events"]).arg(case.id()));
    assert!(done.stderr.contains("container not running"), "{done:#?}");
}

/// A process whose parent has ended has another then: the machine's init, or who attends to the container.
fn orphans() {
    for (option, adopted) in [(None, true), (Some("--no-subreaper"), false)] {
        let mut case = Case::busybox();
        case.edit(|config| {
            support::set_namespace(config, "pid", None);
            config["root"]["readonly"] = json!(false);
            // The parents are seen in the machine's own.
            config["mounts"] = json!([]);
        });
        // It lives long enough to be looked at, and is gone soon.
        let script = "(sleep 1 & echo $! >/orphan) ; sleep 1000";
        case.args(&["sh", "-c", script]);
        let mut command = case.make(&["run"]);
        command.args(option);
        let mut child = command.spawn().unwrap();
        let file = case.bundle.rootfs().join("orphan");
        eventually("there is one", || fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')));
        let orphan = fs::read_to_string(&file).unwrap().trim().to_owned();
        let parent = || {
            let status = fs::read_to_string(format!("/proc/{orphan}/status")).ok()?;
            status.lines().find_map(|line| line.strip_prefix("PPid:\t")).map(str::to_owned)
        };
        let ours = child.id().to_string();
        let seen = parent();
        assert!(seen.is_none_or(|seen| (seen == ours) == adopted), "{option:?}: {ours}");
        eventually("it is reaped", || parent().is_none_or(|parent| !adopted && parent != ours));
        run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
        assert_eq!(child.wait().unwrap().code(), Some(137));
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}

fn ps() {
    let case = sleeper();
    let exec = case.bundle.path().join("pid");
    case.exec(&["--detach", "--pid-file", exec.to_str().unwrap()], &["/bin/probe", "sleep"]).ok();
    let mut pids = [case.pid(), fs::read_to_string(exec).unwrap().parse().unwrap()];
    pids.sort();
    let ps = |words: &[&str]| run(case.oci(&["ps"]).args(words)).ok().stdout;
    let json: Vec<i32> = serde_json::from_str(&ps(&["--format", "json", case.id()])).unwrap();
    assert_eq!(json, pids);
    let table = ps(&[case.id()]);
    assert!(table.starts_with("UID ") && table.lines().count() == 3, "{table}");
    let table = ps(&[case.id(), "-eo", "pid,args"]);
    for pid in pids {
        assert!(table.lines().any(|line| line.trim() == format!("{pid} /bin/probe sleep")), "{table}");
    }
    let done = run(case.oci(&["ps", case.id(), "--no-such-option"]).env("LC_ALL", "C"));
    assert_eq!(done.code(), 1, "{done:#?}");
    let done = run(&mut case.oci(&["ps", case.id(), "-eo", "args"]));
    assert!(done.code() == 1 && done.stderr.contains("ps: shows no PID"), "{done:#?}");
}

fn no_cgroups() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]);
    case.edit(|config| config["linux"]["resources"] = json!({ "pids": { "limit": 20 } }));
    let oci = |words: &[&str]| {
        let mut command = case.oci(&["--cgroup-manager=disabled"]);
        command.args(words);
        command
    };
    let bundle = case.bundle.path().to_str().unwrap();
    run(&mut oci(&["run", "--detach", "--bundle", bundle, case.id()])).ok();
    let theirs = fs::read_to_string(format!("/proc/{}/cgroup", case.pid())).unwrap();
    assert_eq!(theirs, fs::read_to_string("/proc/self/cgroup").unwrap());
    // The processes of a pid namespace can be found without.
    let pids: Vec<i32> = run(&mut oci(&["ps", "--format", "json", case.id()])).ok().json();
    assert_eq!(pids, [case.pid()]);
    for command in ["pause", "update"] {
        let done = run(&mut oci(&[command, case.id()]));
        let words = format!("container {} has no cgroups; {command} needs them", case.id());
        assert!(done.code() == 1 && done.stderr.contains(&words), "{done:#?}");
    }
    run(&mut oci(&["exec", case.id(), "/bin/probe"])).ok();
    run(&mut oci(&["delete", "--force", case.id()])).ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn state() {
    let mut case = Case::probe();
    case.edit(|config| config["annotations"] = json!({ "a.b": "c" }));
    case.args(&["/bin/probe", "sleep"]).detach();
    let text = case.does("state").ok().stdout;
    let keys: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect();
    assert_eq!(keys, ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "annotations"]);
    let state = case.state();
    assert_eq!(state["rootfs"], json!(case.bundle.rootfs()));
    run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
    case.wait_until_stopped();
    assert_eq!(case.state()["pid"], json!(0));
}

fn pidfd_socket() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]);
    let path = case.bundle.path().join("pidfd.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let option = ["--pidfd-socket", path.to_str().unwrap()];
    run(&mut case.make(&["create", option[0], option[1]])).ok();
    assert_eq!(received(&listener), case.pid());
    case.does("start").ok();
    let file = case.bundle.path().join("pid");
    case.exec(
        &[&option[..], &["-d", "--pid-file", file.to_str().unwrap()]].concat(),
        &["/bin/probe", "sleep"],
    )
    .ok();
    assert_eq!(received(&listener).to_string(), fs::read_to_string(&file).unwrap());
    drop(listener);
    fs::remove_file(&path).unwrap();
    let done = case.exec(&option, &["/bin/probe"]);
    assert!(done.stderr.contains(&format!("cannot connect to pidfd socket {}", path.display())), "{done:#?}");
}

fn pidfd_socket_closed() {
    let mut case = Case::probe();
    let (path, closed) = (case.bundle.path().join("pidfd.sock"), case.bundle.path().join("closed"));
    let script = format!("while ! test -e {}; do sleep 0.01; done", closed.display());
    case.edit(|config| {
        config["hooks"] = json!({ "createRuntime": [{ "path": "/bin/sh", "args": ["sh", "-c", script] }] });
    });
    let listener = UnixListener::bind(&path).unwrap();
    let closing = std::thread::spawn(move || {
        drop(listener.accept().unwrap());
        fs::write(closed, "").unwrap();
    });
    let done = run(&mut case.make(&["create", "--pidfd-socket", path.to_str().unwrap()]));
    closing.join().unwrap();
    assert_eq!(done.code(), 1);
    assert!(done.stderr.contains(&format!("cannot send the process to {}", path.display())), "{done:#?}");
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn list_without_root() {
    let case = Case::probe();
    let root = case.state_dir().join("none");
    let done = run(&mut testbed::cuddy_oci(["--root", root.to_str().unwrap(), "list"]));
    let message = format!("cuddy-oci: error: cannot read {}: no such file or directory\n", root.display());
    assert_eq!((done.code(), done.stdout.as_str(), done.stderr), (1, "", message));
}

/// The pid of the process that was sent.
fn received(listener: &UnixListener) -> i32 {
    let (stream, _) = listener.accept().unwrap();
    let pidfd = runtime::console::receive(&stream.into()).unwrap().expect("a descriptor was sent");
    let info = format!("/proc/self/fdinfo/{}", std::os::fd::AsRawFd::as_raw_fd(&pidfd));
    let info = fs::read_to_string(info).unwrap();
    info.lines().find_map(|line| line.strip_prefix("Pid:")).unwrap().trim().parse().unwrap()
}

fn other_config() {
    let mut case = Case::probe();
    let mut config = case.bundle.config().clone();
    config["process"]["args"] = json!(["/bin/probe", "sleep"]);
    config["hostname"] = json!("other");
    let file = case.bundle.path().join("other.json");
    fs::write(&file, config.to_string()).unwrap();
    case.edit(|config| *config = json!("nothing of a configuration"));
    run(&mut case.make(&["run", "--detach", "--config", file.to_str().unwrap()])).ok();
    let report: probe::Report = case.exec(&[], &["/bin/probe"]).ok().json();
    assert_eq!(report.hostname, "other");
    let done = run(&mut case.make(&["run", "-f", "/no/such"]));
    assert!(done.stderr.contains("cannot read /no/such"), "{done:#?}");
}

fn signal_zero() {
    let case = sleeper();
    let zero = || run(case.oci(&["kill"]).args([case.id(), "0"]));
    zero().ok();
    assert_eq!(case.status(), "running");
    run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
    case.wait_until_stopped();
    assert_eq!(zero().code(), 1);
}

fn debug() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]);
    let log = case.bundle.path().join("log");
    let run_with = |words: &[&str]| {
        let mut command = case.oci(words);
        run(command.args(["run", "--bundle"]).arg(case.bundle.path()).arg(case.id())).ok()
    };
    assert!(run_with(&["--debug"]).stderr.contains(" level=debug msg="));
    let file = log.to_str().unwrap();
    assert_eq!(run_with(&["--debug", "--log", file, "--log-format", "json"]).stderr, "");
    let lines = fs::read_to_string(&log).unwrap();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], json!("debug"));
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
    }
    assert!(lines.lines().count() >= 2, "{lines}");
    run_with(&["--log", file]);
    assert_eq!(
        fs::read_to_string(&log).unwrap(),
        lines,
        "nothing more without --debug, and what was there stays"
    );
}

fn log_to_stderr() {
    let case = Case::new(testbed::Bundle::probe());
    let done = run(case.oci(&["--log-format", "json", "state"]).arg(case.id()));
    let line: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!((line["level"].as_str(), done.code()), (Some("error"), 1));
    let done = run(&mut case.oci(&["--log-format", "json", "state", "--moo"]));
    let line: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(line["msg"], json!("invalid option '--moo'"));
}

fn help() {
    let help = |words: &[&str]| run(&mut testbed::cuddy_oci(words)).ok().stdout;
    let all = help(&["--help"]);
    assert!(all.starts_with("NAME:\n   cuddy-oci - "), "{all}");
    assert_eq!((help(&["-h"]), help(&["help"])), (all.clone(), all.clone()));
    let commands = all.split("COMMANDS:\n").nth(1).unwrap().lines().take_while(|line| !line.is_empty());
    let commands: Vec<_> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(commands.len(), 17, "{commands:?}");
    for command in commands {
        let text = help(&[command, "--help"]);
        assert!(text.starts_with(&format!("NAME:\n   cuddy-oci {command} - ")), "{text}");
        assert_eq!(help(&["help", command]), text);
    }
}
