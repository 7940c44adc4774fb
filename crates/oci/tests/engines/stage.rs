//! A machine of its own for an engine and its daemons.
//!
//! Engines keep state in a dozen places, leave helpers behind and name cgroups as they like. So each test has a stage:
//! mount, pid, network, IPC, UTS and cgroup namespaces in which `/run`, `/var/lib`, `/etc`, `/dev/shm` and the cgroup
//! tree are the stage's own (`stage.sh`), and cuddy-oci is installed as `/usr/local/sbin/cuddy-oci`. Whatever runs
//! in it ends with its process 1, also when the test fails or is killed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use testbed::{Done, Scratch, binary, run, unique_name};

use crate::support::eventually;

/// Where cuddy-oci is on the stage.
pub const RUNTIME: &str = "/usr/local/sbin/cuddy-oci";
/// A program to be tested in place of cuddy-oci, such as `/usr/sbin/runc`: shows whether a failure is cuddy's or the test's.
const INSTEAD: &str = "CUDDY_ENGINES_RUNTIME";

/// The stage. When dropped, all that runs on it is killed and its groups are removed.
pub struct Stage {
    name: String,
    /// Process 1 of the stage, by its pid on the machine.
    init: Pid,
    child: Child,
    /// Dropped after the processes in them have been ended.
    _groups: Groups,
    scratch: Scratch,
}

impl Stage {
    /// An empty stage.
    pub fn new() -> Stage {
        let name = unique_name();
        let runtime = std::env::var_os(INSTEAD).map_or_else(|| binary("cuddy-oci"), PathBuf::from);
        let scratch = Scratch::new();
        let log = fs::File::create(scratch.path().join("stage.log")).expect("a log");
        // Killed with the thread of the test, and its process 1 with it.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork"])
            .args(["--kill-child", "--mount-proc", "sh"])
            .arg(script("stage.sh"))
            .arg(&name)
            .arg(&runtime)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second descriptor"))
            .stderr(log);
        let groups = Groups::new(&name);
        let child = command.spawn().expect("setpriv and unshare (util-linux)");
        let mut init = None;
        eventually("the stage has a process 1", || {
            init = only_child(child.id());
            init.is_some()
        });
        let init = init.expect("it was just found");
        let stage = Stage { name, init, child, _groups: groups, scratch };
        stage.wait_until_ready();
        stage
    }

    fn wait_until_ready(&self) {
        let (ready, log) = (self.path("/run/ready"), self.scratch.path().join("stage.log"));
        eventually("the stage is ready", || {
            let alive = only_child(self.child.id()).is_some();
            assert!(alive, "{}", fs::read_to_string(&log).unwrap_or_default());
            ready.exists()
        });
    }

    /// A path of the stage as one of the machine.
    pub fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init.as_raw_nonzero()))
    }

    /// A directory that is the machine's and the stage's.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// A file in it.
    pub fn shared(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Writes a file of the stage.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a file is in a directory"))
            .expect("a directory of the stage");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// A command on the stage.
    pub fn command(&self, args: &[&str]) -> Command {
        let init = self.init.as_raw_nonzero().to_string();
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &init, "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "sh"])
            .arg(script("enter.sh"))
            .args(args)
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/run")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command on the stage to its end.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Done {
        run(&mut self.command(args))
    }

    /// Starts a daemon of the stage and waits until its socket answers. It ends with the stage.
    pub fn daemon(&self, args: &[&str], socket: &str) {
        let name = Path::new(args[0]).file_name().expect("a program").to_string_lossy().into_owned();
        let path = self.shared(&format!("{name}.log"));
        let log = fs::File::create(&path).expect("a log");
        let mut command = self.command(args);
        command.stdout(log.try_clone().expect("a second descriptor")).stderr(log);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {args:?}: {error}"));
        let socket = self.path(socket);
        eventually("the daemon answers", || {
            let ended = child.try_wait().expect("a child of ours");
            assert!(ended.is_none(), "{name}: {}", fs::read_to_string(&path).unwrap_or_default());
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
    }

    /// What the stage has that mentions a container: mounts, groups, processes by their groups and arguments, names in
    /// state directories of runtimes.
    pub fn mentioning(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", self.init.as_raw_nonzero()));
        let mounts = mounts.unwrap_or_default();
        found.extend(mounts.lines().filter(|line| line.contains(text)).map(|line| format!("mount {line}")));
        let list = self.run(&["find", "/sys/fs/cgroup", "/run", "-name", &format!("*{text}*")]).stdout;
        found.extend(list.lines().map(|line| format!("file {line}")));
        let processes = self.run(&["ps", "-eo", "pid,cgroup:200,args"]).stdout;
        let processes = processes.lines().filter(|line| line.contains(text) && !line.contains(" ps -eo"));
        found.extend(processes.map(|line| format!("process {line}")));
        found
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
        // The kernel ends all of a pid namespace with its process 1, and unshare waits for that.
        let killed = kill_process(self.init, Signal::KILL);
        let ended = self.child.wait();
        if let Err(error) = killed.map_err(io::Error::from).and(ended) {
            eprintln!("stage {}: {error}", self.name);
        }
    }
}

impl Stage {
    fn show_logs(&self) {
        for entry in fs::read_dir(self.scratch.path()).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "log") {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                let tail: Vec<_> = text.lines().rev().take(40).collect();
                eprintln!("== {}", entry.file_name().display());
                tail.iter().rev().for_each(|line| eprintln!("{line}"));
            }
        }
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines").join(name)
}

/// Where the machine's cgroup hierarchies are mounted.
fn hierarchies() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("proc is mounted");
    let words = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let groups = words.filter(|words| matches!(words[2], "cgroup" | "cgroup2"));
    let points = groups.map(|words| PathBuf::from(words[1]));
    points.filter(|point| point.starts_with("/sys/fs/cgroup")).collect()
}

/// A group in every hierarchy. Removed when dropped, with what was made below.
struct Groups(Vec<PathBuf>);

impl Groups {
    fn new(name: &str) -> Groups {
        let groups = Groups(hierarchies().into_iter().map(|point| point.join(name)).collect());
        for group in &groups.0 {
            fs::create_dir(group).unwrap_or_else(|error| panic!("{}: {error}", group.display()));
            // A new group of v1 has no processors, and nothing can run in it.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let above = group.parent().expect("a group of ours is not the root").join(file);
                if let Ok(value) = fs::read_to_string(above) {
                    fs::write(group.join(file), value).expect("a cpuset of ours");
                }
            }
        }
        groups
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        self.0.iter().for_each(|group| remove_groups(group));
    }
}

/// The groups below go first. Processes that were just killed may be in them for a moment.
fn remove_groups(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path());
        }
    }
    let mut last = Ok(());
    for _ in 0..500 {
        last = fs::remove_dir(group);
        match &last {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::BUSY.raw_os_error()) => {}
            _ => break,
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    if let Err(error) = last {
        eprintln!("stage: {} is left behind: {error}", group.display());
    }
}

fn only_child(pid: u32) -> Option<Pid> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    Pid::from_raw(children.split_whitespace().next()?.parse().ok()?)
}
