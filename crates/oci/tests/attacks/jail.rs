//! The breaks of naive jails.

use std::process::Command;

use serde_json::json;
use testbed::run;

use crate::ground::{calls, grant, install_call, marker, naive_jail, works_without};
use crate::support::{Case, set_namespace};

/// A victim on the host, which ends with the test.
struct Victim(std::process::Child);

impl Victim {
    fn new() -> Victim {
        Victim(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn chroot() {
    let (_scratch, marker) = marker();
    let naive = naive_jail(&Case::probe(), "/", &["/bin/probe", "chroot-escape", &marker]);
    works_without("pivot_root", naive.ok().json::<probe::Verdict>().succeeded(), ());

    for readonly in [true, false] {
        let mut case = Case::probe();
        case.edit(|config| {
            grant(config, &["CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE"]);
            config["root"]["readonly"] = json!(readonly);
        });
        let verdict = case.attempt(&["chroot-escape", &marker]);
        assert_eq!(verdict.outcome, "ENOENT", "{verdict:?}");
    }
    // And without the capability not even this.
    assert_eq!(Case::probe().attempt(&["chroot-escape", &marker]).outcome, "EPERM");
}

pub fn host_processes() {
    let mut case = Case::probe();
    case.edit(|config| {
        set_namespace(config, "pid", None);
        grant(config, &["CAP_KILL"]);
    });
    let verdict = case.attempt(&["kill", &Victim::new().pid()]);
    works_without("a pid namespace", verdict.succeeded(), verdict);

    let mut victim = Victim::new();
    let pid = victim.pid();
    let mut case = Case::busybox();
    case.edit(|config| grant(config, &["CAP_KILL", "CAP_SYS_PTRACE"]));
    assert_eq!(case.report().pids, [1]);
    // The victim's pid is some process inside only by chance; there is none but the first.
    assert_eq!(case.attempt(&["kill", &pid]).outcome, "ESRCH");
    let done = case.args(&["sh", "-c", "kill -9 -1; echo alive; ls -d /proc/[0-9]*"]).run();
    assert!(done.stdout.starts_with("alive\n/proc/1\n"), "{done:#?}");
    assert!(!done.stdout.contains(&format!("/proc/{pid}\n")), "{done:#?}");
    assert!(victim.0.try_wait().unwrap().is_none());
}

pub fn left_running() {
    let mut case = Case::busybox();
    case.edit(|config| {
        set_namespace(config, "pid", None);
        config["linux"]["resources"]["pids"] = json!({ "limit": 50 });
    });
    let bomb = format!("bomb() {{ bomb | bomb & }}; : {}; bomb; sleep 1000", case.id());
    case.args(&["sh", "-c", &bomb]).detach();
    run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

/// ptrace(2) of a process that is not the container's.
pub fn debugged() {
    const PTRACE_SEIZE: &str = "0x4206";
    let victim = Victim::new();
    let seize = ["ptrace", PTRACE_SEIZE, &victim.pid(), "0", "0"];
    let mut case = Case::probe();
    install_call(&case);
    case.edit(|config| {
        set_namespace(config, "pid", None);
        grant(config, &["CAP_SYS_PTRACE"]);
    });
    let verdict = calls(&mut case, &seize);
    works_without("a pid namespace", verdict.succeeded(), verdict);
    // With processes of the host in sight it is the capability that lacks; else there is nobody of that number.
    case.edit(|config| grant(config, &["CAP_KILL"]));
    assert_eq!(calls(&mut case, &seize).outcome, "EPERM");
    let mut case = Case::probe();
    install_call(&case);
    case.edit(|config| grant(config, &["CAP_SYS_PTRACE"]));
    assert_eq!(calls(&mut case, &seize).outcome, "ESRCH");
}

pub fn fork_bomb() {
    let forks = |limit: i64| -> probe::Forks {
        let mut case = Case::probe();
        case.edit(|config| config["linux"]["resources"]["pids"] = json!({ "limit": limit }));
        serde_json::from_value(case.attempt(&["fork-many", "100"]).detail).unwrap()
    };
    let free = forks(-1);
    works_without("a limit", free.made == 100, free);
    let bound = forks(50);
    assert!(bound.made < 50 && bound.first_error.as_deref() == Some("EAGAIN"), "{bound:?}");
}
