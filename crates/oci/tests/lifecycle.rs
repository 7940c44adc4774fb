//! The life of a container: create, start, state, kill, delete, list, as runtime.md of the specification has them.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};
use support::{Case, eventually, set_namespace};
use testbed::{Container, Done, Need, Scratch, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let busybox = [Need::Root, Need::Program("busybox")];
    testbed::main([
        trial("create, start, kill, delete: each state is seen", busybox.clone(), life),
        trial("the state is the specification's", root.clone(), state),
        trial("what makes no sense in a state is refused", root.clone(), refusals),
        trial("a container that does not exist is named", root.clone(), missing),
        trial("a name in use is refused, and its container unharmed", root.clone(), name_in_use),
        trial("a group in use is refused, and its container unharmed", root.clone(), group_in_use),
        trial("a created container is ended or deleted without having run", busybox.clone(), created),
        trial("delete --force ends what runs, and minds nothing that is gone", root.clone(), force),
        trial("the exit code is that of the command", busybox.clone(), exit_codes),
        trial("run --keep leaves the stopped container", root.clone(), keep),
        trial("signals are sent by name and number", busybox.clone(), signals),
        trial("kill --all reaches every process", busybox.clone(), kill_all),
        trial(
            "without a pid namespace the others are ended with the first",
            busybox.clone(),
            kill_without_pid_namespace,
        ),
        trial("list shows names, processes and states", root.clone(), list),
        trial("the pid file has the pid that state shows", root.clone(), pid_file),
        trial("a program that cannot be executed fails at start", root.clone(), fails_at_start),
        trial("spec writes a configuration that runs", busybox.clone(), spec),
        trial("features are data", root.clone(), features),
        trial("failures are logged where --log says", root.clone(), log),
        trial("signals to a run in the foreground reach the program", busybox, foreground_signals),
        trial("a container outlives who created it, and another finds it", root, outlives),
    ])
}

fn life() {
    let mut case = Case::busybox();
    case.edit(|config| config["root"]["readonly"] = json!(false));
    case.args(&[
        "sh",
        "-c",
        "trap 'echo ended >/marker; exit 3' TERM; echo started >/marker; while :; do sleep 0.01; done",
    ]);
    let marker = case.bundle.rootfs().join("marker");

    run(&mut case.make(&["create"])).ok();
    assert_eq!(case.status(), "created");
    let pid = case.pid();
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    assert!(!marker.exists(), "the program runs only after start");

    assert_eq!(case.does("start").ok().stdout, "");
    assert_eq!(case.status(), "running");
    assert_eq!(case.pid(), pid, "the process stays the same");
    eventually("the program runs", || fs::read_to_string(&marker).is_ok_and(|text| text == "started\n"));

    case.does("kill").ok();
    case.wait_until_stopped();
    assert_eq!(fs::read_to_string(&marker).unwrap(), "ended\n", "SIGTERM unless told otherwise");
    assert_eq!(case.state()["pid"], json!(0), "as runc has it");

    case.does("delete").ok();
    assert_eq!(case.does("state").code(), 1);
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn state() {
    let mut case = Case::probe();
    case.edit(|config| config["annotations"] = json!({ "org.example.key": "value" }));
    run(&mut case.make(&["create"])).ok();
    let bundle = case.bundle.path().to_str().unwrap();
    let mut state = case.state();
    // More than the specification asks for, as in runc.
    let more = ["rootfs", "created"].map(|name| state.as_object_mut().unwrap().remove(name));
    assert_eq!(more[0], Some(json!(case.bundle.rootfs())));
    let expect = json!({
        "ociVersion": "1.3.0",
        "id": case.id(),
        "status": "created",
        "pid": case.pid(),
        "bundle": bundle,
        "annotations": { "org.example.key": "value" },
    });
    assert_eq!(state, expect);
}

/// Compares all that a command said: `cuddy-oci: error: MESSAGE`, with ID for the container's name.
#[track_caller]
fn refused(case: &Case, done: &Done, message: &str) {
    let expected = format!("cuddy-oci: error: {}\n", message.replace("ID", case.id()));
    assert_eq!((done.code(), done.stdout.as_str(), done.stderr.as_str()), (1, "", expected.as_str()));
}

fn refusals() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]);
    run(&mut case.make(&["create"])).ok();

    case.does("start").ok();
    refused(&case, &case.does("start"), "cannot start ID: container ID is running; start needs it created");
    refused(
        &case,
        &case.does("delete"),
        "cannot delete ID: container ID is running; delete needs it stopped\n  \
         end it with `kill ID KILL` first, or use `delete --force ID`",
    );

    run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
    case.wait_until_stopped();
    refused(&case, &case.does("start"), "cannot start ID: container ID is stopped; start needs it created");
    refused(
        &case,
        &case.does("kill"),
        "cannot signal ID: container not running: ID is stopped; kill needs it created or running",
    );
    let done = case.exec(&[], &["/bin/probe"]);
    assert_eq!(done.code(), 255);
    assert!(done.stderr.contains("container not running"), "{done:#?}");
    case.does("delete").ok();
}

fn missing() {
    let case = Case::probe();
    let hint = "container ID does not exist\n  `list` shows those that exist";
    for (command, doing) in [("start", "start"), ("state", "show"), ("kill", "signal"), ("delete", "delete")]
    {
        refused(&case, &case.does(command), &format!("cannot {doing} ID: {hint}"));
    }
    let done = case.exec(&[], &["true"]);
    assert_eq!(done.code(), 255, "1 may be the code of a program");
    assert!(done.stderr.contains(&hint.replace("ID", case.id())), "{done:#?}");
    assert_eq!(fs::read_dir(case.state_dir()).unwrap().count(), 0, "looking makes nothing");
}

fn name_in_use() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    let pid = case.pid();
    let hint = "container ID exists already\n  choose another name, or remove it with `delete ID`";
    refused(&case, &case.run(), &format!("cannot start ID: {hint}"));
    refused(&case, &run(&mut case.make(&["create"])), &format!("cannot create ID: {hint}"));
    assert_eq!((case.status().as_str(), case.pid()), ("running", pid));
    let report: probe::Report = case.exec(&[], &["/bin/probe"]).ok().json();
    assert_eq!(report.pids.len(), 2);
}

fn group_in_use() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    let pid = case.pid();
    // In another state directory the name is free, and its group is not; nor is it under another name.
    let elsewhere = Scratch::new();
    let root = elsewhere.path().to_str().unwrap();
    let mut other = Case::probe();
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path = groups.lines().next().and_then(|line| line.splitn(3, ':').nth(2)).unwrap().to_owned();
    other.edit(|config| config["linux"]["cgroupsPath"] = json!(path));
    let mut same_name = Container::with_options(&["--root", root]).command(&["run", "--bundle"]);
    same_name.arg(case.bundle.path()).arg(case.id()).stdin(Stdio::null());
    for (command, id) in [(&mut same_name, case.id()), (&mut other.make(&["create"]), other.id())] {
        let done = run(command);
        let hint =
            "has processes of another container\n  choose another name, or another linux.cgroupsPath\n";
        assert_eq!(done.code(), 1);
        assert!(done.stderr.contains(id) && done.stderr.ends_with(hint), "{done:#?}");
        run(testbed::cuddy_oci(["--root", root, "delete", "--force", id]).stdin(Stdio::null())).ok();
        assert_eq!((case.status().as_str(), case.pid()), ("running", pid));
    }
    assert_eq!(other.left_behind(), Vec::<String>::new());
}

fn created() {
    // The first of a pid namespace gets those signals alone that it has handlers for, and SIGKILL.
    for end in ["kill KILL", "kill TERM", "kill INT", "kill HUP", "kill QUIT", "delete", "delete --force"] {
        let mut case = Case::busybox();
        case.edit(|config| config["root"]["readonly"] = json!(false));
        case.args(&["touch", "/ran"]);
        run(&mut case.make(&["create"])).ok();
        if let Some(signal) = end.strip_prefix("kill ") {
            run(case.oci(&["kill"]).args([case.id(), signal])).ok();
            case.wait_until_stopped();
            case.does("delete").ok();
        } else {
            run(case.oci(&end.split(' ').collect::<Vec<_>>()).arg(case.id())).ok();
        }
        assert!(!case.bundle.rootfs().join("ran").exists(), "{end}");
        assert_eq!(case.left_behind(), Vec::<String>::new(), "{end}");
    }
}

fn force() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    let pid = case.pid();
    for _ in 0..2 {
        let done = run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
        assert_eq!(case.left_behind(), Vec::<String>::new());
        // Whoever it was left to may not have reaped it yet.
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline"));
        assert!(line.is_err() || line.is_ok_and(|line| line.is_empty()));
    }
}

fn exit_codes() {
    let cases = [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 42", 42),
        ("exit 255", 255),
        // Pid 1 cannot end itself by a signal; a child of it can, and the shell says so.
        ("sh -c 'kill -9 $$'; exit $?", 137),
        ("sh -c 'kill -TERM $$'; exit $?", 143),
        ("no-such-command", 127),
    ];
    for (script, code) in cases {
        let mut case = Case::busybox();
        assert_eq!(case.args(&["sh", "-c", script]).run().code(), code, "{script}");
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
    // A signal from outside ends even pid 1.
    let mut case = Case::busybox();
    case.args(&["sleep", "1000"]);
    let mut child = case.make(&["run"]).spawn().unwrap();
    eventually("it runs", || case.does("state").stdout.contains("running"));
    run(case.oci(&["kill"]).args([case.id(), "SIGKILL"])).ok();
    assert_eq!(child.wait().unwrap().code(), Some(137));
}

fn keep() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "5"]);
    assert_eq!(run(&mut case.make(&["run", "--keep"])).code(), 5);
    assert_eq!(case.status(), "stopped");
    case.does("delete").ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn signals() {
    let words = [("USR1", "usr1"), ("SIGUSR2", "usr2"), ("1", "hup"), ("sigint", "int")];
    let mut case = Case::busybox();
    case.edit(|config| config["root"]["readonly"] = json!(false));
    let traps = "for s in usr1 usr2 hup int; do trap \"echo $s >>/log\" $s; done; touch /log; while :; do sleep 0.01; done";
    case.args(&["sh", "-c", traps]).detach();
    let log = case.bundle.rootfs().join("log");
    eventually("the traps are set", || log.exists());
    let mut expect = String::new();
    for (word, name) in words {
        run(case.oci(&["kill"]).args([case.id(), word])).ok();
        expect += &format!("{name}\n");
        eventually(word, || fs::read_to_string(&log).unwrap() == expect);
    }
    for word in ["MOO", "65", "-1", ""] {
        let done = run(case.oci(&["kill", "--"]).args([case.id(), word]));
        refused(
            &case,
            &done,
            &format!(
                "cannot signal ID: {word:?} is no signal\n  name it like TERM or 15; `kill -l` has the list"
            ),
        );
    }
    assert_eq!(case.status(), "running");
}

fn kill_all() {
    let mut case = Case::busybox();
    case.edit(|config| config["root"]["readonly"] = json!(false));
    // Each says so when it gets the signal; the last of them is in a session of its own.
    let one = "trap 'echo x >>/log' USR1; echo ready >>/ready; while :; do sleep 0.01; done";
    fs::write(case.bundle.rootfs().join("one"), one).unwrap();
    case.args(&["sh", "-c", "sh /one & setsid sh /one & sh /one"]).detach();
    let lines = |name: &str| {
        fs::read_to_string(case.bundle.rootfs().join(name)).map_or(0, |text| text.lines().count())
    };
    eventually("all are ready", || lines("ready") == 3);
    run(case.oci(&["kill", "--all"]).args([case.id(), "USR1"])).ok();
    eventually("all got it", || lines("log") == 3 || case.status() == "stopped");
    run(case.oci(&["kill", "--all"]).args([case.id(), "KILL"])).ok();
    case.wait_until_stopped();
    case.does("delete").ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn kill_without_pid_namespace() {
    // The first is killed, or has ended on its own before.
    for (rest, status) in [("sleep 1000", "running"), ("true", "stopped")] {
        let mut case = Case::busybox();
        case.edit(|config| set_namespace(config, "pid", None));
        let script = format!("setsid sh -c ': {}; while :; do sleep 1000; done' & {rest}", case.id());
        case.args(&["sh", "-c", &script]).detach();
        eventually("it is as it shall be", || case.status() == status);
        run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
        case.wait_until_stopped();
        eventually("the child has ended, too", || {
            !case.left_behind().iter().any(|thing| thing.starts_with("process") && thing.contains("while"))
        });
        let again = run(case.oci(&["kill"]).args([case.id(), "KILL"]));
        assert!(again.stderr.contains("container not running"), "{again:?}");
        case.does("delete").ok();
    }
}

fn list() {
    let state = Scratch::new();
    let root = state.path().to_str().unwrap();
    let list = |args: &[&str]| {
        let mut command = testbed::cuddy_oci(["--root", root, "list"]);
        run(command.args(args).stdin(Stdio::null())).ok().stdout
    };
    let header = "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n";
    assert_eq!(
        (list(&[]), list(&["-q"]), list(&["-f", "json"])),
        (header.into(), String::new(), "[]\n".into())
    );

    let mut bundle = testbed::Bundle::probe();
    bundle.args(&["/bin/probe", "sleep"]);
    let containers = [Container::with_options(&["--root", root]), Container::with_options(&["--root", root])];
    for (container, words) in containers.iter().zip([&["create"][..], &["run", "--detach"]]) {
        run(container
            .command(words)
            .arg("--bundle")
            .arg(bundle.path())
            .arg(container.id())
            .stdin(Stdio::null()))
        .ok();
    }
    let [one, two] = containers.each_ref().map(Container::id);
    assert_eq!(list(&["--quiet"]), format!("{one}\n{two}\n"));

    let json: Vec<Value> = serde_json::from_str(&list(&["--format", "json"])).unwrap();
    for (entry, (id, status)) in json.iter().zip([(one, "created"), (two, "running")]) {
        assert_eq!((entry["id"].as_str(), entry["status"].as_str()), (Some(id), Some(status)));
        assert_eq!((&entry["owner"], entry["bundle"].as_str()), (&json!("root"), bundle.path().to_str()));
        let (pid, created) = (entry["pid"].as_i64().unwrap(), entry["created"].as_str().unwrap());
        assert!(Path::new(&format!("/proc/{pid}")).exists());
        assert!(created.ends_with('Z') && created.len() == "2025-01-01T00:00:00Z".len(), "{created}");
        let cells = [id, &pid.to_string(), status, bundle.path().to_str().unwrap(), created, "root"];
        let table = list(&[]);
        let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        assert!(lines.any(|line| line == cells), "{cells:?} is not in {table}");
    }
}

fn pid_file() {
    for words in [&["create"][..], &["run", "--detach"]] {
        let mut case = Case::probe();
        case.args(&["/bin/probe", "sleep"]);
        let file = case.bundle.path().join("pid");
        fs::write(&file, "an older one that is longer").unwrap();
        run(&mut case.make(&[words, &["--pid-file", file.to_str().unwrap()]].concat())).ok();
        assert_eq!(fs::read_to_string(&file).unwrap(), case.pid().to_string());
    }
}

fn fails_at_start() {
    let mut case = Case::probe();
    let script = case.bundle.rootfs().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    run(Command::new("chmod").arg("755").arg(&script)).ok();
    case.args(&["/script"]);
    run(&mut case.make(&["create"])).ok();
    let done = case.does("start");
    assert_eq!(done.code(), 1);
    let message = "execute \"/script\": its interpreter /no/such/interpreter: no such file or directory";
    assert!(done.stderr.contains(message), "{done:#?}");
    case.wait_until_stopped();
    assert_eq!(case.does("start").code(), 1);
    case.does("delete").ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn spec() {
    let mut case = Case::busybox();
    let config = case.bundle.path().join("config.json");
    let write = || run(case.oci(&["spec", "--bundle"]).arg(case.bundle.path()));
    let done = write();
    let there = format!("cuddy-oci: error: cannot write {}: file exists\n", config.display());
    assert_eq!((done.code(), done.stderr), (1, there), "one that is there is not overwritten");
    fs::remove_file(&config).unwrap();
    write().ok();
    let template: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    case.edit(|config| {
        *config = template;
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(["sh", "-c", "hostname; id -u"]);
    });
    assert_eq!(case.run().ok().stdout, "cuddy\n0\n");
}

fn features() {
    let features: Value = run(&mut Case::probe().oci(&["features"])).ok().json();
    assert_eq!((&features["ociVersionMin"], &features["ociVersionMax"]), (&json!("1.0.0"), &json!("1.3.0")));
    let kinds = json!(["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]);
    assert_eq!(features["linux"]["namespaces"], kinds);
    let hooks =
        json!(["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]);
    assert_eq!(features["hooks"], hooks);
    for option in ["ro", "rro", "rbind", "rslave", "nosymfollow"] {
        assert!(features["mountOptions"].as_array().unwrap().contains(&json!(option)), "{option}");
    }
    for module in ["seccomp", "apparmor", "selinux"] {
        assert_eq!(features["linux"][module]["enabled"], json!(true), "{module}");
    }
    assert_eq!(features["linux"]["seccomp"]["actions"].as_array().map(Vec::len), Some(9));
    assert!(features["linux"]["memoryPolicy"]["modes"].as_array().unwrap().contains(&json!("MPOL_BIND")));
}

fn log() {
    let case = Case::probe();
    let file = case.bundle.path().join("log");
    let message = format!("cannot start {}: container {} does not exist", case.id(), case.id());
    for format in ["json", "text"] {
        let _ = fs::remove_file(&file);
        let mut command = case.oci(&["--log", file.to_str().unwrap(), "--log-format", format, "start"]);
        assert_eq!(run(command.arg(case.id())).code(), 1);
        let line = fs::read_to_string(&file).unwrap();
        if format == "json" {
            let entry: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&entry["level"], &entry["msg"]), (&json!("error"), &json!(message)));
        } else {
            assert!(line.ends_with(&format!(" level=error msg={message:?}\n")), "{line}");
        }
    }
}

fn foreground_signals() {
    let mut case = Case::busybox();
    case.edit(|config| config["root"]["readonly"] = json!(false));
    case.args(&["sh", "-c", "trap 'exit 9' TERM; touch /ready; while :; do sleep 0.01; done"]);
    let mut child = case.make(&["run"]).spawn().unwrap();
    eventually("the trap is set", || case.bundle.rootfs().join("ready").exists());
    run(Command::new("kill").args(["-TERM", &child.id().to_string()])).ok();
    assert_eq!(child.wait().unwrap().code(), Some(9));
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn outlives() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    // Its parent is whoever takes orphans, not a process of ours.
    let stat = fs::read_to_string(format!("/proc/{}/status", case.pid())).unwrap();
    let parent = stat.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim().to_owned();
    assert_ne!(parent, std::process::id().to_string());
    let program = fs::read_link(format!("/proc/{parent}/exe")).unwrap_or_default();
    assert!(!program.ends_with("cuddy-oci"), "{program:?}");
    assert_eq!(case.status(), "running");
}
