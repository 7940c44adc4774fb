//! System calls that reach past the container, stopped by the filter.

use std::process::Command;

use serde_json::json;
use testbed::{run, unique_name};

use crate::ground::{by_number, calls, default_filter, grant, install_call, text, works_without};
use crate::support::{Case, map_ids};

/// `BPF_PROG_TYPE_SOCKET_FILTER` and the like need a program; a map needs four numbers, all of which may be 1 or 2.
const ATTACKS: [&[&str]; 5] = [
    &["io_uring_setup", "8", "z:120"],
    &["userfaultfd", "0"],
    &["perf_event_open", "z:128", "0", "-1", "-1", "0"],
    &["open_by_handle_at", "-1", "z:16", "0"],
    &["bpf", "0", "t:\x01", "1"],
];

/// What the kernel itself says to each when no filter is there: nothing that comes from a filter.
pub fn dangerous_calls() {
    let mut case = Case::probe();
    install_call(&case);
    let capabilities =
        ["CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_SYS_BOOT", "CAP_SYS_ADMIN"];
    case.edit(|config| grant(config, &capabilities));
    for attack in ATTACKS {
        let verdict = calls(&mut case, attack);
        let reached = !["EPERM", "ENOSYS", "EACCES"].contains(&verdict.outcome.as_str());
        works_without("a filter", reached, (attack, verdict));
    }
    for works in &ATTACKS[..2] {
        works_without("a filter", calls(&mut case, works).succeeded(), works);
    }
    case.edit(|config| config["linux"]["seccomp"] = default_filter());
    for attack in ATTACKS {
        assert_eq!(calls(&mut case, attack).outcome, "EPERM", "{attack:?}");
    }
}

/// Keys belong to users and sessions, and not to containers (keyrings(7)).
pub fn keys_of_others() {
    const SESSION: &str = "-3";
    const JOIN_SESSION: &str = "1";
    let name = format!("t:{}", unique_name());
    let mut case = Case::probe();
    let call = install_call(&case);
    let looks = by_number(&["request_key", "t:user", &name, "0", "0"]);
    let args: Vec<_> = ["/bin/call"].into_iter().chain(looks.iter().map(String::as_str)).collect();
    case.args(&args);
    // The caller of cuddy-oci has a key in its session.
    let with_key = |options: &[&str]| {
        let start = case.make(options);
        let calls = [
            "keyctl",
            JOIN_SESSION,
            "0",
            ",",
            "add_key",
            "t:user",
            &name,
            "t:secret",
            "6",
            SESSION,
            ",",
            "exec",
        ];
        let mut command = Command::new(&call);
        command.args(by_number(&calls)).arg(start.get_program()).args(start.get_args());
        run(&mut command).ok().json::<probe::Verdict>()
    };
    let found = with_key(&["run", "--no-new-keyring"]);
    works_without("a session keyring of its own", found.succeeded(), found);
    assert_eq!(with_key(&["run"]).outcome, "ENOKEY");
}

/// Two containers of one user share that user's keyring.
pub fn keys_of_another_container() {
    const USER: &str = "-4";
    const SEARCH: &str = "10";
    const UNLINK: &str = "9";
    let name = format!("t:{}", unique_name());
    let adds = ["add_key", "t:user", &name, "t:secret", "6", USER];
    let finds = ["keyctl", SEARCH, USER, "t:user", &name, "0"];
    let container = |change: &dyn Fn(&mut Case)| {
        let mut case = Case::probe();
        install_call(&case);
        change(&mut case);
        case
    };
    let verdict = calls(&mut container(&|_| {}), &adds);
    works_without("a filter", verdict.succeeded(), verdict);
    let verdict = calls(&mut container(&|_| {}), &finds);
    let forgets = [&finds[..], &[",", "keyctl", UNLINK, "result", USER]].concat();
    let forgot = calls(&mut container(&|_| {}), &forgets);
    works_without("a filter", verdict.succeeded() && forgot.succeeded(), verdict);

    let filter = |case: &mut Case| {
        case.edit(|config| config["linux"]["seccomp"] = default_filter());
    };
    for attack in [&adds[..], &finds[..]] {
        assert_eq!(calls(&mut container(&filter), attack).outcome, "EPERM");
    }
    // In a user namespace there are other users, and so other keyrings.
    assert_eq!(calls(&mut container(&map_ids), &finds).outcome, "ENOKEY");
}

/// A user namespace of the container's own gives capabilities over nothing that was there before.
pub fn own_user_namespace() {
    let unmask = ["unshare", "-Urmpf", "sh", "-c", "mount -t proc proc /tmp && wc -c </tmp/keys"];
    // Who maps root needs them (user_namespaces(7)).
    let capabilities = ["CAP_SETFCAP", "CAP_SETGID", "CAP_SETUID"];
    let mut careless = Case::busybox();
    careless.edit(|config| {
        grant(config, &capabilities);
        config["linux"]["maskedPaths"] = json!([]);
        config["linux"]["readonlyPaths"] = json!([]);
    });
    let done = careless.args(&unmask).run();
    works_without("masks", done.code() == 0, done);

    let mut case = Case::busybox();
    case.edit(|config| grant(config, &capabilities));
    for attack in [
        &unmask[..],
        &["unshare", "-Urm", "umount", "/proc/keys"],
        &["unshare", "-Urm", "mount", "-o", "remount,bind,rw", "/proc/sys"],
        &["unshare", "-Urm", "mount", "-o", "remount,bind,rw", "/"],
        &["unshare", "-Urm", "mount", "-t", "sysfs", "sysfs", "/tmp"],
    ] {
        let done = case.args(attack).run();
        assert_ne!(done.code(), 0, "{attack:?}: {done:#?}");
    }
    // With the filter there is no such namespace.
    let done = case.args(&["unshare", "-Ur", "true"]).run();
    works_without("a filter", done.code() == 0, done);
    case.edit(|config| config["linux"]["seccomp"] = default_filter());
    let done = case.run();
    assert!(done.stderr.contains("Operation not permitted"), "{done:#?}");
}

/// The numbers are those of this machine: a wrong one would make an attack fail for nothing.
pub fn numbers_are_right() {
    let case = Case::probe();
    let call = install_call(&case);
    let done = run(Command::new(text(&call)).args(by_number(&["getppid"])));
    let verdict: probe::Verdict = done.ok().json();
    assert_eq!(verdict.detail["result"], std::process::id());
}
