//! A cuddy that keeps nothing in `/var/lib` or `/run`, and what it left when the test is over.

#![allow(dead_code, reason = "each test program has its own copy and uses a part of it")]

pub mod archive;

use std::cell::RefCell;
use std::ffi::{CStr, OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, mount};
use testbed::{Done, Machine, Scratch, binary, cuddy, cuddy_oci, run, unique_name};

/// Long for anything that a test waits for, also on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// Directories of one test: what cuddy keeps, and one where the command lines are typed.
///
/// When it is dropped all containers are ended, and a test that has not failed before fails if one of
/// them left anything on the machine.
pub struct Home {
    scratch: Scratch,
    names: RefCell<Vec<String>>,
}

impl Home {
    pub fn new() -> Home {
        let home = Home { scratch: Scratch::new(), names: RefCell::default() };
        for dir in [home.dir(), home.root(), home.run_root()] {
            fs::create_dir(dir).expect("a directory in a new one");
        }
        home
    }

    /// One that keeps what it unpacks in memory: for what is large, as a disk may be slow and busy.
    pub fn in_memory() -> Home {
        let home = Home::new();
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("tmpfs", home.root(), "tmpfs", flags, None::<&CStr>).expect("a tmpfs on a directory of ours");
        home
    }

    /// Where command lines are typed.
    pub fn dir(&self) -> PathBuf {
        self.scratch.path().join("here")
    }

    /// `--root`.
    pub fn root(&self) -> PathBuf {
        self.scratch.path().join("lib")
    }

    /// `--run-root`.
    pub fn run_root(&self) -> PathBuf {
        self.scratch.path().join("run")
    }

    /// Writes a file below [`Home::dir`] and gives its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir().join(name);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory of ours");
        fs::write(&path, text).expect("a file of ours");
        path
    }

    /// `cuddy ARGS...`, with nothing to read.
    pub fn cuddy<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = cuddy(args);
        command.current_dir(self.dir()).stdin(Stdio::null());
        command.env("CUDDY_ROOT", self.root()).env("CUDDY_RUN_ROOT", self.run_root());
        command.env_remove("CUDDY_LOG_LEVEL");
        command
    }

    /// `cuddy run --rm --name NAME ARGS...` under a new name.
    pub fn container<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> (String, Command) {
        let name = self.name();
        let mut command = self.cuddy(["run", "--rm", "--name", &name]);
        command.args(args);
        (name, command)
    }

    /// Runs such a container to its end.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Done {
        run(&mut self.container(args).1)
    }

    /// A new name, whose traces are looked for at the end.
    pub fn name(&self) -> String {
        // Ends with a letter, so that no name is the beginning of another.
        let name = unique_name() + "x";
        self.names.borrow_mut().push(name.clone());
        name
    }

    /// Starts a container that runs until it is dropped: `cuddy run -i OPTIONS ROOT cat`.
    #[track_caller]
    pub fn start<S: AsRef<OsStr>>(&self, options_and_root: impl IntoIterator<Item = S>) -> Running<'_> {
        let mut args = vec![OsString::from("-i")];
        args.extend(options_and_root.into_iter().map(|arg| arg.as_ref().to_owned()));
        args.push("cat".into());
        let (name, mut command) = self.container(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cuddy starts");
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut running = Running { home: self, name, child, stdin: Some(stdin), stdout };
        running.echo();
        running
    }

    /// `cuddy-oci --root RUN_ROOT ARGS...`.
    pub fn oci<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = cuddy_oci([OsString::from("--root"), self.run_root().into()]);
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Ends and removes every container, of which a failed test may have left some.
    fn remove_all(&self) {
        for entry in fs::read_dir(self.run_root().join("containers")).into_iter().flatten().flatten() {
            run(self.oci(["delete", "--force"]).arg(entry.file_name()));
        }
    }

    /// What this machine has of the containers of this home.
    pub fn traces(&self) -> Vec<String> {
        let machine = Machine::snapshot_with(&[&self.run_root()]);
        let of = |name: &String| machine.mentioning(name).into_iter().chain(processes(name));
        let containers = self.run_root().join("containers");
        let kept = fs::read_dir(&containers).into_iter().flatten().flatten();
        let kept = kept.map(|entry| format!("file {}", entry.path().display()));
        self.names.borrow().iter().flat_map(of).chain(kept).collect()
    }
}

/// Processes with this text in their command line or in the name of a cgroup of theirs. One that has ended has no
/// program any more: it is there until its parent looks, who may be the machine's init.
fn processes(text: &str) -> Vec<String> {
    let dirs = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let line = |dir: PathBuf| {
        let read = |file: &str| fs::read(dir.join(file)).unwrap_or_default();
        let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let ours = command.contains(text) || String::from_utf8_lossy(&read("cgroup")).contains(text);
        let runs = fs::read_link(dir.join("exe")).is_ok();
        (ours && runs).then(|| format!("process {}: {command}", dir.display()))
    };
    dirs.filter_map(line).collect()
}

impl Drop for Home {
    fn drop(&mut self) {
        let traces = self.traces();
        self.remove_all();
        if !thread::panicking() {
            assert!(traces.is_empty(), "left behind:\n{}", traces.join("\n"));
        }
    }
}

/// A container that runs `cat` until this is dropped.
pub struct Running<'a> {
    home: &'a Home,
    pub name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Running<'_> {
    /// Sends a line through it: it runs.
    #[track_caller]
    fn echo(&mut self) {
        let mut line = String::new();
        let sent = self.stdin.as_mut().expect("it is open until the end").write_all(b"there?\n");
        let read = sent.and_then(|()| self.stdout.read_line(&mut line));
        assert!(read.is_ok() && line == "there?\n", "{} does not run: {read:?} {line:?}", self.name);
    }

    /// The host's id of its first process.
    pub fn pid(&self) -> u32 {
        let state: serde_json::Value = run(self.home.oci(["state"]).arg(&self.name)).ok().json();
        state["pid"].as_u64().expect("a running container has a pid") as u32
    }

    /// The process of `cuddy run`.
    pub fn cuddy(&self) -> u32 {
        self.child.id()
    }

    /// The cgroup of its first process under this controller, as a directory of the host.
    pub fn cgroup(&self, controller: &str) -> PathBuf {
        let lists = fs::read_to_string(format!("/proc/{}/cgroup", self.pid())).expect("it runs");
        let path = |version: bool| {
            lists.lines().find_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                let (controllers, path) = (fields.next()?, fields.next()?);
                let this = if version {
                    controllers.is_empty()
                } else {
                    controllers.split(',').any(|c| c == controller)
                };
                this.then(|| path.trim_start_matches('/').to_owned())
            })
        };
        let mounts = Path::new("/sys/fs/cgroup");
        match path(false) {
            Some(path) => mounts.join(controller).join(path),
            None => mounts.join(path(true).expect("a process is in some cgroup")),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let deadline = Instant::now() + SOON;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                // Both fail if it ends just now.
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A BusyBox root file system with the probe in it; see [`testbed::Bundle`].
pub struct Rootfs(testbed::Bundle);

impl Rootfs {
    pub fn new() -> Rootfs {
        Rootfs(testbed::Bundle::busybox())
    }

    pub fn path(&self) -> PathBuf {
        self.0.rootfs()
    }

    /// The path as text.
    pub fn text(&self) -> String {
        self.path().to_str().expect("a path of ours is text").to_owned()
    }
}

/// The option that puts the probe at `/probe`.
pub fn with_probe() -> String {
    format!("--volume={}:/probe:ro", binary("probe").display())
}

/// The words of a command line.
pub fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// The inode that names a namespace of this process; 0 where the kernel has none of the kind.
pub fn own_namespace(kind: &str) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(format!("/proc/self/ns/{kind}")).map_or(0, |file| file.ino())
}
