//! A person at a terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::run::ends_within;

/// A program on a pseudoterminal of its own, which is the controlling terminal of its session.
///
/// Output is read all the time; [`expect`](Terminal::expect) goes through it from where it stopped the last time.
pub struct Terminal {
    master: File,
    child: Child,
    screen: Arc<Screen>,
    /// How much of the output has been expected.
    read: usize,
}

#[derive(Default)]
struct Screen {
    output: Mutex<Output>,
    changed: Condvar,
}

#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    /// Nobody has the terminal open any more.
    ended: bool,
}

impl Terminal {
    /// Starts the command on a terminal of 24 rows and 80 columns.
    ///
    /// # Panics
    /// If there is no pseudoterminal, or no `setsid` (util-linux) to make it the controlling one.
    pub fn start(command: &Command) -> Terminal {
        let (master, child) = Self::unread(command);
        let screen = Arc::new(Screen::default());
        let (reader, shown) = (master.try_clone().expect("a second descriptor"), screen.clone());
        thread::spawn(move || read_all(reader, &shown));
        Terminal { master, child, screen, read: 0 }
    }

    /// Starts the command on such a terminal that nobody reads but the caller. The terminal hangs up when the file is
    /// dropped.
    ///
    /// # Panics
    /// As [`start`](Terminal::start).
    pub fn unread(command: &Command) -> (File, Child) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("openpt");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("a new pseudoterminal can be unlocked");
        let name = ptsname(&master, Vec::new()).expect("a pseudoterminal has a name");
        let name = name.to_str().expect("/dev/pts/N");
        tcsetwinsize(&master, size(24, 80)).expect("a new terminal can be resized");

        let open = || OpenOptions::new().read(true).write(true).open(name).expect("the terminal's other end");
        let child = on_terminal(command).stdin(open()).stdout(open()).stderr(open()).spawn();
        let child = child.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        (File::from(master), child)
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until the output has this text after what was expected before, and returns all up to its end.
    ///
    /// # Panics
    /// If the text does not come in time, with all of the output.
    #[track_caller]
    pub fn expect(&mut self, text: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        let mut output = self.screen.output.lock().unwrap();
        loop {
            let new = &output.bytes[self.read..];
            let found = new.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                let upto = String::from_utf8_lossy(&new[..at + text.len()]).into_owned();
                self.read += at + text.len();
                return upto;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !output.ended,
                "no {text:?} on the terminal after {:?}; all of it:\n{}",
                String::from_utf8_lossy(&output.bytes[..self.read]),
                String::from_utf8_lossy(&output.bytes),
            );
            output = self.screen.changed.wait_timeout(output, left).unwrap().0;
        }
    }

    /// Changes the window's size, which sends SIGWINCH to the foreground process group.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        tcsetwinsize(&self.master, size(rows, columns)).expect("a terminal can be resized");
    }

    /// Whether the terminal is in raw mode: it neither echoes nor waits for whole lines.
    pub fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.master).expect("a terminal has attributes").local_modes;
        !modes.intersects(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// The process id of the command.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All of the output so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.screen.output.lock().unwrap().bytes).into_owned()
    }

    /// Waits for the command's end, and until all that it wrote is read.
    ///
    /// # Panics
    /// If it does not come in time.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        assert!(ends_within(limit, &self.child), "still running after {limit:?}:\n{}", self.output());
        let status = self.child.wait().expect("a child of ours can be waited for");
        let output = self.screen.output.lock().unwrap();
        // What the command left behind may still have the terminal open.
        drop(self.screen.changed.wait_timeout_while(output, limit, |output| !output.ended));
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail when it has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command in a new session whose controlling terminal is its standard input. `setsid` does not fork here, as a child
/// of ours leads no process group: it becomes the command, and has its process id.
fn on_terminal(command: &Command) -> Command {
    let mut session = Command::new("setsid");
    session.arg("--ctty").arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => session.env(key, value),
            None => session.env_remove(key),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        session.current_dir(dir);
    }
    session
}

/// Reads until the last descriptor of the other end is closed, which the kernel reports as an error (EIO).
fn read_all(mut master: File, screen: &Screen) {
    let mut buffer = [0; 4096];
    loop {
        let count = master.read(&mut buffer).unwrap_or(0);
        let mut output = screen.output.lock().unwrap();
        output.bytes.extend(&buffer[..count]);
        output.ended = count == 0;
        screen.changed.notify_all();
        if output.ended {
            return;
        }
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
