//! The relay and its signals, between two real pseudo-terminals.
//!
//! `user` stands for the terminal of somebody who runs cuddy, and a shell with a terminal of its own for
//! the container. Signals are for the whole process, so these tests run one after the other on the main
//! thread, the only one there is.

use libtest_mimic::{Arguments, Failed, Trial};
use runtime::Ended;
use runtime::supervise::{Signals, supervise};
use runtime::terminal::{Ends, RawMode, relay_between};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcgetwinsize, tcsetwinsize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

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
        // First: RawMode puts its hook before the one that it finds, once.
        test("a_panic_puts_the_terminal_back_before_it_is_reported", panic_restores),
        test("what_is_typed_goes_in_and_what_is_written_comes_out", typed_and_shown),
        test("control_c_is_a_byte_that_interrupts_inside", control_c),
        test("the_terminal_is_raw_while_it_runs_and_as_before_afterwards", raw_and_back),
        test("the_window_has_the_users_size_and_follows_it", window_size),
        test("a_signal_reaches_the_container", signals_reach_the_container),
        test("without_a_terminal_signals_reach_the_container_too", signals_without_terminal),
        test("all_output_is_shown_to_the_last_byte", last_output),
        test("a_terminal_that_is_closed_and_opened_again_is_waited_for", hung_up),
        test("a_user_who_is_gone_does_not_stop_the_container", user_gone),
        test("without_input_the_users_terminal_keeps_its_mode", output_only),
        test("the_exit_code_is_the_commands_or_128_and_the_signal", exit_codes),
    ];
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// Both sides of a pseudo-terminal.
struct Pty {
    master: OwnedFd,
    slave: OwnedFd,
    path: String,
}

impl Pty {
    fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::openat(CWD, path.as_str(), flags, Mode::empty()).unwrap();
        Self { master, slave, path }
    }

    fn kind(&self, text: &str) {
        rustix::io::write(&self.master, text.as_bytes()).unwrap();
    }

    /// What there is to be read at the master.
    fn text(&self) -> String {
        let mut bytes = Vec::new();
        loop {
            let mut fds = [PollFd::new(&self.master, PollFlags::IN)];
            let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
            if poll(&mut fds, Some(&now)).unwrap() == 0 {
                return String::from_utf8(bytes).unwrap();
            }
            let mut buffer = [0; 4096];
            let read = rustix::io::read(&self.master, &mut buffer).unwrap();
            bytes.extend_from_slice(&buffer[..read]);
        }
    }
}

fn is_raw(terminal: BorrowedFd<'_>) -> bool {
    let cooked = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
    !tcgetattr(terminal).unwrap().local_modes.intersects(cooked)
}

/// Starts a shell with these standard streams and as the leader of a session with that terminal; std gives
/// it an empty signal mask.
fn shell(script: &str, stream: impl AsFd) -> OwnedFd {
    let stdio = || Stdio::from(stream.as_fd().try_clone_to_owned().unwrap());
    let mut command = Command::new("setsid");
    command.args(["--ctty", "sh", "-c", script]);
    #[expect(clippy::zombie_processes, reason = "Ended::of reaps it through the pidfd")]
    let child = command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
    pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap()
}

/// Runs a script in a terminal that is relayed to `ends`, and gives its exit code. `PARENT` is this process.
fn relayed(ends: Ends<'_>, script: &str) -> i32 {
    let signals = Signals::for_terminal().unwrap();
    let inside = Pty::open();
    let script = format!("PARENT={} TTY={}; {script}", std::process::id(), inside.path);
    let pidfd = shell(&script, &inside.slave);
    drop(inside.slave);
    relay_between(&signals, ends, inside.master, pidfd.as_fd()).unwrap();
    Ended::of(&pidfd).unwrap().code()
}

fn both(user: &Pty) -> Ends<'_> {
    Ends { input: Some(user.slave.as_fd()), output: user.slave.as_fd() }
}

/// Runs a script whose output has to contain `expect`.
fn check(user: &Pty, script: &str, expect: &str) {
    let code = relayed(both(user), script);
    let text = user.text();
    assert!(text.contains(expect), "{text:?}");
    assert_eq!(code, 0, "{text:?}");
}

fn typed_and_shown() {
    let user = Pty::open();
    user.kind("hello\n");
    check(&user, "read word; echo \"got $word\"", "got hello");
}

fn control_c() {
    let user = Pty::open();
    // Blocked before the thread is there, which so has them blocked, too.
    let _signals = Signals::for_terminal().unwrap();
    let keyboard = user.master.try_clone().unwrap();
    let typist = std::thread::spawn(move || {
        let mut seen = Vec::new();
        while !seen.windows(5).any(|text| text == b"ready") {
            let mut byte = [0];
            rustix::io::read(&keyboard, &mut byte).unwrap();
            seen.push(byte[0]);
        }
        rustix::io::write(&keyboard, b"\x03").unwrap();
    });
    let script = "trap 'echo interrupted; exit 0' INT; echo ready; while :; do sleep 0.01; done";
    check(&user, script, "interrupted");
    typist.join().unwrap();
}

fn raw_and_back() {
    let user = Pty::open();
    assert!(!is_raw(user.slave.as_fd()));
    check(&user, &format!("stty -a <{} | grep -o -e -icanon", user.path), "-icanon");
    assert!(!is_raw(user.slave.as_fd()));
}

fn panic_restores() {
    let user = Pty::open();
    let seen = Arc::new(Mutex::new(None));
    let slave = user.slave.try_clone().unwrap();
    let found = Arc::clone(&seen);
    // Stands for the report of a panic, which runs after the hook of RawMode, and before an abort.
    std::panic::set_hook(Box::new(move |_| *found.lock().unwrap() = Some(is_raw(slave.as_fd()))));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _raw = RawMode::enter(user.slave.as_fd()).unwrap();
        assert!(is_raw(user.slave.as_fd()));
        panic!("in raw mode");
    }));
    drop(std::panic::take_hook());
    assert!(panicked.is_err());
    assert_eq!(*seen.lock().unwrap(), Some(false));
    assert!(!is_raw(user.slave.as_fd()));
}

fn window_size() {
    let user = Pty::open();
    let size = |ws_row, ws_col| Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&user.slave, size(33, 101)).unwrap();
    let script = format!(
        "kind() {{ stty size; }}; until [ \"$(kind)\" = '33 101' ]; do sleep 0.01; done
         stty rows 44 cols 55 <{}; kill -WINCH $PARENT
         until [ \"$(kind)\" = '44 55' ]; do sleep 0.01; done; echo followed",
        user.path
    );
    check(&user, &script, "followed");
    assert_eq!(tcgetwinsize(&user.slave).unwrap().ws_row, 44);
}

fn signals_reach_the_container() {
    let user = Pty::open();
    for signal in ["TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "RTMIN+3"] {
        let script = format!(
            "trap 'echo caught {signal}; exit 0' {signal}; kill -{signal} $PARENT; while :; do sleep 0.01; done"
        );
        check(&user, &script, &format!("caught {signal}"));
    }
}

fn signals_without_terminal() {
    let signals = Signals::for_pipes().unwrap();
    let script =
        format!("trap 'exit 9' TERM; kill -TERM {}; while :; do sleep 0.01; done", std::process::id());
    #[expect(clippy::zombie_processes, reason = "Ended::of reaps it through the pidfd")]
    let child = Command::new("sh").args(["-c", &script]).spawn().unwrap();
    let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
    supervise(&signals, pidfd.as_fd()).unwrap();
    assert_eq!(Ended::of(&pidfd).unwrap().code(), 9);
}

fn last_output() {
    let (reader, writer) = std::io::pipe().unwrap();
    let count = std::thread::spawn(move || std::io::copy(&mut { reader }, &mut std::io::sink()).unwrap());
    let ends = Ends { input: None, output: writer.as_fd() };
    assert_eq!(relayed(ends, "head -c 300000 /dev/zero | tr '\\0' x"), 0);
    drop(writer);
    assert_eq!(count.join().unwrap(), 300_000);
}

fn hung_up() {
    let user = Pty::open();
    let script = "exec <&- >&- 2>&-; sleep 0.3; exec >$TTY; echo again";
    check(&user, script, "again");
}

fn user_gone() {
    let user = Pty::open();
    let Pty { master, slave, .. } = user;
    drop(master);
    let ends = Ends { input: Some(slave.as_fd()), output: slave.as_fd() };
    assert_eq!(relayed(ends, "head -c 300000 /dev/zero; exit 4"), 4);
}

fn output_only() {
    let user = Pty::open();
    let ends = Ends { input: None, output: user.slave.as_fd() };
    assert_eq!(relayed(ends, &format!("stty -a <{} | grep -q ' icanon'", user.path)), 0);
}

fn exit_codes() {
    let user = Pty::open();
    for (script, code) in
        [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", 137), ("kill -TERM $$; sleep 9", 143)]
    {
        assert_eq!(relayed(both(&user), script), code, "{script}");
    }
}
