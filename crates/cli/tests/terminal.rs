//! `cuddy run -it` as somebody at a terminal sees it, and without a terminal as a script does.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Home, Rootfs, SOON};
use probe::Report;
use rustix::process::{Pid, Signal, kill_process};
use testbed::{Need, Terminal, Trial, ends_within, input, run, trial};

fn main() -> ExitCode {
    testbed::main([
        at_terminal("a shell has a prompt, and its exit code is cuddy's", prompt),
        at_terminal("the terminal is the controlling one, of the window's size", report),
        at_terminal("jobs run in the background, stop, and come back", jobs),
        at_terminal("Ctrl-C ends the foreground job and nothing else", control_c),
        at_terminal("Ctrl-D ends the input", control_d),
        at_terminal("a window that changes its size is told to the command", resize),
        at_terminal("keys are echoed by the container's terminal only", raw),
        at_terminal("the user's terminal is as before after the end", || {
            restored(7, |home, outer| drop(run(&mut home.oci(["kill", &outer.container, "TERM"])).ok()));
        }),
        at_terminal("the user's terminal is as before after SIGTERM to cuddy", || {
            restored(7, |_, outer| kill_process(outer.cuddy(), Signal::TERM).unwrap());
        }),
        at_terminal("the user's terminal is as before when the container is killed", || {
            restored(137, |home, outer| drop(run(&mut home.oci(["kill", &outer.container, "KILL"])).ok()));
        }),
        at_terminal("the user's terminal is as before while cuddy is stopped", stopped_and_continued),
        at_terminal("a refused start leaves the terminal alone", refused),
        at_terminal("a hangup reaches the command", hang_up),
        at_terminal("a shell whose user's terminal is gone ends", abandoned),
        at_terminal("below an init the terminal is the command's", below_init),
        plain("without -t there is no terminal", not_a_terminal),
        plain("with -it and no terminal there is an error", no_input_for_a_terminal),
        plain("with -t alone the output is a terminal's", output_only),
        plain("with -i the command reads what is piped in", piped),
        plain("without -i the command reads nothing", null),
        plain("output of a command that is piped is not touched", binary_output),
        plain("SIGTERM reaches the command", || forwarded(Signal::TERM, "TERM")),
        plain("SIGHUP reaches the command", || forwarded(Signal::HUP, "HUP")),
        plain("SIGINT reaches the command", || forwarded(Signal::INT, "INT")),
        plain("SIGQUIT reaches the command", || forwarded(Signal::QUIT, "QUIT")),
        plain("SIGUSR1 reaches the command", || forwarded(Signal::USR1, "USR1")),
        plain("SIGTERM that nobody handles below an init ends it", terminated),
    ])
}

fn plain(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    trial(name, [Need::Root, Need::Program("busybox")], test)
}

fn at_terminal(name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    trial(name, [Need::Root, Need::Program("busybox"), Need::Program("setsid")], test)
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(number as i32).expect("a process has a pid")
}

const PROMPT: &str = "in> ";

/// `cuddy run -it OPTIONS ROOT sh`, at its first prompt, and the container's name.
#[track_caller]
fn shell(home: &Home, rootfs: &Rootfs, options: &[&str]) -> (String, Terminal) {
    let (name, mut command) = home.container(["-it", "-e", "PS1=in> "]);
    let mut shell = Terminal::start(command.args(options).arg(rootfs.path()).arg("sh"));
    shell.expect(PROMPT, SOON);
    (name, shell)
}

/// Types a line; its echo is read before the answer.
#[track_caller]
fn enter(shell: &mut Terminal, line: &str) {
    shell.send(&format!("{line}\r"));
    shell.expect(&format!("{line}\r\n"), SOON);
}

/// Types a line and gives what is shown up to the next prompt.
#[track_caller]
fn answer(shell: &mut Terminal, line: &str) -> String {
    enter(shell, line);
    let shown = shell.expect(PROMPT, SOON);
    shown.trim_end_matches(PROMPT).replace("\r\n", "\n")
}

fn prompt() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, mut shell) = shell(&home, &rootfs, &[]);
    assert_eq!(answer(&mut shell, "echo $((6 * 7)) $TERM $$"), "42 xterm 1\n");
    shell.send("exit 5\r");
    assert_eq!(shell.wait(SOON).code(), Some(5));
}

fn report() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, mut command) = home.container(["-it"]);
    let mut probe = Terminal::start(command.arg(rootfs.path()).arg("/bin/probe"));
    assert!(probe.wait(SOON).success());
    let report: Report = serde_json::from_str(&probe.output()).expect("a report");
    let terminal = &report.terminal;
    assert_eq!((terminal.isatty, terminal.controlling), ([true; 3], true));
    assert_eq!(terminal.name.as_deref(), Some("/dev/pts/0"));
    assert_eq!((terminal.size, terminal.foreground), (Some((24, 80)), Some(1)));
    assert_eq!(report.device("/dev/console").map(|console| console.kind.as_str()), Some("char"));
    assert_eq!(report.descriptors.iter().map(|open| open.fd).collect::<Vec<_>>(), [0, 1, 2]);
}

fn jobs() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, mut shell) = shell(&home, &rootfs, &[]);
    answer(&mut shell, "sleep 1000 &");
    assert!(answer(&mut shell, "jobs").contains("Running"));
    enter(&mut shell, "fg");
    shell.expect("sleep 1000", SOON);
    stop(&mut shell);
    assert!(answer(&mut shell, "jobs").contains("Stopped"));
    assert!(answer(&mut shell, "bg; jobs").contains("Running"));
    answer(&mut shell, "kill %1; wait");
    assert!(!answer(&mut shell, "jobs").contains("Running"));
    shell.send("exit\r");
    assert!(shell.wait(SOON).success());
}

/// Ctrl-Z until the job is in the foreground and takes it.
#[track_caller]
fn stop(shell: &mut Terminal) {
    thread::sleep(Duration::from_millis(200));
    shell.send("\x1a");
    shell.expect("Stopped", SOON);
    shell.expect(PROMPT, SOON);
}

fn control_c() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, mut shell) = shell(&home, &rootfs, &[]);
    enter(&mut shell, "echo be''gun; cat");
    shell.expect("begun\r\n", SOON);
    shell.send("echoed\r");
    shell.expect("echoed\r\nechoed\r\n", SOON);
    shell.send("\x03");
    shell.expect(PROMPT, SOON);
    assert_eq!(answer(&mut shell, "echo $?"), "130\n");
    shell.send("\x03");
    shell.expect(PROMPT, SOON);
    shell.send("exit 0\r");
    assert!(shell.wait(SOON).success());
}

fn control_d() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, mut shell) = shell(&home, &rootfs, &[]);
    enter(&mut shell, "echo be''gun; wc -c");
    shell.expect("begun\r\n", SOON);
    shell.send("abc\r\x04");
    shell.expect("\r\n4\r\n", SOON);
    shell.expect(PROMPT, SOON);
    shell.send("\x04");
    assert!(shell.wait(SOON).success());
}

fn resize() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    // A shell with jobs would leave the signal to the job in the foreground.
    let script = "trap 'stty size' WINCH; trap 'exit 7' TERM; stty size; while :; do sleep 0.1; done";
    let (_, mut command) = home.container(["-it", &rootfs.text(), "sh", "-c", script]);
    let mut script = Terminal::start(&*command.current_dir(home.dir()));
    script.expect("24 80\r\n", SOON);
    for (rows, columns) in [(33, 101), (10, 40)] {
        script.resize(rows, columns);
        script.expect(&format!("{rows} {columns}\r\n"), SOON);
    }
    kill_process(pid(script.pid()), Signal::TERM).unwrap();
    assert_eq!(script.wait(SOON).code(), Some(7));
}

fn raw() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, mut shell) = shell(&home, &rootfs, &[]);
    assert!(shell.is_raw());
    answer(&mut shell, "stty -echo");
    shell.send("echo un''seen\r");
    assert_eq!(shell.expect(PROMPT, SOON), format!("unseen\r\n{PROMPT}"));
    // Bytes that a line discipline of ours would take away.
    shell.send("stty raw; echo be''gun; head -c 3 | od -c; stty cooked\r");
    shell.expect("begun", SOON);
    shell.send("\x03\x11\x1a");
    shell.expect("003 021 032", SOON);
    shell.expect(PROMPT, SOON);
    shell.send("exit 0\r");
    assert!(shell.wait(SOON).success());
}

/// `cuddy run -it` below a shell, so that the terminal is still there to be looked at when cuddy has ended.
struct Outer {
    terminal: Terminal,
    container: String,
    /// The terminal's modes before, as stty(1) writes them.
    modes: String,
}

impl Outer {
    #[track_caller]
    fn start(home: &Home, args: &[&str]) -> Outer {
        let (container, command) = home.container(args);
        let script = "stty -g; \"$@\"; echo code $?; stty -g; read word; echo got $word";
        let mut outer = Command::new("sh");
        outer.args(["-c", script, "sh"]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => outer.env(key, value),
                None => outer.env_remove(key),
            };
        }
        let mut terminal = Terminal::start(outer.current_dir(home.dir()));
        let modes = terminal.expect("\r\n", SOON).trim_end().to_owned();
        Outer { terminal, container, modes }
    }

    /// The process of cuddy: the shell's only child.
    fn cuddy(&self) -> Pid {
        let shell = self.terminal.pid();
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        pid(children.trim().parse().expect("the shell has one child"))
    }

    /// Waits for cuddy's end; the terminal then has the modes that it had before, and takes whole lines.
    #[track_caller]
    fn ended(&mut self, code: i32) {
        self.terminal.expect(&format!("code {code}\r\n"), SOON);
        self.terminal.expect(&format!("{}\r\n", self.modes), SOON);
        assert!(!self.terminal.is_raw());
        self.terminal.send("typed\n");
        self.terminal.expect("got typed", SOON);
        assert!(self.terminal.wait(SOON).success());
    }
}

/// Runs a command that ends with 7 when it is told to with SIGTERM, and ends it.
fn restored(code: i32, end: impl FnOnce(&Home, &mut Outer)) {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let script = "trap 'exit 7' TERM; echo ready; read line; echo line; while :; do sleep 0.1; done";
    let mut outer = Outer::start(&home, &["-it", &rootfs.text(), "sh", "-c", script]);
    outer.terminal.expect("ready", SOON);
    assert!(outer.terminal.is_raw());
    // The relay works when the line has come through.
    outer.terminal.send("x\r");
    outer.terminal.expect("line", SOON);
    end(&home, &mut outer);
    outer.ended(code);
}

fn stopped_and_continued() {
    restored(7, |_, outer| {
        let cuddy = outer.cuddy();
        kill_process(cuddy, Signal::TSTP).unwrap();
        // The shell has no job control and waits on; the terminal is whole while cuddy is stopped.
        await_that("the terminal is not raw", || !outer.terminal.is_raw());
        kill_process(cuddy, Signal::CONT).unwrap();
        await_that("the terminal is raw again", || outer.terminal.is_raw());
        kill_process(cuddy, Signal::TERM).unwrap();
    });
}

#[track_caller]
fn await_that(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn refused() {
    let home = Home::new();
    for (args, code) in [(&["-it", "./nowhere", "sh"][..], 125), (&["-it", "host:", "no-such-command"], 127)]
    {
        let mut outer = Outer::start(&home, args);
        outer.terminal.expect("cuddy: ", SOON);
        outer.ended(code);
    }
}

fn hang_up() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    home.write("out/file", "");
    let script = "trap 'echo hung up > /out/file; exit' HUP; echo ready; while :; do sleep 0.1; done";
    let (_, mut command) = home.container(["-it", "-v", "./out:/out", &rootfs.text(), "sh", "-c", script]);
    let mut terminal = Terminal::start(&*command.stdin(Stdio::null()));
    terminal.expect("ready", SOON);
    let cuddy = pid(terminal.pid());
    // What the kernel sends to the session's leader when the terminal goes.
    kill_process(cuddy, Signal::HUP).unwrap();
    assert!(terminal.wait(SOON).success());
    assert_eq!(fs::read_to_string(home.dir().join("out/file")).unwrap(), "hung up\n");
}

fn abandoned() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, command) = home.container(["-it", "-e", "PS1=in> ", &rootfs.text(), "sh"]);
    let (mut terminal, mut cuddy) = Terminal::unread(&command);
    let mut shown = Vec::new();
    while !shown.ends_with(PROMPT.as_bytes()) {
        let mut byte = [0];
        terminal.read_exact(&mut byte).unwrap();
        shown.extend(byte);
    }
    // As a window that is closed, or a line that breaks.
    drop(terminal);
    assert!(ends_within(SOON, &cuddy), "the container goes on");
    assert_eq!(cuddy.wait().unwrap().code(), Some(0));
}

fn below_init() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, mut shell) = shell(&home, &rootfs, &["--init"]);
    assert_eq!(answer(&mut shell, "echo $$"), "2\n");
    // What cat repeats it has read: a key before that may meet the shell's child on its way to being cat, and be lost.
    enter(&mut shell, "echo be''gun; cat");
    shell.expect("begun\r\n", SOON);
    shell.send("echoed\r");
    shell.expect("echoed\r\nechoed\r\n", SOON);
    shell.send("\x03");
    shell.expect(PROMPT, SOON);
    shell.send("exit 6\r");
    assert_eq!(shell.wait(SOON).code(), Some(6));
}

fn not_a_terminal() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let script = "for n in 0 1 2; do test -t $n && echo $n; done; test -c /dev/tty && (: < /dev/tty) 2>/dev/null; echo $?";
    assert_eq!(home.run([&*rootfs.text(), "sh", "-c", script]).ok().stdout, "1\n");
    let report: Report = home.run([&*rootfs.text(), "/bin/probe"]).ok().json();
    assert!(report.device("/dev/console").is_none());
}

fn no_input_for_a_terminal() {
    let home = Home::new();
    let done = home.run(["-it", "host:", "sh"]);
    assert_eq!(done.code(), 125, "{done:#?}");
    assert!(done.stderr.starts_with("cuddy: ") && done.stderr.contains("terminal"), "{done:#?}");
}

fn output_only() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let done = home.run(["-t", &rootfs.text(), "sh", "-c", "test -t 1 && echo line; exit 3"]);
    assert_eq!((done.code(), done.stdout.as_str()), (3, "line\r\n"), "{done:#?}");
}

fn piped() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let text = "line\n".repeat(100_000);
    let (_, mut command) = home.container(["-i", &rootfs.text(), "wc", "-c"]);
    assert_eq!(run(command.stdin(input(&text))).ok().stdout, "500000\n");
}

fn null() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let (_, mut command) = home.container([&*rootfs.text(), "sh", "-c", "wc -c; readlink /proc/self/fd/0"]);
    assert_eq!(run(command.stdin(input("unread\n"))).ok().stdout, "0\n/dev/null\n");
}

fn binary_output() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let script = r"printf 'a\nb\r\n\000\004'; printf e >&2";
    let done = home.run([&*rootfs.text(), "sh", "-c", script]).ok();
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("a\nb\r\n\0\x04", "e"));
}

/// A script in a container without a terminal, when it has said that it is ready.
struct Script {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Script {
    #[track_caller]
    fn start(home: &Home, args: &[&str]) -> Script {
        let mut child = home.container(args).1.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Script { child, out }
    }

    /// Sends a signal to cuddy; what was printed after it, and the exit code.
    fn signal(mut self, signal: Signal) -> (String, Option<i32>) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().code())
    }
}

fn forwarded(signal: Signal, name: &str) {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let script = format!("trap 'echo {name}; exit 9' {name}; echo ready; while :; do sleep 0.1; done");
    let script = Script::start(&home, &[&rootfs.text(), "sh", "-c", &script]);
    assert_eq!(script.signal(signal), (format!("{name}\n"), Some(9)));
}

fn terminated() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let args = ["--init", &rootfs.text(), "sh", "-c", "echo ready; exec sleep 1000"];
    assert_eq!(Script::start(&home, &args).signal(Signal::TERM), (String::new(), Some(143)));
}
