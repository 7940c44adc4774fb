//! One more process in a running container.

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

use serde_json::json;
use support::{Case, HOST_ID, eventually, map_ids, names, namespaces};
use testbed::{Need, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let busybox = [Need::Root, Need::Program("busybox")];
    testbed::main([
        trial("it joins namespaces, groups, root and privileges of the container", root.clone(), joins),
        trial("it joins a user namespace", root.clone(), joins_user_namespace),
        trial("its root is the container's, also without a pivot", root.clone(), root_without_pivot),
        trial("its exit code is that of the command", busybox.clone(), exit_codes),
        trial("environment, working directory, user and groups can be given", root.clone(), options),
        trial("capabilities and no_new_privs can be added", root.clone(), privileges),
        trial("a process can be given as JSON", root.clone(), process_file),
        trial("its system calls are filtered as the container's", busybox.clone(), filtered),
        trial("limits of the container are its own", busybox.clone(), limits),
        trial("detached it returns while it runs, with its pid in the file", root.clone(), detach),
        trial("what cannot be executed is named", busybox, messages),
        trial("it ends with the container", root, ends_with_container),
    ])
}

/// A container that sleeps.
fn sleeper() -> Case {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]);
    case.detach();
    case
}

fn joins() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]);
    case.edit(|config| {
        support::set_namespace(config, "time", Some(json!({ "type": "time" })));
        config["process"]["oomScoreAdj"] = json!(700);
        config["process"]["user"]["umask"] = json!(0o27);
    });
    case.detach();
    let first: probe::Report = case.exec(&[], &["/bin/probe"]).ok().json();
    let theirs = namespaces(&case.pid().to_string());
    assert_eq!(first.namespaces, theirs);
    assert_eq!((first.process.pid != 1, first.pids.len()), (true, 2));
    for cgroup in &first.cgroups {
        assert_eq!(cgroup.path, "/", "{cgroup:?}");
    }
    let here = fs::read_to_string(format!("/proc/{}/cgroup", case.pid())).unwrap();
    assert!(here.lines().all(|line| line.contains(case.id())), "{here}");

    let process = &first.process;
    assert_eq!((process.cwd.as_str(), process.no_new_privs, process.oom_score_adj), ("/", true, 700));
    assert_eq!(process.umask, 0o27);
    let three = names(&["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    assert_eq!(first.capabilities.bounding, three);
    assert_eq!(first.capabilities.effective, three);
    assert_eq!(first.rlimits["RLIMIT_NOFILE"].hard, Some(1024));
    assert_eq!(first.hostname, "testbed");
    assert!(first.mount("/").unwrap().has("ro"));
    assert_eq!(first.descriptors.len(), 3);
    assert_eq!(process.sid, process.pid, "a session of its own");
}

/// Who joins a mount namespace begins at its root (setns(2)), which must not be the machine's.
fn root_without_pivot() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]);
    run(&mut case.make(&["run", "--detach", "--no-pivot"])).ok();
    let theirs = fs::metadata(format!("/proc/{}/root", case.pid())).unwrap();
    let script = ["/bin/probe", "sleep"];
    let pid_file = case.bundle.path().join("pid");
    case.exec(&["--detach", "--pid-file", pid_file.to_str().unwrap()], &script).ok();
    let pid = fs::read_to_string(pid_file).unwrap();
    let ours = fs::metadata(format!("/proc/{pid}/root")).unwrap();
    assert_eq!((ours.dev(), ours.ino()), (theirs.dev(), theirs.ino()));
    let machine = fs::metadata("/").unwrap();
    assert_ne!((ours.dev(), ours.ino()), (machine.dev(), machine.ino()));
}

fn joins_user_namespace() {
    let mut case = Case::probe();
    map_ids(&mut case);
    case.args(&["/bin/probe", "sleep"]).detach();
    let report: probe::Report = case.exec(&["--user", "5:6"], &["/bin/probe"]).ok().json();
    assert_eq!((report.ids.uids, report.ids.gids), ([5; 4], [6; 4]));
    assert_eq!(report.ids.uid_map[0].outside, HOST_ID);
    assert_eq!(report.namespaces, namespaces(&case.pid().to_string()));
}

fn exit_codes() {
    let mut case = Case::busybox();
    case.args(&["sleep", "1000"]).detach();
    for (script, code) in [("exit 0", 0), ("exit 42", 42), ("kill -9 $$", 137), ("kill -TERM $$", 143)] {
        assert_eq!(case.exec(&[], &["sh", "-c", script]).code(), code, "{script}");
    }
    assert_eq!(case.exec(&[], &["echo", "to standard output"]).ok().stdout, "to standard output\n");
    let mut with_input = case.oci(&["exec"]);
    with_input.arg(case.id()).args(["tr", "a-z", "A-Z"]).stdin(testbed::input("shout"));
    assert_eq!(run(&mut with_input).ok().stdout, "SHOUT");
}

fn options() {
    let case = sleeper();
    let given = [
        "--env",
        "A=1",
        "-e",
        "TERM=other",
        "--cwd",
        "/tmp",
        "--user",
        "1000:100",
        "-g",
        "7",
        "--additional-gids",
        "8",
    ];
    let report: probe::Report = case.exec(&given, &["/bin/probe"]).ok().json();
    assert_eq!((report.process.env["A"].as_str(), report.process.env["TERM"].as_str()), ("1", "other"));
    assert_eq!(report.process.cwd, "/tmp");
    assert_eq!((report.ids.uids, report.ids.gids), ([1000; 4], [100; 4]));
    assert_eq!(report.ids.groups, [7, 8]);
    assert_eq!(report.capabilities.effective, names(&[]), "another user has none");
    let report: probe::Report = case.exec(&["-u", "9"], &["/bin/probe"]).ok().json();
    assert_eq!((report.ids.uids, report.ids.gids), ([9; 4], [0; 4]));
}

fn privileges() {
    let mut case = Case::probe();
    case.edit(|config| config["process"]["noNewPrivileges"] = json!(false));
    case.args(&["/bin/probe", "sleep"]).detach();
    let report: probe::Report = case.exec(&["--cap", "CAP_CHOWN"], &["/bin/probe"]).ok().json();
    let four = names(&["CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    assert_eq!((&report.capabilities.bounding, &report.capabilities.effective), (&four, &four));
    assert!(!report.process.no_new_privs);
    let report: probe::Report = case.exec(&["--no-new-privs"], &["/bin/probe"]).ok().json();
    assert!(report.process.no_new_privs);
}

fn process_file() {
    let case = sleeper();
    let file = case.bundle.path().join("process.json");
    let process = json!({
        "args": ["/bin/probe"], "cwd": "/etc", "env": ["HOME=/h"], "user": { "uid": 3, "gid": 4, "umask": 0o77 },
        "noNewPrivileges": true, "oomScoreAdj": 900,
        "rlimits": [{ "type": "RLIMIT_NOFILE", "soft": 10, "hard": 20 }],
    });
    fs::write(&file, process.to_string()).unwrap();
    let report: probe::Report = case.exec(&["--process", file.to_str().unwrap()], &[]).ok().json();
    assert_eq!(report.process.env.into_iter().collect::<Vec<_>>(), [("HOME".to_owned(), "/h".to_owned())]);
    assert_eq!((report.process.cwd.as_str(), report.process.umask), ("/etc", 0o77));
    assert_eq!((report.ids.uids, report.ids.gids), ([3; 4], [4; 4]));
    assert_eq!(report.rlimits["RLIMIT_NOFILE"].soft, Some(10));
    assert_eq!(report.process.oom_score_adj, 900);
    let own = names(&["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    assert_eq!(report.capabilities.bounding, own, "what it leaves out is as the container's first has it");
}

fn filtered() {
    let mut case = Case::busybox();
    case.edit(|config| {
        config["linux"]["seccomp"] = json!({
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" }],
        });
    });
    case.args(&["sleep", "1000"]).detach();
    let done = case.exec(&[], &["mkdir", "/dev/shm/x"]);
    assert_eq!(done.stderr, "mkdir: can't create directory '/dev/shm/x': Operation not permitted\n");
    let report: probe::Report = case.exec(&[], &["/bin/probe"]).ok().json();
    assert_eq!((report.process.seccomp, report.process.seccomp_filters), (2, 1));
}

fn limits() {
    let mut case = Case::busybox();
    case.edit(|config| config["linux"]["resources"]["pids"] = json!({ "limit": 5 }));
    case.args(&["sleep", "1000"]).detach();
    let verdict: probe::Verdict = case.exec(&[], &["/bin/probe", "fork-many", "10"]).ok().json();
    let forks: probe::Forks = serde_json::from_value(verdict.detail).unwrap();
    assert_eq!(
        (forks.made, forks.first_error.as_deref()),
        (3, Some("EAGAIN")),
        "with sleep and the probe: five"
    );
}

fn detach() {
    let case = sleeper();
    let file = case.bundle.path().join("exec.pid");
    let path = file.to_str().unwrap();
    let done = case.exec(&["--detach", "--pid-file", path], &["/bin/probe", "sleep"]).ok();
    assert_eq!(done.stdout, "");
    let pid: i32 = fs::read_to_string(&file).unwrap().parse().unwrap();
    assert_eq!(namespaces(&pid.to_string()), namespaces(&case.pid().to_string()));
    fs::remove_file(&file).unwrap();
    assert_eq!(case.exec(&["--pid-file", path], &["/no/such"]).code(), 255);
    assert!(!file.exists(), "what failed has none");
}

fn messages() {
    let mut case = Case::busybox();
    fs::write(case.bundle.rootfs().join("etc/script"), "").unwrap();
    case.args(&["sleep", "1000"]).detach();
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let cases: [(&[&str], &[&str], String); 7] = [
        (
            &[],
            &["no-such"],
            format!(
                "find \"no-such\": executable file not found in $PATH ({path}) (step S of N, from /process/args/0)\n  \
             check the spelling, or give its whole path"
            ),
        ),
        (
            &[],
            &["/no/such"],
            "find \"/no/such\": no such file or directory in the container (step S of N, from \
            /process/args/0)\n  check the path"
                .into(),
        ),
        (
            &[],
            &["/etc"],
            "find \"/etc\": permission denied: it is a directory (step S of N, from /process/args/0)\n  name a program".into(),
        ),
        (
            &[],
            &["/etc/script"],
            "find \"/etc/script\": permission denied (step S of N, from /process/args/0)\n  \
            /etc/script must be executable for the container's user, and its file system not noexec"
                .into(),
        ),
        (
            &["--cwd", "/no/such"],
            &["true"],
            "chdir to the working directory /no/such: no such file or directory (step S of N, \
            from /process/cwd)\n  it does not exist and cannot be made in a read-only root"
                .into(),
        ),
        (
            &["--cwd", "tmp"],
            &["true"],
            "/process/cwd: working directory \"tmp\" is not an absolute path\n  \
            start it with a slash"
                .into(),
        ),
        (
            &["--cap", "CAP_MOO"],
            &["true"],
            "unknown capability \"CAP_MOO\": `man 7 capabilities` has the list".into(),
        ),
    ];
    for (options, command, message) in cases {
        let done = case.exec(options, command);
        let expected = format!("cuddy-oci: error: cannot execute in {}: {message}\n", case.id());
        assert_eq!((done.code(), support::without_steps(&done.stderr)), (255, expected), "{command:?}");
    }
    assert_eq!(
        case.exec(&[], &["sh", "-c", "set -- /proc/[0-9]*; echo $#"]).ok().stdout,
        "2\n",
        "nobody is left"
    );
}

fn ends_with_container() {
    let case = sleeper();
    let file = case.bundle.path().join("exec.pid");
    case.exec(&["--detach", "--pid-file", file.to_str().unwrap()], &["/bin/probe", "sleep"]).ok();
    let pid = fs::read_to_string(&file).unwrap();
    run(case.oci(&["kill"]).args([case.id(), "KILL"])).ok();
    eventually("it has ended", || {
        fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.is_empty())
            || !std::path::Path::new(&format!("/proc/{pid}")).exists()
    });
}
