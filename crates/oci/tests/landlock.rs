//! Landlock: what a container takes from itself, on this kernel.

mod support;

use std::process::ExitCode;

use serde_json::{Value, json};
use support::Case;
use testbed::{Need, trial};

fn main() -> ExitCode {
    let needs = || [Need::Root, Need::Landlock(6)];
    testbed::main([
        trial("files, ports and signals are denied but for what rules allow", needs(), rules),
        trial(
            "a process of exec has the rules, too",
            [Need::Root, Need::Landlock(6), Need::Program("busybox")],
            exec,
        ),
        trial("a path that is not there is an error", needs(), missing),
        trial("a filter that allows nothing of it comes after it", needs(), under_filter),
    ])
}

const READ_ALL: &str = r#"{"paths": [{"path": "/", "access": ["read", "execute"]}]}"#;
const TMP_ONLY: &str = r#"{"paths": [{"path": "/bin/probe", "access": ["read", "execute", "write"]},
    {"path": "/tmp", "access": ["read", "write"]}]}"#;
const PORTS: &str = r#"{"bind": [7], "connect": []}"#;

/// Rules, what is tried, and what comes of it without rules and with them.
const CASES: [(&str, &[&str], &str, &str); 9] = [
    (READ_ALL, &["try-read", "/etc/passwd"], "ok", "ok"),
    (READ_ALL, &["try-write", "/tmp/new"], "ok", "EACCES"),
    (READ_ALL, &["try-open", "/etc/passwd", "rdwr"], "ok", "EACCES"),
    (TMP_ONLY, &["try-write", "/tmp/new"], "ok", "ok"),
    (TMP_ONLY, &["try-read", "/etc/passwd"], "ok", "EACCES"),
    (TMP_ONLY, &["try-read", "/proc/self/status"], "ok", "EACCES"),
    (PORTS, &["try-tcp", "bind", "7"], "ok", "ok"),
    (PORTS, &["try-tcp", "bind", "8"], "ok", "EACCES"),
    (PORTS, &["try-tcp", "connect", "7"], "ECONNREFUSED", "EACCES"),
];

/// Root with all that root has by default; an ordinary user without anything, but for `no_new_privs`.
fn change(config: &mut Value, ordinary: bool) {
    config["root"]["readonly"] = json!(false);
    config["linux"]["sysctl"] = json!({ "net.ipv4.ip_unprivileged_port_start": "0" });
    config["process"]["noNewPrivileges"] = json!(ordinary);
    if ordinary {
        config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 });
        config["process"]["capabilities"] = json!({});
    }
}

fn rules() {
    for ordinary in [false, true] {
        for (rules, attempt, without, with) in CASES {
            let mut case = Case::probe();
            case.edit(|config| change(config, ordinary));
            // Nobody but root may open the password file for writing anyway.
            let without = if ordinary && attempt[0] == "try-open" { "EACCES" } else { without };
            assert_eq!(case.attempt(attempt).outcome, without, "{attempt:?}, ordinary: {ordinary}");
            case.edit(|config| config["annotations"]["run.cuddy.landlock"] = json!(rules));
            assert_eq!(
                case.attempt(attempt).outcome,
                with,
                "{attempt:?} under {rules}, ordinary: {ordinary}"
            );
        }
    }
}

fn exec() {
    let mut case = Case::busybox();
    case.edit(|config| {
        change(config, false);
        let rules = r#"{"paths": [{"path": "/", "access": ["read", "execute"]}], "scopes": ["signal"]}"#;
        config["annotations"]["run.cuddy.landlock"] = json!(rules);
    });
    case.args(&["sleep", "1000"]).detach();
    let attempt = |attempt: &[&str]| {
        let verdict: probe::Verdict = case.exec(&[], &[&["/bin/probe"], attempt].concat()).ok().json();
        verdict.outcome
    };
    assert_eq!(attempt(&["try-write", "/tmp/new"]), "EACCES");
    // The first process is not one that this one has started.
    assert_eq!(attempt(&["kill", "1", "0"]), "EPERM");
}

fn missing() {
    let mut case = Case::probe();
    let rules = r#"{"paths": [{"path": "/nowhere", "access": ["read"]}]}"#;
    case.edit(|config| config["annotations"]["run.cuddy.landlock"] = json!(rules));
    let done = case.run();
    assert_eq!(done.code(), 1, "{done:#?}");
    let said = "restrict this process with Landlock: /nowhere: no such file or directory";
    assert!(done.stderr.contains(said), "{done:#?}");
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn under_filter() {
    for no_new_privs in [false, true] {
        let mut case = Case::probe();
        case.edit(|config| {
            change(config, false);
            config["process"]["noNewPrivileges"] = json!(no_new_privs);
            let calls = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"];
            config["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [{ "names": calls, "action": "SCMP_ACT_ERRNO" }] });
            config["annotations"]["run.cuddy.landlock"] = json!(READ_ALL);
        });
        assert_eq!(case.attempt(&["try-write", "/tmp/new"]).outcome, "EACCES");
        // What cuddy needed for the filter and the rules is gone.
        assert!(!case.report().capabilities.permitted.contains("CAP_SYS_ADMIN"));
    }
}
