//! The life of a container under podman and under Docker.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::Cli;
use crate::image::IMAGE;
use crate::stage::Stage;
use crate::support::{SOON, eventually};

/// Answers SIGUSR1 with a line, and SIGTERM with its own exit code.
pub const PATIENT: [&str; 3] = [
    "sh",
    "-c",
    "trap 'echo got usr1' USR1; trap 'echo going; exit 3' TERM; echo started; while :; do sleep 0.1; done",
];

/// Output and exit codes of commands that run, that cannot, and that are killed.
pub fn exit_codes(engine: &Cli) {
    let cases: [(&[&str], i32, &str, &str); 8] = [
        (&["echo", "hi"], 0, "hi\n", ""),
        (&["sh", "-c", "echo out; echo err >&2; exit 7"], 7, "out\n", "err"),
        (&["sh", "-c", "kill -9 $$"], 0, "", ""),
        (&["sh", "-c", "sh -c 'kill -9 $$'; exit $?"], 137, "", ""),
        (&["no-such"], 127, "", "executable file not found in $PATH"),
        (&["/no/such"], 127, "", "no such file or directory"),
        (&["/etc/passwd"], 126, "", "permission denied"),
        (&["/etc"], 126, "", "permission denied"),
    ];
    for (command, code, stdout, stderr) in cases {
        let done = engine.once(&[], command);
        assert_eq!((done.code(), done.stdout.as_str()), (code, stdout), "{done:#?}");
        assert!(done.stderr.contains(stderr), "{done:#?}");
    }
    assert_eq!(engine.ok(&["ps", "--all", "--quiet"]), "", "containers are left");
}

/// From `run --detach` to `rm`, with all that is done to a container in between.
pub fn life(engine: &Cli) {
    let id = engine.detached("web", &[], &PATIENT);
    eventually("it has started", || engine.ok(&["logs", "web"]).contains("started"));

    let exec = |args: &[&str]| engine.does(&[&["exec"], args].concat());
    assert_eq!(exec(&["web", "echo", "inside"]).ok().stdout, "inside\n");
    assert_eq!(exec(&["web", "sh", "-c", "exit 5"]).code(), 5);
    assert_eq!(
        exec(&[
            "--user",
            "1000",
            "--workdir",
            "/tmp",
            "--env",
            "A=b",
            "web",
            "sh",
            "-c",
            "id -u; pwd; echo $A"
        ])
        .ok()
        .stdout,
        "1000\n/tmp\nb\n"
    );
    let missing = exec(&["web", "no-such"]);
    assert!(matches!(missing.code(), 126 | 127), "{missing:#?}");
    let told = format!("{}{}", missing.stdout, missing.stderr);
    assert!(told.contains("executable file not found in $PATH"), "{missing:#?}");

    engine.ok(&["kill", "--signal", "USR1", "web"]);
    eventually("the signal has come", || engine.ok(&["logs", "web"]).contains("got usr1"));

    let inspect = engine.inspect("web");
    assert_eq!(inspect["State"]["Status"], "running");
    assert_eq!(inspect["Id"], id.as_str());
    assert!(engine.ok(&["top", "web"]).contains("sleep 0.1"));
    assert!(engine.ok(&["ps"]).contains("web"));

    engine.ok(&["stop", "--time", "10", "web"]);
    let state = &engine.inspect("web")["State"];
    assert_eq!((&state["Status"], &state["ExitCode"]), (&Value::from("exited"), &Value::from(3)));
    assert!(engine.ok(&["logs", "web"]).ends_with("going"));

    engine.ok(&["start", "web"]);
    eventually("it has started again", || engine.ok(&["logs", "web"]).matches("started").count() == 2);
    engine.ok(&["kill", "web"]);
    assert_eq!(engine.ok(&["wait", "web"]), "137");
    engine.ok(&["rm", "web"]);
    nothing_left(&engine.stage, &id);
}

/// A container that is frozen, thawed and given other limits while it runs.
pub fn paused_and_updated(engine: &Cli) {
    let id = engine.detached("web", &["--memory", "128m"], &["sleep", "1000"]);
    engine.ok(&["pause", "web"]);
    assert_eq!(engine.status("web"), "paused");
    assert_ne!(engine.does(&["exec", "web", "true"]).code(), 0, "a paused container executes nothing");
    engine.ok(&["unpause", "web"]);
    assert_eq!(engine.status("web"), "running");

    let limits = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || \
                  cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max";
    let limits = || engine.ok(&["exec", "web", "sh", "-c", limits]);
    assert!(limits().starts_with("134217728\n"), "{}", limits());
    engine.ok(&["update", "--memory", "64m", "--memory-swap", "64m", "--cpus", "0.5", "web"]);
    assert!(limits().starts_with("67108864\n50000"), "{}", limits());
    let stats = engine.ok(&["stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}}", "web"]);
    assert!(stats.contains("B / ") && stats.ends_with(" 1"), "{stats}");
    engine.ok(&["rm", "--force", "web"]);
    nothing_left(&engine.stage, &id);
}

/// `run` and `exec` at a terminal, its size, its keys, and leaving without ending it.
pub fn terminal(engine: &Cli) {
    let mut shell = engine.terminal(&["run", "--rm", "--interactive", "--tty", IMAGE, "sh"]);
    shell.expect("# ", SOON);
    shell.send("tty; stty size\n");
    shell.expect("/dev/pts/0", SOON);
    shell.expect("24 80", SOON);
    eventually("the size has come", || {
        // An engine that does not listen for changes yet is told again.
        shell.resize(29, 99);
        shell.resize(30, 100);
        shell.send("stty size\n");
        shell.output().contains("30 100")
    });
    shell.send("exit 4\n");
    assert_eq!(shell.wait(SOON).code(), Some(4), "{}", shell.output());

    let id = engine.detached("web", &["--interactive", "--tty"], &["sh"]);
    let mut exec = engine.terminal(&["exec", "--interactive", "--tty", "web", "sh"]);
    exec.expect("# ", SOON);
    exec.send("tty; exit 6\n");
    exec.expect("/dev/pts/1", SOON);
    assert_eq!(exec.wait(SOON).code(), Some(6), "{}", exec.output());

    let mut attached = engine.terminal(&["attach", "--detach-keys", "ctrl-q", "web"]);
    attached.send("echo $((6 * 7))\n");
    attached.expect("42", SOON);
    attached.send("\x11");
    attached.wait(SOON);
    assert_eq!(engine.status("web"), "running", "nobody is attached");
    engine.ok(&["rm", "--force", "web"]);
    nothing_left(&engine.stage, &id);
}

/// That the kernel killed for lack of memory is what the engine says of the container.
pub fn out_of_memory(engine: &Cli) {
    let greedy = ["sh", "-c", "head -c 200m /dev/zero | tail"];
    let limit = ["--name", "greedy", "--memory", "32m", "--memory-swap", "32m"];
    let done = engine.does(&[&["run"], &limit[..], &[IMAGE], &greedy].concat());
    assert_eq!(done.code(), 137, "{done:#?}");
    // Debian's podman looks for conmon's note of it in another place than conmon writes it, whatever the runtime.
    let told = engine.name == "docker";
    let state = &engine.inspect("greedy")["State"];
    assert_eq!((&state["OOMKilled"], &state["ExitCode"]), (&Value::from(told), &Value::from(137)));
    engine.ok(&["rm", "greedy"]);
}

/// The engine starts again what has failed, as often as it was told.
pub fn restarts(engine: &Cli) {
    let id = engine.detached("web", &["--restart", "on-failure:2"], &["sh", "-c", "echo started; exit 1"]);
    eventually("it was started three times", || engine.ok(&["logs", "web"]).matches("started").count() == 3);
    eventually("it is given up", || engine.status("web") == "exited");
    assert_eq!(engine.inspect("web")["RestartCount"], 2);
    engine.ok(&["rm", "web"]);
    nothing_left(&engine.stage, &id);
}

/// Containers that start, run and are removed at the same time.
pub fn at_once(engine: &Cli) {
    let start = |number: &str| {
        let mut command = engine.command(&["run", "--rm", IMAGE, "echo", number]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the engine starts")
    };
    let numbers: Vec<_> = (0..8).map(|number| number.to_string()).collect();
    let running: Vec<_> = numbers.iter().map(|number| start(number)).collect();
    for (number, child) in numbers.iter().zip(running) {
        let output = child.wait_with_output().expect("a child of ours");
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(stdout.trim_end(), number, "{stderr}");
    }
    assert_eq!(engine.ok(&["ps", "--all", "--quiet"]), "");
}

/// Namespaces of another container, by their paths.
pub fn shared_namespaces(engine: &Cli) {
    let id = engine.detached("first", &["--ipc", "shareable", "--hostname", "first"], &["sleep", "1000"]);
    let joins = ["--network", "container:first", "--pid", "container:first", "--ipc", "container:first"];
    let links = ["sh", "-c", "for n in net pid ipc mnt; do readlink /proc/self/ns/$n; done; ps"];
    let second = engine.once(&joins, &links).ok().stdout;
    let first = engine.ok(&["exec", "first", links[0], links[1], links[2]]);
    let [first_links, second_links] = [&first, &second].map(|text| text.lines().take(4).collect::<Vec<_>>());
    assert_eq!(first_links[..3], second_links[..3]);
    assert_ne!(first_links[3], second_links[3], "the mounts are its own");
    assert!(second.contains("sleep 1000"), "{second}");
    engine.ok(&["rm", "--force", "first"]);
    nothing_left(&engine.stage, &id);
}

/// Files go in and out of a running container, and of its root when it has ended.
pub fn copies(engine: &Cli) {
    engine.detached("web", &["--tmpfs", "/memory"], &["sleep", "1000"]);
    let file = engine.stage.shared("greeting");
    std::fs::write(&file, "hello\n").expect("a file of the stage");
    let file = file.to_str().expect("a path of ours");
    engine.ok(&["cp", file, "web:/tmp/there"]);
    assert_eq!(engine.ok(&["exec", "web", "cat", "/tmp/there"]), "hello");
    engine.ok(&["exec", "web", "sh", "-c", "echo back > /tmp/there"]);
    engine.ok(&["cp", "web:/tmp/there", file]);
    assert_eq!(std::fs::read_to_string(file).expect("it was copied"), "back\n");
    engine.ok(&["rm", "--force", "web"]);
}

/// No mount, group, process or state of a container that was removed.
#[track_caller]
pub fn nothing_left(stage: &Stage, id: &str) {
    // Helpers of engines may end a moment after the command that removes.
    let deadline = Instant::now() + SOON;
    loop {
        let left = stage.mentioning(id);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "left behind: {left:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
