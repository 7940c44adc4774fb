//! Hooks, run for real. To fork takes a process with one thread, so these tests run one after the other on the main
//! thread.

use executor::run_hook;
use libtest_mimic::{Arguments, Failed, Trial};
use plan::{Hook, HookKind, State, Status};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let test = |name: &str, run: fn()| {
        Trial::test(name, move || {
            run();
            Ok::<(), Failed>(())
        })
    };
    let tests = vec![
        test("what_a_hook_gets_and_what_is_said_of_its_end", what_it_gets),
        test("a_program_that_is_not_there_is_told_apart_from_one_that_fails", missing),
        test("the_end_of_a_long_output_is_what_is_remembered", long_output),
        test("a_state_of_any_size_arrives_though_nobody_reads_it", large_state),
        test("a_hook_that_runs_too_long_is_killed_with_its_group", too_long),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}

fn state() -> State {
    State {
        oci_version: "1.3.0".to_owned(),
        id: "web".to_owned(),
        status: Status::Running,
        pid: Some(42),
        bundle: "/".into(),
        annotations: Default::default(),
    }
}

fn shell(script: &str) -> Hook {
    Hook {
        kind: HookKind::Poststart,
        index: 0,
        path: "/bin/sh".into(),
        args: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: Some(vec!["ONE=two".to_owned()]),
        timeout: None,
        home: false,
        stdout: None,
        stderr: None,
        directory: Some("/usr".into()),
    }
}

fn what_it_gets() {
    let state_is_on_stdin = r#"test "$(/bin/cat)" = '{"ociVersion":"1.3.0","id":"web","status":"running","pid":42,"bundle":"/"}'"#;
    let nothing_else_is_open = r#"/bin/ls -l /proc/self/fd | /bin/grep -vc ' [0123] -> ' | /bin/grep -qx 1"#;
    let its_own_group = r#"test "$(/usr/bin/cut -d' ' -f5 /proc/$$/stat)" = $$"#;
    let no_signal_is_blocked = "/bin/grep -qx 'SigBlk:\t0000000000000000' /proc/self/status";
    let cases = [
        ("true", None),
        (state_is_on_stdin, None),
        (nothing_else_is_open, None),
        (its_own_group, None),
        (no_signal_is_blocked, None),
        ("test $ONE = two -a -z \"$HOME\" -a $(pwd) = /usr", None),
        // Nobody waits for what it leaves behind.
        ("/bin/sleep 100 & echo $! >/dev/null", None),
        ("exit 3", Some("failed with exit code 3")),
        ("kill -9 $$", Some("was ended by signal 9")),
        ("echo one; echo two >&2; exit 1", Some("failed with exit code 1: one; two")),
    ];
    for (script, expected) in cases {
        assert_eq!(run_hook(&shell(script), &state()).err().as_deref(), expected, "{script}");
    }
}

fn missing() {
    let missing = Hook { path: "/no/such/hook".into(), ..shell("") };
    let said = run_hook(&missing, &state()).unwrap_err();
    assert!(said.starts_with("could not be executed: "), "{said}");
}

fn long_output() {
    let said = run_hook(&shell("/usr/bin/seq 100000; exit 1"), &state()).unwrap_err();
    assert!(said.ends_with("; 99999; 100000") && said.len() < 1000, "{said}");
}

fn large_state() {
    let mut large = state();
    large.annotations.insert("key".to_owned(), "x".repeat(300_000));
    run_hook(&shell("test $(/usr/bin/wc -c) -gt 300000"), &large).unwrap();
    run_hook(&shell("true"), &large).unwrap();
}

fn too_long() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let script = format!("/bin/sleep 1000 & echo $! >{}; wait", file.display());
    let hook = Hook { timeout: Some(1), ..shell(&script) };
    let said = run_hook(&hook, &state()).unwrap_err();
    assert_eq!(said, "ran past its timeout of 1 s and was killed");
    let pid: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let ended = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z "))
    };
    while !ended() {
        std::thread::yield_now();
    }
}
