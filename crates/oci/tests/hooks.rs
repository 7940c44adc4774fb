//! Hooks: when they run, where, with what, and what comes of those that fail (config.md, "POSIX-platform Hooks";
//! runtime.md, "Lifecycle").

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{ExitCode, Stdio};

use serde_json::{Value, json};
use support::{Case, eventually, map_ids, namespaces, set_namespace, without_steps};
use testbed::{Done, Need, run, trial};

const KINDS: [&str; 6] =
    ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

fn main() -> ExitCode {
    let needs = [Need::Root, Need::Program("busybox")];
    let all = |words: &'static [&'static str], change: fn(&mut Case)| move || all_kinds(words, change);
    let time = |case: &mut Case| {
        case.edit(|config| set_namespace(config, "time", Some(json!({ "type": "time" }))));
    };
    testbed::main([
        trial("all kinds, with create, start and delete", needs.clone(), all(&["create"], |_| ())),
        trial("all kinds, with run", needs.clone(), all(&["run"], |_| ())),
        trial("all kinds, of a container with a time namespace", needs.clone(), all(&["run"], time)),
        trial(
            "all kinds, of a container with a user namespace",
            needs.clone(),
            all(&["run"], user_namespace),
        ),
        trial("hooks of a container in a joined pid namespace stay outside", needs.clone(), joined_pid),
        trial("during create the mounts are made and the root is the machine's", needs.clone(), before_pivot),
        trial("while hooks run the container is being created", needs.clone(), creating),
        trial("a hook that fails ends the container", needs.clone(), failures),
        trial("a hook that fails after the end is a warning", needs.clone(), poststop_fails),
        trial("a hook that takes too long is killed", needs.clone(), timeout),
        trial("a creation that hangs in a hook can be ended", needs.clone(), interrupted),
        trial("the environment is the given one, or inherited", needs.clone(), environment),
        trial("a hook in the container has the program's HOME", needs.clone(), home),
        trial("what hooks write goes where the annotations say", needs.clone(), output_files),
        trial("a hook in the container is bound like the program", needs.clone(), confined),
        trial("no descriptor reaches a hook, and no blocked signal", needs.clone(), descriptors),
        trial("what follows needs no bundle any more", needs, without_bundle),
    ])
}

/// Writes a line about itself to `/log` of the container. It has the name, namespaces and the state.
const TELL: &str = r#"printf '{"hook":"%s","mnt":"%s","net":"%s","pid":"%s","time":"%s","cwd":"%s","state":%s}\n' \
    "$0" $(for n in mnt net pid time; do readlink /proc/self/ns/$n; done) "$(pwd)" "$(cat)" >>"$1/log""#;

/// A hook that runs a script, with `$0` and `$1`: its name, and where the container's root is for it.
fn script(case: &Case, kind: &str, name: &str, script: &str) -> Value {
    let root = if kind == "startContainer" { "".into() } else { case.bundle.rootfs() };
    json!({ "path": "/bin/sh", "args": ["sh", "-c", script, name, root], "env": ["PATH=/usr/bin:/bin"] })
}

/// A container whose root can be written, with hooks of these kinds.
fn with_hooks(hooks: &[(&str, &str, &str)]) -> Case {
    let mut case = Case::busybox();
    let mut all = json!({});
    for (kind, name, text) in hooks {
        let entry = script(&case, kind, name, text);
        match all[kind].as_array_mut() {
            Some(list) => list.push(entry),
            None => all[kind] = json!([entry]),
        }
    }
    case.edit(|config| {
        config["root"]["readonly"] = json!(false);
        config["hooks"] = all;
    });
    case.args(&["sh", "-c", r#"echo '{"hook":"program"}' >>/log"#]);
    case
}

fn log(case: &Case) -> Vec<Value> {
    let text = fs::read_to_string(case.bundle.rootfs().join("log")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn names(log: &[Value]) -> Vec<&str> {
    log.iter().filter_map(|line| line["hook"].as_str()).collect()
}

/// Root of the user namespace has to be able to write the log.
fn user_namespace(case: &mut Case) {
    map_ids(case);
    let log = case.bundle.rootfs().join("log");
    fs::write(&log, "").unwrap();
    std::os::unix::fs::chown(&log, Some(support::HOST_ID), Some(support::HOST_ID)).unwrap();
}

/// `net:[4026531840]`
fn link(name: &str, inode: u64) -> Value {
    json!(format!("{name}:[{inode}]"))
}

fn all_kinds(words: &[&str], change: fn(&mut Case)) {
    let hooks: Vec<_> =
        KINDS.iter().flat_map(|kind| [(*kind, *kind, TELL), (*kind, "again", TELL)]).collect();
    let mut case = with_hooks(&hooks);
    case.edit(|config| config["annotations"] = json!({ "key": "value" }));
    case.args(&[
        "sh",
        "-c",
        r#"while ! grep -q poststart /log; do sleep 0.01; done; echo '{"hook":"program"}' >>/log"#,
    ]);
    change(&mut case);
    if words == ["create"] {
        run(&mut case.make(words)).ok();
        assert_eq!(names(&log(&case)).last(), Some(&"again"));
        assert_eq!(log(&case).len(), 6, "three kinds run before start");
        case.does("start").ok();
        case.wait_until_stopped();
        case.does("delete").ok();
    } else {
        let done = case.run().ok();
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
    }
    assert_eq!(case.left_behind(), Vec::<String>::new());

    let log = log(&case);
    let program = log.iter().position(|line| line["hook"] == "program").expect("the program ran");
    let hooks: Vec<&Value> =
        log.iter().enumerate().filter(|(n, _)| *n != program).map(|(_, line)| line).collect();
    let order: Vec<&str> = KINDS.iter().flat_map(|kind| [*kind, "again"]).collect();
    assert_eq!(hooks.iter().filter_map(|line| line["hook"].as_str()).collect::<Vec<_>>(), order);

    let own = namespaces("self");
    let bundle = case.bundle.path().to_str().unwrap();
    for (kind, pair) in KINDS.iter().zip(hooks.chunks(2)) {
        let inside = kind.ends_with("Container");
        for line in pair {
            for name in ["mnt", "net", "pid"] {
                assert_eq!(line[name] == link(name, own[name]), !inside, "{kind}: {line}");
            }
            if !inside {
                assert_eq!(line["time"], link("time", own["time"]), "{kind}");
            }
            let state = &line["state"];
            let status = match *kind {
                "startContainer" => "created",
                "poststart" => "running",
                "poststop" => "stopped",
                _ => "creating",
            };
            assert_eq!((&state["status"], &state["ociVersion"]), (&json!(status), &json!("1.3.0")), "{kind}");
            assert_eq!((&state["id"], &state["bundle"]), (&json!(case.id()), &json!(bundle)), "{kind}");
            assert_eq!(state["annotations"], json!({ "key": "value" }));
            match *kind {
                "poststop" => assert_eq!(state["pid"], Value::Null),
                _ if inside => assert_eq!(state["pid"], json!(1)),
                _ => assert!(state["pid"].as_i64() > Some(1), "{kind}: {line}"),
            }
            let cwd = if *kind == "startContainer" { "/" } else { bundle };
            assert_eq!(line["cwd"], json!(cwd), "{kind}");
        }
    }
}

fn joined_pid() {
    let mut other = Case::probe();
    other.args(&["/bin/probe", "sleep"]).detach();
    let pid = other.pid();
    let mut case = with_hooks(&[("createRuntime", "runtime", TELL), ("poststop", "poststop", TELL)]);
    let path = format!("/proc/{pid}/ns/pid");
    case.edit(|config| set_namespace(config, "pid", Some(json!({ "type": "pid", "path": path }))));
    case.run().ok();
    let log = log(&case);
    assert_eq!(names(&log), ["runtime", "program", "poststop"]);
    let own = namespaces("self");
    for line in [&log[0], &log[2]] {
        assert_eq!(line["pid"], link("pid", own["pid"]));
    }
}

fn before_pivot() {
    // init's pid as the hook gets it; what the hook says is an error.
    let outside = r#"pid=$(sed 's/.*"pid":\([0-9]*\).*/\1/'); grep -q " $1/proc " /proc/$pid/mountinfo &&
        grep -q " $1/sys/fs/cgroup " /proc/$pid/mountinfo && test "$(readlink /proc/$pid/root)" = /"#;
    let inside = r#"grep -q " $1/proc " /proc/self/mountinfo && test -e "$1/proc/self/status" && test -e "$1/dev/null" &&
        test "$(readlink /proc/self/ns/uts)" != "$UTS" && touch "$1/made" && test "$(umask)" = 0022"#;
    let mut case = with_hooks(&[
        ("prestart", "p", outside),
        ("createRuntime", "r", outside),
        ("createContainer", "c", inside),
    ]);
    // Mounted by a hook, seen by the program: the namespace is the container's and nothing is closed yet.
    let mount = r#"mkdir -p "$1/extra" && mount -t tmpfs tmpfs "$1/extra" && echo found >"$1/extra/file""#;
    let mount = script(&case, "createContainer", "m", mount);
    case.edit(|config| {
        config["hooks"]["createContainer"].as_array_mut().unwrap().push(mount);
        config["root"]["readonly"] = json!(true);
    });
    case.args(&["sh", "-c", "cat /extra/file; ls /made; umask"]);
    assert_eq!(case.run().ok().stdout, "found\n/made\n0022\n");
}

fn creating() {
    let mut case = with_hooks(&[]);
    let state = format!(
        "{} --root {} state {} >>{}/state",
        testbed::binary("cuddy-oci").display(),
        case.state_dir().display(),
        case.id(),
        case.bundle.path().display()
    );
    let hooks =
        ["prestart", "createRuntime", "poststart"].map(|kind| (kind, script(&case, kind, "s", &state)));
    case.edit(|config| {
        config["hooks"] = hooks.into_iter().map(|(kind, hook)| (kind, json!([hook]))).collect()
    });
    run(&mut case.make(&["create"])).ok();
    let pid = case.pid();
    assert_eq!(case.status(), "created");
    case.does("start").ok();
    let text = fs::read_to_string(case.bundle.path().join("state")).unwrap();
    let mut states = serde_json::Deserializer::from_str(&text).into_iter::<Value>().map(Result::unwrap);
    for _ in ["prestart", "createRuntime"] {
        let state = states.next().unwrap();
        assert_eq!((&state["status"], &state["pid"]), (&json!("creating"), &json!(pid)));
    }
    // The program may have come to its end.
    let status = states.next().unwrap()["status"].as_str().unwrap().to_owned();
    assert!(["running", "stopped"].contains(&status.as_str()), "{status}");
}

/// The words of a failure, with ID for the name, ROOT for the root file system and "step S of N".
fn words(case: &Case, done: &Done) -> String {
    let root = case.bundle.rootfs();
    without_steps(&done.stderr).replace(case.id(), "ID").replace(root.to_str().unwrap(), "ROOT")
}

fn failures() {
    const FAIL: &str = "echo one; echo two >&2; exit 3";
    for kind in &KINDS[..5] {
        for words_of in [&["create"][..], &["run"], &["run", "--detach"]] {
            let case = with_hooks(&[
                (kind, "first", TELL),
                (kind, "second", FAIL),
                (kind, "third", TELL),
                ("poststop", "poststop", TELL),
            ]);
            let mut done = run(&mut case.make(words_of));
            let mut doing = if words_of[0] == "run" { "start" } else { "create" };
            if words_of[0] == "create" && ["startContainer", "poststart"].contains(kind) {
                done.ok();
                (done, doing) = (case.does("start"), "start");
            }
            let said = words(&case, &done);
            let place = if *kind == "poststart" {
                String::new()
            } else {
                format!(" (step S of N, from /hooks/{kind}/1)")
            };
            let message =
                format!("error running {kind} hook #1: /bin/sh failed with exit code 3: one; two{place}");
            assert_eq!(
                said,
                format!("cuddy-oci: error: cannot {doing} ID: {message}\n"),
                "{kind} {words_of:?}"
            );
            assert_eq!(done.code(), 1);
            assert_eq!(case.does("state").code(), 1, "{kind} {words_of:?}: it is destroyed");
            assert_eq!(case.left_behind(), Vec::<String>::new(), "{kind} {words_of:?}");
            let log = log(&case);
            let mut ran = names(&log);
            // It may have come so far, or not.
            ran.retain(|name| *kind != "poststart" || *name != "program");
            assert_eq!(ran, ["first", "poststop"], "{kind} {words_of:?}");
            assert_eq!(log.last().unwrap()["state"]["status"], "stopped");
        }
    }
    let mut case = with_hooks(&[]);
    case.edit(|config| config["hooks"] = json!({ "createRuntime": [{ "path": "/no/such/hook" }] }));
    let said = words(&case, &case.run());
    let message = "error running createRuntime hook #0: /no/such/hook could not be executed: ";
    assert!(said.starts_with(&format!("cuddy-oci: error: cannot start ID: {message}")), "{said}");
}

fn poststop_fails() {
    for (delete, force) in [("delete", false), ("run", false), ("delete", true)] {
        let case = with_hooks(&[
            ("poststop", "a", "echo no; exit 7"),
            ("poststop", "b", "exit 8"),
            ("poststop", "c", TELL),
        ]);
        let done = if delete == "run" {
            case.run()
        } else {
            run(&mut case.make(&["create"])).ok();
            run(case.oci(&["delete"]).args(force.then_some("--force")).arg(case.id()))
        };
        let warnings = "cuddy-oci: poststop hook failed with exit code 7: no (#0, /bin/sh)\n\
             cuddy-oci: poststop hook failed with exit code 8 (#1, /bin/sh)\n";
        assert_eq!((done.code(), done.stderr.as_str()), (0, warnings), "{delete} {force}");
        assert_eq!(names(&log(&case)).last(), Some(&"c"));
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}

fn timeout() {
    let mut case = with_hooks(&[("prestart", "p", "sleep 1000"), ("poststop", "end", TELL)]);
    case.edit(|config| config["hooks"]["prestart"][0]["timeout"] = json!(1));
    let message = "error running prestart hook #0: /bin/sh ran past its timeout of 1 s and was killed \
         (step S of N, from /hooks/prestart/0)";
    assert_eq!(words(&case, &case.run()), format!("cuddy-oci: error: cannot start ID: {message}\n"));
    assert_eq!(names(&log(&case)), ["end"]);
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn interrupted() {
    let case = with_hooks(&[("createRuntime", "hang", "sleep 1000"), ("poststop", "end", TELL)]);
    let mut create = case.make(&["create"]).stderr(Stdio::null()).spawn().unwrap();
    eventually("a hook runs", || case.does("state").stdout.contains("\"pid\""));
    let refused = words(&case, &case.does("delete"));
    assert!(refused.contains("container ID is creating; delete needs it stopped"), "{refused}");
    assert!(case.does("start").stderr.contains("is creating; start needs it created"));
    run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    assert_eq!(create.wait().unwrap().code(), Some(1));
    assert_eq!(names(&log(&case)), ["end"]);
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn environment() {
    const ENV: &str = r#"echo "$ONE/$OWN/$OUTER" >>"$1/env""#;
    let kinds = KINDS.map(|kind| (kind, "x", ENV));
    for (given, expected) in
        [(true, "/own/\n".repeat(6)), (false, "//outer\n//outer\n//outer\ntwo//\n//outer\n//outer\n".into())]
    {
        let mut case = with_hooks(&kinds);
        case.edit(|config| {
            config["process"]["env"] = json!(["PATH=/bin", "ONE=two"]);
            for kind in KINDS {
                let hook = config["hooks"][kind][0].as_object_mut().unwrap();
                hook.insert("env".to_owned(), json!(["OWN=own"]));
                if !given {
                    hook.remove("env");
                }
            }
        });
        run(case.make(&["run"]).env("OUTER", "outer")).ok();
        assert_eq!(fs::read_to_string(case.bundle.rootfs().join("env")).unwrap(), expected);
    }
}

fn home() {
    let mut case = with_hooks(&[("startContainer", "x", r#"echo "$HOME" >>"$1/said""#)]);
    case.edit(|config| {
        config["process"]["env"] = json!(["PATH=/bin"]);
        config["hooks"]["startContainer"][0].as_object_mut().unwrap().remove("env");
    });
    case.run().ok();
    assert_eq!(fs::read_to_string(case.bundle.rootfs().join("said")).unwrap(), "/root\n");
}

fn output_files() {
    const SPEAK: &str = "echo \"$0\"; echo \"not $0\" >&2";
    let mut case = with_hooks(&[("prestart", "one", SPEAK), ("createContainer", "two", SPEAK)]);
    let (out, err) = (case.bundle.path().join("out"), case.bundle.path().join("err"));
    fs::write(&out, "kept\n").unwrap();
    case.edit(|config| {
        config["annotations"] = json!({ "run.oci.hooks.stdout": out, "run.oci.hooks.stderr": "err" });
    });
    case.run().ok();
    assert_eq!(fs::read_to_string(&out).unwrap(), "kept\none\ntwo\n");
    assert_eq!(fs::read_to_string(&err).unwrap(), "not one\nnot two\n");

    case.edit(|config| config["annotations"] = json!({ "run.oci.hooks.stdout": "/no/such/file" }));
    let done = case.run();
    let why = "cannot be given /no/such/file for its output: no such file or directory";
    assert!(done.code() == 1 && done.stderr.contains(why), "{done:#?}");
}

fn confined() {
    let show = "grep -E '^(Uid|CapEff|Seccomp|NoNewPrivs):' /proc/self/status >>$1/log; pwd >>$1/log";
    let mut case = with_hooks(&[("startContainer", "s", show)]);
    case.edit(|config| {
        config["process"]["user"] = json!({ "uid": 0, "gid": 0 });
        config["process"]["cwd"] = json!("/tmp");
        config["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            { "names": ["reboot", "clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 },
        ] });
    });
    case.args(&[
        "sh",
        "-c",
        "grep -E '^(Uid|CapEff|Seccomp|NoNewPrivs):' /proc/self/status >>/log; pwd >>/log",
    ]);
    case.run().ok();
    let log = fs::read_to_string(case.bundle.rootfs().join("log")).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines[..lines.len() / 2], lines[lines.len() / 2..]);
    assert!(lines.contains(&"Seccomp:\t2") && lines.contains(&"/tmp"), "{log}");
}

fn descriptors() {
    // The shell has a descriptor of its own where it reads the directory; 0, 1 and 2 are pipes.
    const TELL: &str = r#"for fd in /proc/self/fd/*; do case $(readlink $fd) in
        /proc/*|pipe:*|"") ;; *) echo "$0 $(readlink $fd)" >>"$1/log";; esac; done
        grep -q '^SigBlk:.0000000000000000' /proc/self/status || echo "$0 blocks" >>"$1/log"; echo "$0" >>"$1/log""#;
    let mut case = with_hooks(&KINDS.map(|kind| (kind, kind, TELL)));
    case.args(&["true"]);
    let bundle = case.bundle.path().display().to_string();
    let shell = format!(
        "exec 3</etc/passwd 4</etc/group 9</etc; exec {} --root {} run --preserve-fds 2 --bundle {bundle} {}",
        testbed::binary("cuddy-oci").display(),
        case.state_dir().display(),
        case.id()
    );
    run(std::process::Command::new("sh").args(["-c", &shell]).stdin(Stdio::null())).ok();
    let log = fs::read_to_string(case.bundle.rootfs().join("log")).unwrap();
    assert_eq!(log.lines().collect::<Vec<_>>(), KINDS);
}

fn without_bundle() {
    let mut case = with_hooks(&[]);
    let tell = case.state_dir().join("tell");
    let hook = json!({ "path": "/bin/sh", "args": ["sh", "-c", format!("pwd >{}", tell.display())] });
    case.edit(|config| config["hooks"] = json!({ "poststop": [hook] }));
    case.args(&["sleep", "1000"]).detach();
    // What the bundle says from now on is about another container.
    case.edit(|config| {
        config["process"]["env"] = json!(["CHANGED=yes"]);
        config["hooks"] = json!({ "poststop": [{ "path": "/bin/false" }] });
    });
    assert!(case.exec(&[], &["env"]).ok().stdout.contains("TERM=xterm"));
    let config = case.bundle.path().join("config.json");
    fs::remove_file(&config).unwrap();
    assert!(case.exec(&[], &["env"]).ok().stdout.contains("TERM=xterm"));
    let record =
        fs::metadata(case.state_dir().join("containers").join(case.id()).join("config.json")).unwrap();
    assert_eq!(record.mode() & 0o777, 0o600, "an environment has secrets");
    let away = case.bundle.path().with_extension("away");
    fs::rename(case.bundle.path(), &away).unwrap();
    let done = run(case.oci(&["delete", "--force"]).arg(case.id()));
    fs::rename(&away, case.bundle.path()).unwrap();
    assert_eq!((done.code(), done.stderr.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(&tell).unwrap(), "/\n");
}
