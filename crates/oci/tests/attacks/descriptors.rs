//! Descriptors and directories of the host that reach a container (CVE-2024-21626, CVE-2016-9962).

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Stdio};

use serde_json::json;
use testbed::run;

use crate::ground::{all_capabilities, grant, marker, naive, naive_jail, with_leaks, works_without};
use crate::support::{Case, eventually, map_ids};

pub fn leaked_working_directory() {
    let naive = naive_jail(&Case::busybox(), "/proc/self/fd/9", &["/bin/cat", "hostname"]);
    let hostname = fs::read_to_string("/etc/hostname").unwrap();
    works_without("a look at the working directory", naive.stdout == hostname, naive);

    let cases = [
        ("/proc/self/fd/7", None),
        ("/proc/self/fd/9", None),
        ("/proc/thread-self/fd/7", None),
        ("/link", Some("/proc/self/fd/7")),
        ("/link/etc", Some("/proc/self/fd/7/")),
        ("/link", Some("proc/1/fd/7/../../")),
    ];
    for (cwd, link) in cases {
        let mut case = Case::busybox();
        case.args(&["cat", "etc/hostname", "hostname"]);
        if let Some(target) = link {
            symlink(target, case.bundle.rootfs().join("link")).unwrap();
        }
        case.edit(|config| config["process"]["cwd"] = json!(cwd));
        let done = with_leaks(case.make(&["run"]));
        assert_eq!((done.code(), done.stdout.as_str()), (1, ""), "{cwd}: {done:#?}");
        assert!(done.stderr.contains("/process/cwd"), "{done:#?}");
        assert_eq!(case.left_behind(), Vec::<String>::new());
    }
}

pub fn own_descriptors() {
    let (_scratch, marker) = marker();
    for fd in 3..16 {
        let mut case = Case::probe();
        case.args(&["/bin/probe", "fd-escape", &marker]);
        case.edit(|config| config["process"]["cwd"] = json!(format!("/proc/self/fd/{fd}")));
        let done = case.run();
        if done.code() == 0 {
            let verdict: probe::Verdict = done.json();
            assert!(!verdict.succeeded(), "{fd}: {verdict:?}");
        } else {
            assert!(done.stderr.contains("/process/cwd"), "{fd}: {done:#?}");
        }
    }
}

/// Whoever shares a pid namespace with it looks into /proc/1/fd.
pub fn waiting() {
    let case = Case::busybox();
    run(&mut case.make(&["create"])).ok();
    let open = std::fs::read_dir(format!("/proc/{}/fd", case.pid())).unwrap();
    let held: Vec<_> = open.map(|fd| std::fs::read_link(fd.unwrap().path()).unwrap()).collect();
    // Its standard streams, the socket on which it waits, and the one on which its creator was told.
    let kinds = ["/dev/null", "pipe:", "socket:", "/memfd:", "/tmp/"];
    for file in &held {
        assert!(kinds.iter().any(|kind| file.to_string_lossy().starts_with(kind)), "{held:?}");
    }
    let sockets = held.iter().filter(|file| file.to_string_lossy().starts_with("socket:")).count();
    assert_eq!(sockets, 2, "{held:?}");
}

pub fn leaked_in_exec() {
    let mut case = Case::busybox();
    case.args(&["sleep", "1000"]).detach();
    let (_scratch, marker) = marker();
    let joined =
        with_leaks(naive(&["naive-enter", &case.pid().to_string(), "/bin/probe", "fd-escape", &marker]));
    works_without("closed descriptors", joined.stdout.contains("\"outcome\":\"ok\""), joined);

    let exec = |options: &[&str], command: &[&str]| {
        let mut exec = case.oci(&["exec"]);
        exec.args(options).arg(case.id()).args(command);
        with_leaks(exec)
    };
    let report: probe::Report = exec(&[], &["/bin/probe"]).ok().json();
    assert_eq!(report.descriptors.iter().map(|open| open.fd).collect::<Vec<_>>(), [0, 1, 2]);
    for cwd in ["/proc/self/fd/7", "/proc/self/fd/9", "/proc/self/fd/3", "/proc/self/fd/4"] {
        let done = exec(&["--cwd", cwd], &["cat", "etc/hostname"]);
        assert_eq!((done.code(), done.stdout.as_str()), (255, ""), "{cwd}: {done:#?}");
    }
}

pub fn open_directories() {
    let (_scratch, marker) = marker();
    let mut case = Case::busybox();
    let naive = naive_jail(&case, "/", &["/bin/probe", "fd-escape", &marker]);
    works_without("closed descriptors", naive.ok().json::<probe::Verdict>().succeeded(), ());

    case.args(&["/bin/probe", "fd-escape", &marker]);
    let verdict: probe::Verdict = with_leaks(case.make(&["run"])).ok().json();
    assert_eq!(verdict.outcome, "ENOENT", "{verdict:?}");

    // A process that stays and holds a directory, while another is started beside it.
    case.args(&["/bin/probe", "hold-open", "/"]).detach();
    let verdict: probe::Verdict = case.exec(&[], &["/bin/probe", "fd-escape", &marker]).ok().json();
    assert_eq!(verdict.outcome, "ENOENT", "{verdict:?}");
    for way in ["/proc/1/root", "/proc/1/cwd", "/proc/1/fd/3/../../../.."] {
        let done = case.exec(&[], &["cat", &format!("{way}{marker}")]);
        assert_eq!(done.stdout, "", "{way}: {done:#?}");
    }
}

/// Somebody who joined a container and still has the root of the host.
struct Lingering(Child);

impl Lingering {
    fn new(case: &Case) -> Lingering {
        let mut joins = naive(&["naive-linger", &case.pid().to_string()]);
        Lingering(joins.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let children =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.0.id())).unwrap_or_default();
        for pid in children.split_whitespace() {
            let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

pub fn exec_into_hostile() {
    let (_scratch, marker) = marker();
    let mut case = Case::busybox();
    map_ids(&mut case);
    let all = all_capabilities(&case);
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    // Whoever joins is looked through: its root, its working directory, its descriptors and its program.
    let script = format!(
        "while :; do for p in /proc/[0-9]*; do for way in root cwd fd/3 fd/4 fd/5 fd/6 fd/7 fd/8; do \
         [ -e $p/$way{marker} ] && echo $p/$way >>/dev/shm/escaped; done; done; touch /dev/shm/looked; done",
    );
    case.edit(|config| grant(config, &all));
    case.args(&["sh", "-c", &script]).detach();
    let escaped = || case.exec(&[], &["cat", "/dev/shm/escaped"]);
    {
        let _lingers = Lingering::new(&case);
        eventually("void unless somebody who joins carelessly is looked through", || {
            escaped().stdout.contains("/root")
        });
        case.exec(&[], &["rm", "/dev/shm/escaped"]).ok();
    }
    // What the attacker wrote while they were already on their way to the end.
    eventually("the careless one is gone", || {
        case.exec(&[], &["rm", "-f", "/dev/shm/escaped", "/dev/shm/looked"]).ok();
        eventually("the attacker looked", || case.exec(&[], &["test", "-e", "/dev/shm/looked"]).code() == 0);
        escaped().code() == 1
    });
    case.exec(&[], &["rm", "/dev/shm/looked"]).ok();
    for _ in 0..20 {
        case.exec(&[], &["true"]).ok();
    }
    eventually("the attacker looked", || case.exec(&[], &["test", "-e", "/dev/shm/looked"]).code() == 0);
    let done = escaped();
    assert_eq!((done.code(), done.stdout.as_str()), (1, ""), "{done:#?}");
}
