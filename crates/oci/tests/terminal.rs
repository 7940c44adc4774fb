//! The terminal of a container: sent over the console socket, or relayed in the foreground.

mod support;

use std::io::Write;
use std::process::{Command, ExitCode};

use serde_json::json;
use support::console::{Console, read_all};
use support::{Case, SOON, eventually};
use testbed::{Need, Terminal, run, trial};

fn main() -> ExitCode {
    let busybox = [Need::Root, Need::Program("busybox")];
    let person = [Need::Root, Need::Program("busybox"), Need::Program("setsid")];
    testbed::main([
        trial("the console socket gets the terminal", busybox.clone(), console_socket),
        trial(
            "the terminal is the container's own, controlling, of the configured size",
            busybox.clone(),
            inside,
        ),
        trial("a created container has its terminal before start", busybox.clone(), created),
        trial("exec gets a terminal of its own", busybox.clone(), exec),
        trial("a terminal that nobody takes is refused", busybox.clone(), nobody_takes),
        trial("a user namespace has a terminal of its user", busybox, in_user_namespace),
        trial("a run in the foreground is a shell at the terminal", person.clone(), foreground),
        trial("exec --tty in the foreground, too", person, exec_foreground),
    ])
}

fn with_terminal(args: &[&str]) -> Case {
    let mut case = Case::busybox();
    case.edit(|config| {
        config["process"]["terminal"] = json!(true);
        config["process"]["consoleSize"] = json!({ "height": 33, "width": 100 });
    });
    case.args(args);
    case
}

fn console_socket() {
    let case = with_terminal(&["sh", "-c", "read word; echo got $word; exit 4"]);
    let console = Console::new(&case);
    run(&mut case.make(&["run", "--detach", "--console-socket", &console.path])).ok();
    let mut terminal = console.terminal();
    terminal.write_all(b"hello\n").unwrap();
    // What is typed is echoed.
    assert_eq!(read_all(terminal), "hello\r\ngot hello\r\n");
    case.wait_until_stopped();
}

fn inside() {
    let case = with_terminal(&[
        "sh",
        "-c",
        "stty size; tty; echo to the console >/dev/console; /bin/probe --out /dev/shm/report; cat /dev/shm/report",
    ]);
    let console = Console::new(&case);
    run(&mut case.make(&["run", "--detach", "--console-socket", &console.path])).ok();
    let text = read_all(console.terminal());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..3], ["33 100", "/dev/pts/0", "to the console"]);
    let report: probe::Report =
        serde_json::from_str(lines[3]).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(report.terminal.isatty, [true; 3]);
    assert_eq!(
        (report.terminal.size, report.terminal.name.as_deref()),
        (Some((33, 100)), Some("/dev/pts/0"))
    );
    assert!(report.terminal.controlling);
    assert_eq!(report.terminal.foreground, Some(1));
    assert_eq!(report.descriptors.len(), 3, "{:?}", report.descriptors);
    let console = report.mount("/dev/console").unwrap();
    assert_eq!((console.fstype.as_str(), console.root.as_str()), ("devpts", "/0"));
    let device = report.device("/dev/pts/0").unwrap();
    assert_eq!((device.owner, device.mode), ((0, 5), 0o620));
}

fn created() {
    let case = with_terminal(&["echo", "started"]);
    let console = Console::new(&case);
    run(&mut case.make(&["create", "--console-socket", &console.path])).ok();
    let terminal = console.terminal();
    assert_eq!(case.status(), "created");
    case.does("start").ok();
    assert_eq!(read_all(terminal), "started\r\n");
}

fn exec() {
    let mut case = Case::busybox();
    case.args(&["sleep", "1000"]).detach();
    let console = Console::new(&case);
    let options = ["--tty", "--detach", "--console-socket", &console.path];
    case.exec(&options, &["sh", "-c", "tty; read word; echo got $word"]).ok();
    let mut terminal = console.terminal();
    terminal.write_all(b"hello\n").unwrap();
    let text = read_all(terminal);
    assert!(text.contains("/dev/pts/0\r\n") && text.ends_with("got hello\r\n"), "{text}");
}

fn nobody_takes() {
    let case = with_terminal(&["sh"]);
    let message = "/process/terminal: nobody takes the terminal\n  \
                   use --console-socket, or set process.terminal to false\n";
    for (words, doing) in [(&["create"][..], "create"), (&["run", "--detach"], "start")] {
        let done = run(&mut case.make(words));
        assert_eq!(
            (done.code(), done.stderr),
            (1, format!("cuddy-oci: error: cannot {doing} {}: {message}", case.id()))
        );
    }
    let path = case.bundle.path().join("nobody.sock");
    let path = path.to_str().unwrap();
    let done = run(&mut case.make(&["create", "--console-socket", path]));
    let expected = format!(
        "cuddy-oci: error: cannot create {}: cannot connect to console socket {path}: no such file or directory\n",
        case.id()
    );
    assert_eq!((done.code(), done.stderr), (1, expected));
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn in_user_namespace() {
    let mut case = with_terminal(&["sh", "-c", "tty; id -u; echo x >/dev/tty; stat -c %u /dev/pts/0"]);
    support::map_ids(&mut case);
    case.edit(|config| config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 }));
    let console = Console::new(&case);
    run(&mut case.make(&["run", "--detach", "--console-socket", &console.path])).ok();
    assert_eq!(read_all(console.terminal()), "/dev/pts/0\r\n1000\r\nx\r\n1000\r\n");
}

fn foreground() {
    let case = with_terminal(&["sh"]);
    let mut person = Terminal::start(&case.make(&["run"]));
    person.expect("# ", SOON);
    assert!(person.is_raw(), "keys go to the container as they are");
    person.send("echo $((6*7)); tty\n");
    person.expect("42\r\n/dev/pts/0\r\n", SOON);
    person.resize(50, 120);
    eventually("the new size arrives", || {
        person.send("stty size; echo end\n");
        person.expect("\r\nend\r\n", SOON).contains("50 120\r\n")
    });
    person.send("sh -c \"echo g''o; exec sleep 1000\"\n");
    person.expect("\r\ngo\r\n", SOON);
    person.send("\u{3}");
    person.expect("# ", SOON);
    person.send("exit 7\n");
    assert_eq!(person.wait(SOON).code(), Some(7));
    assert!(!person.is_raw(), "the terminal is as it was");
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn exec_foreground() {
    let mut case = Case::busybox();
    case.args(&["sleep", "1000"]).detach();
    let exec = case.oci(&["exec", "--tty"]);
    let mut command = Command::new(exec.get_program());
    command.args(exec.get_args()).arg(case.id()).arg("sh");
    let mut person = Terminal::start(&command);
    person.expect("# ", SOON);
    person.send("tty; exit 3\n");
    person.expect("/dev/pts/", SOON);
    assert_eq!(person.wait(SOON).code(), Some(3));
    assert!(!person.is_raw());
}
