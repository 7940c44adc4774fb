//! What the tests of the command line share.

#![allow(dead_code, reason = "every test program has its own copy and uses a part of it")]

pub mod agent;
pub mod console;
pub mod refusal;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use probe::{Report, Verdict};
use serde_json::{Value, json};
use testbed::{Bundle, Container, Done, Scratch, run};

/// Long for anything that a test waits for, also on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

/// A bundle, a name and a state directory of its own. When dropped, what runs under the name is deleted by force.
pub struct Case {
    // Dropped in this order: the container needs the directory to be deleted.
    container: Container,
    state: Scratch,
    pub bundle: Bundle,
}

impl Case {
    pub fn new(bundle: Bundle) -> Case {
        let state = Scratch::new();
        let root = state.path().to_str().expect("a path of ours is UTF-8");
        Case { container: Container::with_options(&["--root", root]), state, bundle }
    }

    /// A bundle with nothing but the probe.
    pub fn probe() -> Case {
        Case::new(Bundle::probe())
    }

    /// A bundle with BusyBox.
    pub fn busybox() -> Case {
        Case::new(Bundle::busybox())
    }

    pub fn id(&self) -> &str {
        self.container.id()
    }

    /// The directory given with `--root`.
    pub fn state_dir(&self) -> &Path {
        self.state.path()
    }

    pub fn edit(&mut self, change: impl FnOnce(&mut Value)) -> &mut Case {
        self.bundle.edit(change);
        self
    }

    pub fn args(&mut self, args: &[&str]) -> &mut Case {
        self.bundle.args(args);
        self
    }

    /// `cuddy-oci --root DIR ARGS...`, with nothing on standard input.
    pub fn oci(&self, args: &[&str]) -> Command {
        let mut command = self.container.command(args);
        command.stdin(Stdio::null());
        command
    }

    /// `cuddy-oci COMMAND ARGS... --bundle DIR ID`: `run` or `create`.
    pub fn make(&self, args: &[&str]) -> Command {
        let mut command = self.oci(args);
        command.arg("--bundle").arg(self.bundle.path()).arg(self.id());
        command
    }

    /// Runs the container to its end.
    pub fn run(&self) -> Done {
        run(&mut self.make(&["run"]))
    }

    /// Starts the container and returns while it runs.
    #[track_caller]
    pub fn detach(&self) -> &Case {
        run(&mut self.make(&["run", "--detach"])).ok();
        self
    }

    /// `cuddy-oci COMMAND ID`.
    pub fn does(&self, command: &str) -> Done {
        run(self.oci(&[command]).arg(self.id()))
    }

    /// `cuddy-oci exec OPTIONS... ID COMMAND...`
    pub fn exec(&self, options: &[&str], command: &[&str]) -> Done {
        run(self.oci(&["exec"]).args(options).arg(self.id()).args(command))
    }

    /// What the probe sees inside.
    #[track_caller]
    pub fn report(&mut self) -> Report {
        self.args(&["/bin/probe"]);
        self.run().ok().json()
    }

    /// What comes of an attempt inside.
    #[track_caller]
    pub fn attempt(&mut self, attempt: &[&str]) -> Verdict {
        self.args(&[&["/bin/probe"], attempt].concat());
        self.run().ok().json()
    }

    #[track_caller]
    pub fn state(&self) -> Value {
        self.does("state").ok().json()
    }

    #[track_caller]
    pub fn status(&self) -> String {
        self.state()["status"].as_str().expect("a state has a status").to_owned()
    }

    #[track_caller]
    pub fn pid(&self) -> i32 {
        let state = self.state();
        let pid = state["pid"].as_i64().unwrap_or_else(|| panic!("no pid in {state}"));
        i32::try_from(pid).expect("a pid is an int")
    }

    /// Waits until the container has ended.
    #[track_caller]
    pub fn wait_until_stopped(&self) {
        eventually("the container stops", || self.status() == "stopped");
    }

    /// What the machine has that mentions the container.
    pub fn left_behind(&self) -> Vec<String> {
        testbed::Machine::snapshot_with(&[self.state_dir()]).mentioning(self.id())
    }
}

/// Whether something happens that should not, in the time in which it usually would.
pub fn happens_within_a_moment(happens: impl Fn() -> bool) -> bool {
    (0..20).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        happens()
    })
}

/// Waits for something that another process does.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain for {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The inodes of a process's namespaces, by the names of `/proc/PID/ns`; `self` for this one.
pub fn namespaces(pid: &str) -> BTreeMap<String, u64> {
    let dir = fs::read_dir(format!("/proc/{pid}/ns")).expect("a process has namespaces");
    let inode = |entry: fs::DirEntry| {
        let file = fs::metadata(entry.path()).expect("a namespace of a process of ours can be looked at");
        (entry.file_name().to_string_lossy().into_owned(), file.ino())
    };
    dir.flatten().map(inode).collect()
}

/// Replaces the entry of this type in `linux.namespaces`, or adds it; without a value it is taken out.
pub fn set_namespace(config: &mut Value, kind: &str, entry: Option<Value>) {
    let list =
        config["linux"]["namespaces"].as_array_mut().expect("the standard configuration has namespaces");
    list.retain(|namespace| namespace["type"] != kind);
    list.extend(entry);
}

/// Where the ids of tests' user namespaces begin on the host.
pub const HOST_ID: u32 = 100_000;

/// A new user namespace in which ids 0 to 65535 are those from [`HOST_ID`] on. The way to the root file system is opened
/// for them: the bundle of a test is in a directory that is root's alone.
pub fn map_ids(case: &mut Case) {
    use std::os::unix::fs::PermissionsExt;
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(case.bundle.path(), open).expect("a directory of ours");
    case.edit(|config| {
        set_namespace(config, "user", Some(json!({ "type": "user" })));
        let map = json!([{ "containerID": 0, "hostID": HOST_ID, "size": 65536 }]);
        config["linux"]["uidMappings"] = map.clone();
        config["linux"]["gidMappings"] = map;
    });
}

/// The directories of a process's groups, by hierarchy: `memory`, or "" for v2.
pub fn groups(pid: i32) -> Vec<(String, PathBuf)> {
    let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    let lines = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let group = |line: &str| {
        let fields: Vec<_> = line.splitn(3, ':').collect();
        let name = fields[1].strip_prefix("name=").unwrap_or(fields[1]);
        let mount = match (name, unified) {
            ("", true) => "/sys/fs/cgroup".into(),
            ("", false) => PathBuf::from("/sys/fs/cgroup/unified"),
            (name, _) => Path::new("/sys/fs/cgroup").join(name),
        };
        (name.to_owned(), mount.join(fields[2].trim_start_matches('/')))
    };
    lines.lines().map(group).filter(|(_, path)| path.exists()).collect()
}

/// Texts as JSON has them.
pub fn names(names: &[&str]) -> std::collections::BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A message with "step 3 of N" in place of the number of steps that a plan has.
pub fn without_step_count(message: &str) -> String {
    replace_steps(message, |step| format!("step {step} of N"))
}

/// A message with "step S of N" in place of the step's number, too.
pub fn without_steps(message: &str) -> String {
    replace_steps(message, |_| "step S of N".to_owned())
}

fn replace_steps(message: &str, words: impl FnOnce(&str) -> String) -> String {
    let Some((before, after)) = message.split_once("(step ") else { return message.to_owned() };
    let Some((step, after)) = after.split_once(" of ") else { return message.to_owned() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}({}{rest}", words(step))
}
