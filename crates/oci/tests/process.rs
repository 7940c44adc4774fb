//! What the process of a container is and has: ids, privileges, limits, environment, descriptors.

mod support;

use std::fs;
use std::process::{Command, ExitCode, Stdio};

use probe::Rlimit;
use serde_json::{Value, json};
use support::{Case, names};
use testbed::{Done, Need, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let busybox = [Need::Root, Need::Program("busybox")];
    let env = [Need::Root, Need::Program("busybox"), Need::Program("env")];
    testbed::main([
        trial("ids and groups are those of the configuration", root.clone(), ids),
        trial("groups of the caller are not kept", root.clone(), no_groups),
        trial("the umask is the configured one, or 022, whatever the caller's", busybox.clone(), umask),
        trial(
            "environment and arguments are those of the configuration and no others",
            root.clone(),
            environment,
        ),
        trial("the program is looked for in the PATH of the container", busybox.clone(), path),
        trial("it starts in its working directory", root.clone(), working_directory),
        trial("resource limits", root.clone(), rlimits),
        trial("the score for the OOM killer", root.clone(), oom_score),
        trial("capabilities in all five sets", root.clone(), capabilities),
        trial("capabilities that cannot be given are told of and left out", root.clone(), lost_capabilities),
        trial("no_new_privs and seccomp", root.clone(), no_new_privs_and_seccomp),
        trial("a filter decides on calls", busybox.clone(), filter),
        trial("kernel parameters of its namespaces", root.clone(), sysctls),
        trial("host name and domain name", root.clone(), host_names),
        trial("descriptors of the caller are not inherited", busybox.clone(), descriptors),
        trial("descriptors that shall be preserved are", busybox.clone(), preserved_descriptors),
        trial("a service manager is told when the program is ready", busybox.clone(), ready),
        trial("sockets of a service manager are passed on, and told of", busybox.clone(), activation),
        trial("signals are at their defaults and not blocked", env, signals),
        trial("it leads a session and a keyring of its own", root.clone(), session),
        trial("another user can open standard output again", busybox, reopen_stdout),
        trial("a process of another user namespace has all this, too", root, in_user_namespace),
    ])
}

/// `cuddy-oci run` of the case through a shell that does something first.
fn run_from_shell(case: &Case, first: &str) -> Done {
    let command = case.make(&["run"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first}; exec \"$@\""), "sh"]).arg(command.get_program());
    run(shell.args(command.get_args()).stdin(Stdio::null()))
}

fn ids() {
    let mut case = Case::probe();
    case.edit(|config| {
        config["process"]["user"] =
            json!({ "uid": 1000, "gid": 8, "additionalGids": [100, 9, 4_000_000_000_u32] });
    });
    let report = case.report();
    assert_eq!((report.ids.uids, report.ids.gids), ([1000; 4], [8; 4]));
    assert_eq!(report.ids.groups, [9, 100, 4_000_000_000]);
}

fn no_groups() {
    let mut case = Case::probe();
    case.args(&["/bin/probe"]);
    let command = case.make(&["run"]);
    let mut with_groups = Command::new("setpriv");
    with_groups.args(["--groups", "4,24"]).arg(command.get_program()).args(command.get_args());
    let report: probe::Report = run(with_groups.stdin(Stdio::null())).ok().json();
    assert_eq!(report.ids.groups, Vec::<u32>::new());
}

fn umask() {
    for (configured, expect) in [(None, 0o022), (Some(0o077), 0o077), (Some(0), 0)] {
        let mut case = Case::probe();
        case.args(&["/bin/probe"]).edit(|config| {
            config["process"]["user"]["umask"] = json!(configured);
        });
        let report: probe::Report = run_from_shell(&case, "umask 027").ok().json();
        assert_eq!(report.process.umask, expect, "{configured:?}");
    }
}

fn environment() {
    let mut case = Case::probe();
    case.edit(|config| config["process"]["env"] = json!(["A=1", "B=two words", "C=", "D=x=y", "HOME=/h"]));
    case.args(&["/bin/probe", "--sysctl", "kernel.hostname"]);
    let report: probe::Report = run(case.make(&["run"]).env("SECRET", "of the caller")).ok().json();
    let env: Vec<_> = report.process.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(env, ["A=1", "B=two words", "C=", "D=x=y", "HOME=/h"]);
    assert_eq!(report.process.args, ["/bin/probe", "--sysctl", "kernel.hostname"]);
}

fn path() {
    let mut case = Case::busybox();
    let opt = case.bundle.rootfs().join("opt");
    fs::create_dir(&opt).unwrap();
    testbed::copy_program(&case.bundle.rootfs().join("bin/busybox"), &opt.join("echo-of-opt"));
    case.edit(|config| config["process"]["env"] = json!(["PATH=/nowhere:/opt:/bin"]));
    // BusyBox does what its name says, and knows no such applet: it says so.
    let done = case.args(&["echo-of-opt"]).run();
    assert_eq!((done.code(), done.stderr.as_str()), (127, "echo-of-opt: applet not found\n"));
    assert_eq!(case.args(&["echo", "found"]).run().ok().stdout, "found\n");
    // Without PATH the usual places are searched, as execvp(3) does.
    case.edit(|config| config["process"]["env"] = json!([]));
    assert_eq!(case.args(&["echo", "found"]).run().ok().stdout, "found\n");
}

fn working_directory() {
    // Where it is, whether the root is read-only, and where the process finds itself.
    let cases = [
        ("/", true, "/"),
        ("/tmp", true, "/tmp"),
        ("/made/for/it", false, "/made/for/it"),
        ("/tmp/./", false, "/tmp"),
        ("/link", true, "/home"),
        ("/dev/shm/made", true, "/dev/shm/made"),
    ];
    for (cwd, readonly, expect) in cases {
        let mut case = Case::probe();
        std::os::unix::fs::symlink("/home", case.bundle.rootfs().join("link")).unwrap();
        case.edit(|config| {
            config["process"]["cwd"] = json!(cwd);
            config["root"]["readonly"] = json!(readonly);
        });
        assert_eq!(case.report().process.cwd, expect, "{cwd}");
        assert_eq!(case.bundle.rootfs().join("made/for/it").is_dir(), cwd == "/made/for/it");
    }
}

fn rlimits() {
    let limit = |soft, hard| Rlimit { soft, hard };
    let own = Case::probe().report().rlimits;
    // Without CAP_SYS_RESOURCE limits can only be lowered.
    let cases = [
        ("RLIMIT_NOFILE", 100, 200),
        ("RLIMIT_CPU", 1000, 2000),
        ("RLIMIT_FSIZE", 1 << 30, 1 << 31),
        ("RLIMIT_DATA", 1 << 30, 1 << 31),
        ("RLIMIT_STACK", 1 << 20, 1 << 22),
        ("RLIMIT_CORE", 0, 0),
        ("RLIMIT_NPROC", 50, 60),
        ("RLIMIT_MEMLOCK", 4096, 8192),
        ("RLIMIT_AS", 1 << 40, 1 << 41),
        ("RLIMIT_SIGPENDING", 10, 20),
        ("RLIMIT_MSGQUEUE", 100, 200),
        ("RLIMIT_NICE", 0, 0),
        ("RLIMIT_RTPRIO", 0, 0),
        ("RLIMIT_RTTIME", 1000, 2000),
    ];
    let list: Vec<_> =
        cases.iter().map(|(name, soft, hard)| json!({ "type": name, "soft": soft, "hard": hard })).collect();
    let mut case = Case::probe();
    case.edit(|config| config["process"]["rlimits"] = json!(list));
    let report = case.report();
    for (name, soft, hard) in cases {
        assert_eq!(report.rlimits[name], limit(Some(soft), Some(hard)), "{name}");
    }
    for name in ["RLIMIT_LOCKS", "RLIMIT_RSS"] {
        assert_eq!(report.rlimits[name], own[name], "{name} is not in the configuration");
    }
}

fn oom_score() {
    let own: i32 = fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().parse().unwrap();
    for (configured, expect) in [(None, own), (Some(own), own), (Some(1000), 1000)] {
        let mut case = Case::probe();
        case.edit(|config| config["process"]["oomScoreAdj"] = json!(configured));
        assert_eq!(case.report().process.oom_score_adj, expect, "{configured:?}");
        support::map_ids(&mut case);
        assert_eq!(case.report().process.oom_score_adj, expect, "{configured:?} in a user namespace");
    }
}

/// Bounding, effective, inheritable, permitted, ambient.
type Sets = [&'static [&'static str]; 5];

fn capabilities() {
    const NONE: &[&str] = &[];
    const TWO: &[&str] = &["CAP_CHOWN", "CAP_KILL"];
    const THREE: &[&str] = &["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"];
    // capabilities(7), "Transformation of capabilities during execve()" and "Capabilities and execution of
    // programs by root": what root gets is what is inheritable or in the bounding set; with no_new_privs not
    // more than it had.
    let cases: [(u32, bool, Sets, Sets); 8] = [
        (0, true, [TWO, TWO, NONE, TWO, NONE], [TWO, TWO, NONE, TWO, NONE]),
        (0, false, [TWO, TWO, NONE, TWO, NONE], [TWO, TWO, NONE, TWO, NONE]),
        (0, true, [THREE, TWO, NONE, TWO, NONE], [THREE, TWO, NONE, TWO, NONE]),
        (0, false, [THREE, TWO, TWO, TWO, NONE], [THREE, THREE, TWO, THREE, NONE]),
        (0, true, [NONE, NONE, NONE, NONE, NONE], [NONE, NONE, NONE, NONE, NONE]),
        (1000, true, [TWO, TWO, NONE, TWO, NONE], [TWO, NONE, NONE, NONE, NONE]),
        (1000, true, [THREE, TWO, TWO, TWO, TWO], [THREE, TWO, TWO, TWO, TWO]),
        (
            1000,
            false,
            [THREE, THREE, TWO, THREE, &["CAP_KILL"]],
            [THREE, &["CAP_KILL"], TWO, &["CAP_KILL"], &["CAP_KILL"]],
        ),
    ];
    for (uid, no_new_privs, given, expect) in cases {
        let mut case = Case::probe();
        case.edit(|config| {
            config["process"]["user"]["uid"] = json!(uid);
            config["process"]["noNewPrivileges"] = json!(no_new_privs);
            let [bounding, effective, inheritable, permitted, ambient] = given;
            config["process"]["capabilities"] = json!({
                "bounding": bounding, "effective": effective, "inheritable": inheritable,
                "permitted": permitted, "ambient": ambient,
            });
        });
        let seen = case.report().capabilities;
        let seen = [seen.bounding, seen.effective, seen.inheritable, seen.permitted, seen.ambient];
        assert_eq!(seen, expect.map(names), "user {uid}, no_new_privs {no_new_privs}, {given:?}");
    }

    let mut case = Case::probe();
    case.edit(|config| drop(config["process"].as_object_mut().unwrap().remove("capabilities")));
    assert_eq!(case.report().capabilities, probe::Capabilities::default(), "left out");
}

fn lost_capabilities() {
    let cases = [
        (
            "bounding",
            json!(["CAP_KILL", "CAP_MOO", "BAA"]),
            "ignoring unknown or unavailable capabilities: [BAA, CAP_MOO]",
        ),
        (
            "ambient",
            json!(["CAP_KILL"]),
            "can't raise ambient capability CAP_KILL: it is not both permitted and inheritable",
        ),
    ];
    for (set, names, note) in cases {
        let mut case = Case::probe();
        case.edit(|config| config["process"]["capabilities"][set] = names);
        let done = case.args(&["/bin/probe"]).run();
        assert_eq!((done.code(), done.stderr.as_str()), (0, &*format!("cuddy-oci: {note}\n")));
        let report: probe::Report = done.json();
        assert!(report.capabilities.bounding.contains("CAP_KILL") && report.capabilities.ambient.is_empty());
    }
}

/// A profile that allows all but these calls.
fn profile(calls: &[&str], action: &str) -> Value {
    json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": calls, "action": action }] })
}

fn no_new_privs_and_seccomp() {
    for (no_new_privs, filtered, uid) in
        [(true, true, 0), (true, false, 0), (false, true, 0), (false, false, 0), (false, true, 1000)]
    {
        let mut case = Case::probe();
        case.edit(|config| {
            config["process"]["user"]["uid"] = json!(uid);
            config["process"]["noNewPrivileges"] = json!(no_new_privs);
            if filtered {
                config["linux"]["seccomp"] = profile(&["reboot"], "SCMP_ACT_ERRNO");
            }
        });
        let report = case.report();
        let seen = (report.process.no_new_privs, report.process.seccomp, report.process.seccomp_filters);
        let expect = (no_new_privs, if filtered { 2 } else { 0 }, u32::from(filtered));
        assert_eq!(seen, expect);
        // The filter was loaded with CAP_SYS_ADMIN, which must not be kept.
        assert!(!report.capabilities.permitted.contains("CAP_SYS_ADMIN"));
        assert!(!report.capabilities.bounding.contains("CAP_SYS_ADMIN"));
    }
}

fn filter() {
    let mut case = Case::busybox();
    case.edit(|config| {
        config["linux"]["seccomp"] = profile(&["mkdir", "mkdirat"], "SCMP_ACT_ERRNO");
    });
    let done = case.args(&["mkdir", "/dev/shm/x"]).run();
    let refused = "mkdir: can't create directory '/dev/shm/x': Operation not permitted\n";
    assert_eq!((done.code(), done.stderr.as_str()), (1, refused));
    case.args(&["touch", "/dev/shm/x"]).run().ok();

    case.edit(|config| {
        config["linux"]["seccomp"] = profile(&["mkdir", "mkdirat"], "SCMP_ACT_KILL_PROCESS");
    });
    let done = case.args(&["mkdir", "/dev/shm/x"]).run();
    assert_eq!(done.code(), 128 + 31, "SIGSYS: {done:#?}");
}

fn sysctls() {
    let cases = [
        ("net.ipv4.ip_forward", "1"),
        ("net.ipv4.ping_group_range", "0\t100"),
        ("net/ipv4/conf/lo/forwarding", "1"),
        ("kernel.msgmax", "12345"),
        ("kernel.shmmni", "77"),
        ("kernel.sem", "100\t2000\t50\t60"),
        ("fs.mqueue.msg_max", "7"),
    ];
    let file = |name: &str| format!("/proc/sys/{}", name.replace('.', "/"));
    let here = || cases.map(|(name, _)| fs::read_to_string(file(name)).unwrap());
    let before = here();
    let mut case = Case::probe();
    case.edit(|config| {
        for (name, value) in cases {
            config["linux"]["sysctl"][name] = json!(value);
        }
    });
    let mut args = vec!["/bin/probe"];
    cases.iter().for_each(|(name, _)| args.extend(["--sysctl", name]));
    let report: probe::Report = case.args(&args).run().ok().json();
    for (name, value) in cases {
        assert_eq!(report.sysctls[name].as_deref(), Some(value), "{name}");
    }
    assert_eq!(here(), before, "the machine's own");
}

fn host_names() {
    let own = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let mut case = Case::probe();
    case.edit(|config| {
        config["hostname"] = json!("web-1.example");
        config["domainname"] = json!("example");
    });
    let report = case.report();
    assert_eq!((report.hostname.as_str(), report.domainname.as_str()), ("web-1.example", "example"));
    assert_eq!(fs::read_to_string("/proc/sys/kernel/hostname").unwrap(), own);
}

/// The targets of descriptors, by number.
fn open_descriptors(report: &probe::Report) -> Vec<(u32, &str)> {
    report.descriptors.iter().map(|open| (open.fd, open.target.as_str())).collect()
}

fn descriptors() {
    let mut case = Case::busybox();
    case.args(&["/bin/probe"]);
    let leaks = "exec 3</; exec 5</etc/passwd; exec 9</sys/fs/cgroup";
    let report: probe::Report = run_from_shell(&case, leaks).ok().json();
    let numbers: Vec<_> = report.descriptors.iter().map(|open| open.fd).collect();
    assert_eq!(numbers, [0, 1, 2], "{:?}", open_descriptors(&report));
}

/// The program says that it is ready by a datagram, from the probe's own socket; nobody else hears of what it says before.
fn ready() {
    use std::os::unix::net::UnixDatagram;
    for words in [&["run"][..], &["run", "--detach"], &["create"]] {
        let mut case = Case::busybox();
        let path = case.bundle.path().join("manager");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_read_timeout(Some(support::SOON)).unwrap();
        // One that has ended already is nobody whom the manager could watch.
        let end = if words == ["run"] { "true" } else { "exec sleep 1000" };
        case.args(&["sh", "-c", &format!("/bin/probe notify STATUS=soon READY=1; {end}")]);
        case.edit(|config| config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 }));
        run(case.make(words).env("NOTIFY_SOCKET", &path)).ok();
        if words == ["create"] {
            run(case.oci(&["start"]).arg(case.id()).env("NOTIFY_SOCKET", &path)).ok();
        }
        let mut said = [0; 100];
        let mut next = || {
            let length = manager.recv(&mut said).unwrap();
            String::from_utf8_lossy(&said[..length]).into_owned()
        };
        assert_eq!(next(), "READY=1", "{words:?}");
        if words != ["run"] {
            let main = next();
            assert!(main.starts_with("MAINPID="), "{words:?}: {main}");
        }
    }
}

fn activation() {
    let show = "cat <&3; cat <&4; cat <&5; env | grep LISTEN | sort";
    let mut case = Case::busybox();
    case.edit(|config| {
        config["process"]["env"] = json!(["PATH=/bin", "LISTEN_FDS=9"]);
    });
    case.args(&["sh", "-c", show]);
    for name in ["one", "two", "three"] {
        fs::write(case.bundle.path().join(name), format!("{name}\n")).unwrap();
    }
    let bundle = case.bundle.path().display();
    // $$ is cuddy-oci's pid, too: the shell becomes it.
    let first = format!(
        "exec 3<{bundle}/one 4<{bundle}/two 5<{bundle}/three; export LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=a:b"
    );
    let mut shell = Command::new("sh");
    let command = case.make(&["run", "--preserve-fds", "1"]);
    shell.args(["-c", &format!("{first}; exec \"$@\""), "sh"]).arg(command.get_program());
    let done = run(shell.args(command.get_args()).stdin(Stdio::null())).ok();
    assert_eq!(done.stdout, "one\ntwo\nthree\nLISTEN_FDNAMES=a:b\nLISTEN_FDS=2\nLISTEN_PID=1\n");
}

fn preserved_descriptors() {
    let mut case = Case::busybox();
    case.args(&["/bin/probe"]);
    let file = case.bundle.path().join("given");
    fs::write(&file, "").unwrap();
    let command = case.make(&["run", "--preserve-fds", "1"]);
    let mut shell = Command::new("sh");
    let script = format!("exec 3<{}; exec 4</; exec \"$@\"", file.display());
    shell.args(["-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
    let report: probe::Report = run(shell.stdin(Stdio::null())).ok().json();
    let given: Vec<_> = open_descriptors(&report).split_off(3);
    assert_eq!(given.iter().map(|(fd, _)| *fd).collect::<Vec<_>>(), [3]);
    assert!(given[0].1.ends_with("/given"), "{given:?}");
}

fn signals() {
    let mut case = Case::busybox();
    case.args(&["grep", "^Sig[BIC]", "/proc/self/status"]);
    let command = case.make(&["run"]);
    let mut env = Command::new("env");
    env.args(["--ignore-signal=TERM,PIPE,USR1,CHLD", "--block-signal=HUP,USR2"]);
    let done = run(env.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null())).ok();
    let none = "0000000000000000";
    assert_eq!(done.stdout, format!("SigBlk:\t{none}\nSigIgn:\t{none}\nSigCgt:\t{none}\n"));
}

fn session() {
    let mut case = Case::probe();
    // /proc/keys is masked by default.
    case.edit(|config| config["linux"]["maskedPaths"] = json!([]));
    let report = case.report();
    let process = &report.process;
    assert_eq!((process.pid, process.ppid, process.sid, process.pgid), (1, 0, 1, 1));
    assert_eq!((process.dumpable, process.personality), (1, 0));
    let keyring = format!("_ses.{}", case.id());
    assert!(process.keyrings.contains(&keyring), "{:?}", process.keyrings);
    assert!(!report.terminal.controlling);
}

fn reopen_stdout() {
    let mut case = Case::busybox();
    case.edit(|config| config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 }));
    case.args(&["sh", "-c", "echo out >/dev/stdout; echo err >/dev/stderr"]);
    let done = case.run().ok();
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("out\n", "err\n"));
}

fn in_user_namespace() {
    let mut case = Case::probe();
    support::map_ids(&mut case);
    case.edit(|config| {
        let sets = json!(["CAP_SYS_ADMIN", "CAP_SYS_RESOURCE"]);
        config["process"]["capabilities"] = json!({ "bounding": sets, "effective": sets, "permitted": sets });
        config["linux"]["sysctl"] = json!({ "net.ipv4.ip_forward": "1" });
        config["linux"]["seccomp"] = profile(&["reboot"], "SCMP_ACT_ERRNO");
        config["process"]["noNewPrivileges"] = json!(false);
        config["process"]["cwd"] = json!("/dev/shm/made");
    });
    let report = case.report();
    assert_eq!((report.process.pid, report.hostname.as_str()), (1, "testbed"));
    assert_eq!(report.process.cwd, "/dev/shm/made");
    // Full over what the namespace owns, and so more than this machine itself may have.
    assert_eq!(report.capabilities.effective, names(&["CAP_SYS_ADMIN", "CAP_SYS_RESOURCE"]));
    assert_eq!(report.process.seccomp, 2);
    assert_eq!(report.descriptors.len(), 3);
    assert_eq!(report.rlimits["RLIMIT_NOFILE"], Rlimit { soft: Some(1024), hard: Some(1024) });
}
