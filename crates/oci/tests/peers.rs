//! What containers rely on because runc or crun do it, where the specification leaves it open.

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};
use support::Case;
use testbed::{Need, run, trial};

fn main() -> ExitCode {
    let (root, busybox) = ([Need::Root], [Need::Root, Need::Program("busybox")]);
    testbed::main([
        trial("HOME is that of the container's passwd file", root.clone(), home),
        trial("HOME of one more process, too", root.clone(), home_of_exec),
        trial("a passwd file that is none does no harm", busybox.clone(), no_passwd),
        trial("unknown capabilities are warned of and passed over", root.clone(), unknown_capabilities),
        trial("a number among the arguments is its own text", busybox.clone(), number),
        trial("a relative masked or read-only path begins at the root", busybox.clone(), relative_paths),
        trial(
            "a working directory is made before the root becomes read-only",
            root.clone(),
            working_directory,
        ),
        trial("a process limit of zero is none", root.clone(), no_process_limit),
        trial("the caller's groups are kept where an annotation asks for it", root, keep_groups),
        trial(
            "an unknown system call is refused where an annotation asks for it",
            [Need::Root].to_vec(),
            unknown_call,
        ),
        trial("delete takes a pattern", [Need::Root].to_vec(), delete_by_pattern),
        trial("redirected output belongs to user and group of the container", busybox, redirected_output),
    ])
}

/// `HOME` of a program, by the environment and the user that are configured.
const HOMES: [(&[&str], u32, &str); 5] = [
    (&[], 0, "/root"),
    (&["HOME="], 0, "/root"),
    (&["HOME=/set"], 0, "/set"),
    (&["A=1"], 33, "/srv/www"),
    (&[], 101_010, "/"),
];

fn with_users() -> Case {
    let mut case = Case::probe();
    fs::create_dir_all(case.bundle.rootfs().join("etc")).unwrap();
    let users = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/srv/www:/bin/false\n";
    fs::write(case.bundle.rootfs().join("etc/passwd"), users).unwrap();
    case.args(&["/bin/probe"]);
    case
}

fn home() {
    for (env, uid, home) in HOMES {
        let mut case = with_users();
        case.edit(|config| {
            config["process"]["env"] = json!(env);
            config["process"]["user"]["uid"] = json!(uid);
        });
        assert_eq!(case.report().process.env.get("HOME").map(String::as_str), Some(home), "{env:?} {uid}");
    }
}

fn home_of_exec() {
    let mut case = with_users();
    case.args(&["/bin/probe", "sleep"]);
    case.detach();
    for (env, uid, home) in HOMES {
        let file = case.bundle.path().join("process.json");
        let process =
            json!({ "args": ["/bin/probe"], "cwd": "/", "env": env, "user": { "uid": uid, "gid": 0 } });
        fs::write(&file, process.to_string()).unwrap();
        let report: probe::Report = case.exec(&["--process", file.to_str().unwrap()], &[]).ok().json();
        assert_eq!(report.process.env.get("HOME").map(String::as_str), Some(home), "{env:?} {uid}");
    }
}

fn no_passwd() {
    for make in ["mkfifo", "mkdir", "ln -s /etc/passwd"] {
        let mut case = Case::busybox();
        let etc = case.bundle.rootfs().join("etc");
        fs::create_dir_all(&etc).unwrap();
        run(Command::new("sh").args(["-c", &format!("rm -rf passwd; {make} passwd")]).current_dir(&etc)).ok();
        case.edit(|config| config["process"]["env"] = json!(["PATH=/bin"]));
        case.args(&["sh", "-c", "echo $HOME"]);
        assert_eq!(run(&mut case.make(&["run"])).ok().stdout, "/\n", "{make}");
    }
}

fn unknown_capabilities() {
    let mut case = Case::probe();
    case.edit(|config| {
        for set in ["bounding", "effective", "permitted"] {
            config["process"]["capabilities"][set] = json!(["CAP_MOO", "CAP_KILL", "CAP_OINK"]);
        }
    });
    case.args(&["/bin/probe"]);
    let done = run(&mut case.make(&["run"]));
    let words = "ignoring unknown or unavailable capabilities: [CAP_MOO, CAP_OINK]";
    assert!(done.stderr.contains(words), "{}", done.stderr);
    let report: probe::Report = done.json();
    assert_eq!(report.capabilities.effective, support::names(&["CAP_KILL"]));
}

fn number() {
    let mut case = Case::busybox();
    case.edit(|config| config["process"]["args"] = json!(["echo", 0, -7, "x"]));
    assert_eq!(run(&mut case.make(&["run"])).ok().stdout, "0 -7 x\n");
}

fn relative_paths() {
    let mut case = Case::busybox();
    for name in ["masked", "readonly"] {
        fs::create_dir(case.bundle.rootfs().join(name)).unwrap();
        fs::write(case.bundle.rootfs().join(name).join("file"), "").unwrap();
    }
    case.edit(|config| {
        config["root"]["readonly"] = json!(false);
        config["linux"]["maskedPaths"] = json!(["masked", "no/such"]);
        config["linux"]["readonlyPaths"] = json!(["readonly", "no/such"]);
    });
    case.args(&["sh", "-c", "ls /masked; echo moo > /readonly/file"]);
    let done = run(&mut case.make(&["run"]));
    assert_eq!(done.stdout, "");
    assert!(done.stderr.contains("Read-only file system"), "{}", done.stderr);
}

fn working_directory() {
    let mut case = Case::probe();
    case.edit(|config| {
        config["root"]["readonly"] = json!(true);
        config["process"]["cwd"] = json!("/made/for/it");
    });
    assert_eq!(case.report().process.cwd, "/made/for/it");
}

fn no_process_limit() {
    let mut case = Case::probe();
    case.edit(|config| config["linux"]["resources"]["pids"]["limit"] = json!(0));
    case.args(&["/bin/probe", "sleep"]);
    case.detach();
    let groups = fs::read_to_string(format!("/proc/{}/cgroup", case.pid())).unwrap();
    let group = |line: &str| {
        let (hierarchy, path) = line.split_once(':')?.1.split_once(':')?;
        let mount = Path::new("/sys/fs/cgroup").join(hierarchy);
        fs::read_to_string(mount.join(path.trim_start_matches('/')).join("pids.max")).ok()
    };
    assert_eq!(groups.lines().filter_map(group).collect::<Vec<_>>(), ["max\n"]);
}

fn keep_groups() {
    for (value, expect) in [("1", vec![4, 24]), ("0", vec![])] {
        let mut case = Case::probe();
        case.edit(|config| config["annotations"] = json!({ "run.oci.keep_original_groups": value }));
        case.args(&["/bin/probe"]);
        let command = case.make(&["run"]);
        let mut with_groups = Command::new("setpriv");
        with_groups.args(["--groups", "4,24"]).arg(command.get_program()).args(command.get_args());
        let report: probe::Report = run(with_groups.stdin(Stdio::null())).ok().json();
        assert_eq!(report.ids.groups, expect, "{value}");
    }
}

fn redirected_output() {
    let mut case = Case::busybox();
    case.edit(|config: &mut Value| config["process"]["user"] = json!({ "uid": 1000, "gid": 1001 }));
    case.args(&["true"]);
    let output = case.bundle.path().join("output");
    let file = fs::File::create(&output).unwrap();
    assert!(case.make(&["run"]).stdin(Stdio::null()).stdout(file).status().unwrap().success());
    let owner = fs::metadata(&output).unwrap();
    assert_eq!((owner.uid(), owner.gid()), (1000, 1001));
}

fn unknown_call() {
    for (value, code) in [("0", 0), ("1", 1)] {
        let mut case = Case::probe();
        case.edit(|config| {
            config["annotations"] = json!({ "run.oci.seccomp_fail_unknown_syscall": value });
            config["linux"]["seccomp"] = json!({
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{ "names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO" }],
            });
        });
        let done = case.args(&["/bin/probe"]).run();
        assert_eq!(done.code(), code, "{done:#?}");
        let words = "/linux/seccomp/syscalls/0/names/1: there is no system call \"no_such_call\"";
        assert_eq!(done.stderr.contains(words), code == 1, "{done:#?}");
    }
}

fn delete_by_pattern() {
    let mut case = Case::probe();
    case.args(&["/bin/probe", "sleep"]).detach();
    run(case.oci(&["delete", "--force", "--regex"]).arg(format!("^x{}", case.id()))).ok();
    assert_eq!(case.status(), "running");
    run(case.oci(&["delete", "--force", "--regex"]).arg(format!("^{}.*$", &case.id()[..4]))).ok();
    assert_eq!(case.does("state").code(), 1);
}
