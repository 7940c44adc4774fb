//! Filters that ask somebody: the listener, what comes with it, and what the answers do.

mod support;

use std::fs;
use std::process::ExitCode;

use serde_json::{Value, json};
use support::agent::{Agent, serve};
use support::{Case, map_ids};
use sys::seccomp::{Answer, Notification};
use testbed::{Need, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let busybox = [Need::Root, Need::Program("busybox")];
    testbed::main([
        trial("a call gets the answer of who listens", busybox.clone(), answers),
        trial("who listens is told of the container before it starts", root.clone(), before_start),
        trial("a process of exec has a listener of its own", busybox.clone(), exec),
        trial("calls that cuddy itself makes can be asked about", busybox.clone(), important_calls),
        trial("when who listened is gone calls are not there", busybox.clone(), gone),
        trial("a user namespace", busybox.clone(), user_namespace),
        trial("a listener that nobody is asked through", root.clone(), ignored),
        trial("the profile has to let the listener be handed over", root.clone(), strict),
        trial("a filter for calls of other architectures", root.clone(), architectures),
        trial("nobody listens", root, nobody),
    ])
}

fn profile(agent: &Agent, calls: &[&str]) -> Value {
    json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
        "listenerPath": agent.path(),
        "listenerMetadata": "for=the agent",
        "syscalls": [{ "names": calls, "action": "SCMP_ACT_NOTIFY" }],
    })
}

/// Whether a call is the native one of this name.
fn is(call: &Notification, name: &str) -> bool {
    let native = seccomp::Arch::host().expect("cuddy runs here");
    native.number(name) == Some(call.call as u32)
}

fn proceed(_: &Notification) -> Answer {
    Answer::Continue
}

fn answers() {
    const ENOMEDIUM: i32 = 123;
    for (no_new_privs, flags) in [
        (true, json!([])),
        (false, json!(["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"])),
        (true, json!(["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"])),
    ] {
        let agent = Agent::new();
        let mut case = Case::busybox();
        case.edit(|config| {
            config["process"]["noNewPrivileges"] = json!(no_new_privs);
            config["linux"]["seccomp"] = profile(&agent, &["geteuid", "mkdir", "mkdirat", "sync"]);
            config["linux"]["seccomp"]["flags"] = flags;
        });
        case.args(&["sh", "-c", "id -u; mkdir /dev/shm/x && ls /dev/shm; sync && echo synced"]);
        let answer = |call: &Notification| match () {
            () if is(call, "geteuid") => Answer::Value(4242),
            () if is(call, "sync") => Answer::Continue,
            () => Answer::Errno(ENOMEDIUM),
        };
        let (state, done) = agent.during(answer, || case.run());
        assert_eq!(done.stdout, "4242\nsynced\n", "{done:#?}");
        assert_eq!(done.stderr, "mkdir: can't create directory '/dev/shm/x': No medium found\n");
        assert_eq!(done.code(), 0);
        assert_eq!(state["metadata"], "for=the agent");
    }
}

fn before_start() {
    let agent = Agent::new();
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).edit(|config| {
        config["linux"]["seccomp"] = profile(&agent, &["getcwd"]);
        config["annotations"] = json!({ "a": "b" });
    });
    run(&mut case.make(&["create"])).ok();
    let (state, listener) = agent.take();
    let pid = case.pid();
    let expected = json!({
        "ociVersion": "1.3.0", "fds": ["seccompFd"], "pid": pid, "metadata": "for=the agent",
        "state": {
            "ociVersion": "1.3.0", "id": case.id(), "status": "creating", "pid": pid,
            "bundle": case.bundle.path(), "annotations": { "a": "b" },
        },
    });
    assert_eq!(state, expected);
    assert_eq!(case.status(), "created");
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&listener, proceed));
        case.does("start").ok();
        assert_eq!(case.status(), "running");
        run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    });
}

fn exec() {
    let agent = Agent::new();
    let mut case = Case::busybox();
    case.args(&["sleep", "1000"]).edit(|config| config["linux"]["seccomp"] = profile(&agent, &["geteuid"]));
    case.detach();
    let (first, listener) = agent.take();
    let (state, done) = std::thread::scope(|scope| {
        scope.spawn(|| serve(&listener, proceed));
        let told = agent.during(|_| Answer::Value(7), || case.exec(&[], &["id", "-u"]));
        run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
        told
    });
    assert_eq!(done.ok().stdout, "7\n");
    assert_eq!(first["state"]["status"], "creating");
    assert_eq!((&state["state"]["status"], &state["state"]["pid"]), (&json!("running"), &first["pid"]));
    assert_ne!(state["pid"], state["state"]["pid"]);
}

fn important_calls() {
    let calls =
        ["execve", "openat", "open", "read", "close", "fcntl", "sendto", "sendmsg", "recvfrom", "accept4"];
    for command in ["run", "create"] {
        let agent = Agent::new();
        let mut case = Case::busybox();
        case.args(&["cat", "/etc/hostname"])
            .edit(|config| config["linux"]["seccomp"] = profile(&agent, &calls));
        let (_, done) = agent.during(proceed, || {
            let made = run(&mut case.make(&[command]));
            if command == "create" {
                case.does("start").ok();
                case.wait_until_stopped();
            }
            made
        });
        // What a created container says later is not heard here.
        assert_eq!(done.ok().stdout, if command == "run" { "rootfs\n" } else { "" });
    }
}

fn gone() {
    let agent = Agent::new();
    let mut case = Case::busybox();
    case.args(&["sh", "-c", "read line; mkdir /dev/shm/x"]);
    case.edit(|config| config["linux"]["seccomp"] = profile(&agent, &["mkdir", "mkdirat"]));
    let fifo = case.bundle.path().join("input");
    run(std::process::Command::new("mkfifo").arg(&fifo)).ok();
    let done = std::thread::scope(|scope| {
        let taking = scope.spawn(|| agent.take());
        let running = scope.spawn(|| run(case.make(&["run"]).stdin(fs::File::open(&fifo).unwrap())));
        let input = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
        drop(taking.join().unwrap());
        drop(input);
        running.join().unwrap()
    });
    let refused = "mkdir: can't create directory '/dev/shm/x': Function not implemented\n";
    assert_eq!((done.code(), done.stderr.as_str()), (1, refused));
}

fn user_namespace() {
    let agent = Agent::new();
    let mut case = Case::busybox();
    map_ids(&mut case);
    case.args(&["id", "-u"]).edit(|config| config["linux"]["seccomp"] = profile(&agent, &["geteuid"]));
    let (_, done) = agent.during(|_| Answer::Value(9), || case.run());
    assert_eq!(done.ok().stdout, "9\n");
}

/// config-linux.md: "If the `SCMP_ACT_NOTIFY` action is not used this value is ignored." crun sends a listener to who is
/// there.
fn ignored() {
    let agent = Agent::new();
    let mut case = Case::probe();
    let socket = agent.path();
    case.args(&["/bin/probe", "exit", "0"]).edit(|config| {
        config["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": socket });
    });
    let (state, done) = agent.during(proceed, || case.run());
    assert_eq!((done.code(), &state["fds"]), (0, &json!(["seccompFd"])));
    for path in [json!("/no/such/socket"), json!(case.bundle.path()), json!("@abstract")] {
        case.edit(|config| config["linux"]["seccomp"]["listenerPath"] = path);
        case.run().ok();
    }
}

fn strict() {
    let agent = Agent::new();
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"]).edit(|config| {
        config["linux"]["seccomp"] = profile(&agent, &["getcwd"]);
        config["linux"]["seccomp"]["syscalls"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "names": ["accept4"], "action": "SCMP_ACT_ERRNO" }));
    });
    let message = "/linux/seccomp/syscalls: a filter with SCMP_ACT_NOTIFY has to allow accept4, by which its listener is \
                   handed over\n  add a rule that allows it";
    let refused = run(&mut case.make(&["create"]));
    assert!(refused.stderr.contains(message), "{refused:#?}");
    let (_, done) = agent.during(proceed, || case.run());
    assert_eq!(done.code(), 0, "who does not wait for start needs no accept4");
}

/// All that the specification names in one filter; those of other machines are passed over.
fn architectures() {
    let mut case = Case::probe();
    case.edit(|config| {
        config["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": seccomp::ARCHITECTURES,
            "syscalls": [{ "names": ["reboot", "no_such_call"], "action": "SCMP_ACT_KILL_PROCESS" }],
        });
    });
    assert_eq!(case.report().process.seccomp_filters, 1);
}

fn nobody() {
    let agent = Agent::new();
    let socket = agent.path();
    let mut case = Case::probe();
    case.args(&["/bin/probe", "exit", "0"])
        .edit(|config| config["linux"]["seccomp"] = profile(&agent, &["getcwd"]));
    drop(agent);
    let message = format!(
        "send the filter's listener to {}: failed to connect with seccomp agent: no such file or directory (step S of N, \
         from /linux/seccomp/listenerPath)\n  start the agent before the container\n",
        socket.display()
    );
    for command in ["run", "create"] {
        let done = run(&mut case.make(&[command]));
        assert!(support::without_steps(&done.stderr).ends_with(&message), "{done:#?}");
        assert_eq!((done.code(), case.left_behind()), (1, vec![]));
    }
}
