//! The state of a container is saved, and it is brought back.

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde_json::json;
use support::console::Console;
use support::{Case, SOON, eventually, groups, map_ids, namespaces, set_namespace};
use testbed::{Container, Done, Need, ends_within, run, trial};

fn main() -> ExitCode {
    let busybox = [Need::Root, Need::Program("busybox")];
    let criu = [&busybox[..], &[Need::Criu(None)]].concat();
    let tracking = [&busybox[..], &[Need::Criu(Some("mem_dirty_track"))]].concat();
    let ip = [&criu[..], &[Need::Program("ip")]].concat();
    testbed::main([
        trial("a restored container goes on where it was", criu.clone(), goes_on),
        trial("a container that is left running is saved all the same", criu.clone(), leave_running),
        trial("the name may be another one, and so are the groups", criu.clone(), another_name),
        trial("limits are those of the configuration", criu.clone(), limits),
        trial("namespaces are the container's own, and lo is up", criu.clone(), own_namespaces),
        trial("a joined network namespace is joined again", ip, joined_network),
        trial("without a cgroup namespace the groups are seen as before", criu.clone(), no_cgroup_namespace),
        trial("a user namespace has its ids", criu.clone(), user_namespace),
        trial("what is mounted below a bind mount comes with it", criu.clone(), mounts_below),
        trial("mount points that the root lacks are made", criu.clone(), mount_points),
        trial("the terminal goes to the console socket", criu.clone(), terminal),
        trial("in the foreground the exit code is the container's", criu.clone(), foreground),
        trial("standard streams may be other files than before", criu.clone(), other_streams),
        trial("a paused container is saved", criu.clone(), paused),
        trial("hooks run when the namespaces are there again", criu.clone(), hooks),
        trial("memory is saved before the rest", tracking, pre_dump),
        trial("a checkpoint that fails says why and changes nothing", criu.clone(), checkpoint_fails),
        trial("a restore that fails says why and leaves nothing", criu, restore_fails),
        trial("only what runs can be saved", busybox.clone(), only_running),
        trial("a machine without criu is told so", busybox, no_criu),
    ])
}

/// A container that counts in a file of the machine, which is a bind mount on `/data`.
struct Counter {
    case: Case,
}

const COUNT: &str =
    "i=0; while :; do i=$((i+1)); echo $i >/data/next; mv /data/next /data/count; sleep 0.01; done";

impl Counter {
    fn new() -> Counter {
        let mut case = Case::busybox();
        let data = case.bundle.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::create_dir(case.bundle.rootfs().join("data")).unwrap();
        case.edit(|config| {
            let mount =
                json!({ "destination": "/data", "type": "bind", "source": "data", "options": ["rbind", "rw"] });
            config["mounts"].as_array_mut().unwrap().push(mount);
            // What a machine's owner has set for runtimes in general is not what is tested.
            config["annotations"] = json!({ "org.criu.config": "" });
        });
        case.args(&["sh", "-c", COUNT]);
        Counter { case }
    }

    fn started(self) -> Counter {
        self.case.detach();
        self.counts_beyond(0);
        self
    }

    fn data(&self) -> PathBuf {
        self.case.bundle.path().join("data")
    }

    fn images(&self) -> PathBuf {
        self.case.bundle.path().join("images")
    }

    fn count(&self) -> u64 {
        fs::read_to_string(self.data().join("count"))
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0)
    }

    #[track_caller]
    fn counts_beyond(&self, count: u64) {
        eventually("the container counts", || self.count() > count);
    }

    fn checkpoint(&self, options: &[&str]) -> Done {
        let mut command = self.case.oci(&["checkpoint", "--image-path"]);
        run(command.arg(self.images()).args(options).arg(self.case.id()))
    }

    fn restoring(&self, options: &[&str]) -> Command {
        let mut command = self.case.make(&["restore"]);
        command.arg("--image-path").arg(self.images()).args(options);
        command
    }

    fn restore(&self) -> Done {
        run(&mut self.restoring(&["--detach"]))
    }

    /// Saves it, and brings it back; it goes on from where it was.
    #[track_caller]
    fn comes_back(&self) {
        self.checkpoint(&[]).ok();
        let saved = self.count();
        self.restore().ok();
        self.goes_on_from(saved);
    }

    #[track_caller]
    fn goes_on_from(&self, saved: u64) {
        // One that was started anew would count from one.
        fs::remove_file(self.data().join("count")).unwrap();
        eventually("it counts again", || self.count() > 0);
        assert!(self.count() > saved, "{} after {saved}", self.count());
    }
}

fn goes_on() {
    let counter = Counter::new().started();
    let pid_file = counter.case.bundle.path().join("pid");
    counter.checkpoint(&[]).ok();
    let saved = counter.count();
    assert_eq!(counter.case.does("state").code(), 1, "it is removed when it is saved");
    assert_eq!(counter.case.left_behind(), [""; 0]);
    run(counter.restoring(&["--detach", "--pid-file"]).arg(&pid_file)).ok();
    counter.goes_on_from(saved);
    assert_eq!(counter.case.status(), "running");
    assert_eq!(fs::read_to_string(&pid_file).unwrap(), counter.case.pid().to_string());
    let done = counter.case.exec(&[], &["cat", "/proc/1/cmdline"]).ok();
    assert!(done.stdout.contains("echo $i"), "{done:#?}");
    let again = counter.restore();
    assert!(again.code() == 1 && again.stderr.contains("exists already"), "{again:#?}");
    run(counter.case.oci(&["delete", "--force"]).arg(counter.case.id())).ok();
    assert_eq!(counter.case.left_behind(), [""; 0]);
}

fn leave_running() {
    let counter = Counter::new().started();
    counter.checkpoint(&["--leave-running"]).ok();
    let saved = counter.count();
    counter.counts_beyond(saved + 5);
    assert_eq!(counter.case.status(), "running");
    // The images are of that moment.
    run(counter.case.oci(&["delete", "--force"]).arg(counter.case.id())).ok();
    let end = counter.count();
    counter.restore().ok();
    fs::remove_file(counter.data().join("count")).unwrap();
    eventually("it counts again", || counter.count() > 0);
    assert!(counter.count() < end + 1000, "{} after {saved} and {end}", counter.count());
    counter.counts_beyond(saved);
}

fn another_name() {
    let counter = Counter::new().started();
    counter.checkpoint(&[]).ok();
    let saved = counter.count();
    let root = counter.case.state_dir().to_str().unwrap();
    let other = Container::with_options(&["--root", root]);
    let mut restore = other.command(&["restore", "--detach", "--image-path"]);
    restore.stdin(Stdio::null()).arg(counter.images()).arg("--bundle").arg(counter.case.bundle.path());
    run(restore.arg(other.id())).ok();
    counter.goes_on_from(saved);
    let state: serde_json::Value = run(other.command(&["state"]).arg(other.id())).ok().json();
    for (hierarchy, group) in groups(state["pid"].as_i64().unwrap() as i32) {
        let name = group.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        assert!(name.ends_with(other.id()), "{hierarchy}: {}", group.display());
    }
}

fn limits() {
    let mut counter = Counter::new();
    counter.case.edit(|config| config["linux"]["resources"]["pids"] = json!({ "limit": 40 }));
    let counter = counter.started();
    counter.comes_back();
    let done = counter
        .case
        .exec(&[], &["sh", "-c", "cat /sys/fs/cgroup/pids/pids.max || cat /sys/fs/cgroup/pids.max"]);
    assert_eq!(done.ok().stdout, "40\n");
}

fn own_namespaces() {
    let counter = Counter::new().started();
    let before = namespaces(&counter.case.pid().to_string());
    counter.comes_back();
    let (machine, after) = (namespaces("self"), namespaces(&counter.case.pid().to_string()));
    for kind in ["pid", "net", "ipc", "uts", "mnt", "cgroup"] {
        assert_ne!(after[kind], machine[kind], "{kind}");
        assert!(before.contains_key(kind));
    }
    let inside =
        counter.case.exec(&[], &["sh", "-c", "hostname; ip addr show lo; cat /proc/self/cgroup"]).ok();
    assert!(inside.stdout.starts_with("testbed\n") && inside.stdout.contains("127.0.0.1"), "{inside:#?}");
    assert!(!inside.stdout.contains(counter.case.id()), "{inside:#?}");
}

/// A network namespace with a name, which ends with the test.
struct Network(String);

impl Network {
    fn new() -> Network {
        let name = testbed::unique_name();
        run(Command::new("ip").args(["netns", "add", &name])).ok();
        Network(name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = run(Command::new("ip").args(["netns", "del", &self.0]));
    }
}

fn joined_network() {
    let network = Network::new();
    let mut counter = Counter::new();
    let path = format!("/run/netns/{}", network.0);
    counter.case.edit(|config| {
        set_namespace(config, "network", Some(json!({ "type": "network", "path": path })));
    });
    let counter = counter.started();
    let before = namespaces(&counter.case.pid().to_string())["net"];
    counter.comes_back();
    assert_eq!(namespaces(&counter.case.pid().to_string())["net"], before);
}

fn no_cgroup_namespace() {
    let mut counter = Counter::new();
    counter.case.edit(|config| set_namespace(config, "cgroup", None));
    let counter = counter.started();
    let list = ["sh", "-c", "find /sys/fs/cgroup -name cgroup.procs | sort; cat /proc/self/cgroup"];
    let before = counter.case.exec(&[], &list).ok().stdout;
    counter.comes_back();
    assert_eq!(counter.case.exec(&[], &list).ok().stdout, before);
}

fn user_namespace() {
    let mut counter = Counter::new();
    map_ids(&mut counter.case);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(counter.data(), open).unwrap();
    counter.case.detach();
    counter.counts_beyond(0);
    let map = counter.case.exec(&[], &["cat", "/proc/self/uid_map"]).ok().stdout;
    counter.checkpoint(&[]).ok();
    let (saved, images) = (counter.count(), fs::metadata(counter.images()).unwrap());
    counter.restore().ok();
    counter.goes_on_from(saved);
    assert_eq!(counter.case.exec(&[], &["cat", "/proc/self/uid_map"]).ok().stdout, map);
    counter.case.exec(&[], &["sh", "-c", "echo >/dev/null && head -c 1 /dev/zero"]).ok();
    use std::os::unix::fs::MetadataExt;
    let after = fs::metadata(counter.images()).unwrap();
    assert_eq!((after.gid(), after.mode()), (images.gid(), images.mode()), "the images are root's own again");
}

/// A mount that ends with the test, as all mounts below a test's directory do.
fn mount_tmpfs(place: &Path) {
    fs::create_dir(place).unwrap();
    run(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(place)).ok();
    fs::write(place.join("file"), "of the machine").unwrap();
}

fn mounts_below() {
    let counter = Counter::new();
    mount_tmpfs(&counter.data().join("below"));
    let counter = counter.started();
    counter.comes_back();
    let done =
        counter.case.exec(&[], &["sh", "-c", "cat /data/below/file; grep -c /data /proc/self/mountinfo"]);
    assert_eq!(done.ok().stdout, "of the machine2\n");
}

fn mount_points() {
    let mut counter = Counter::new();
    let file = counter.case.bundle.path().join("file");
    fs::write(&file, "bound").unwrap();
    counter.case.edit(|config| {
        let bind =
            |to: &str| json!({ "destination": to, "type": "bind", "source": file, "options": ["bind"] });
        let mounts = config["mounts"].as_array_mut().unwrap();
        mounts.extend([bind("/etc/deep/file"), bind("/dev/file"), bind("/data/nested")]);
        mounts.push(json!({ "destination": "/cache/tmp", "type": "tmpfs", "source": "tmpfs" }));
    });
    let counter = counter.started();
    counter.case.exec(&[], &["sh", "-c", "echo kept >/cache/tmp/file"]).ok();
    counter.checkpoint(&[]).ok();
    let saved = counter.count();
    let root = counter.case.bundle.rootfs();
    fs::remove_dir_all(root.join("etc/deep")).unwrap();
    fs::remove_dir_all(root.join("cache")).unwrap();
    fs::remove_dir(root.join("data")).unwrap();
    fs::remove_file(counter.data().join("nested")).unwrap();
    counter.restore().ok();
    counter.goes_on_from(saved);
    let files = ["cat", "/etc/deep/file", "/dev/file", "/data/nested", "/cache/tmp/file"];
    assert_eq!(counter.case.exec(&[], &files).ok().stdout, "boundboundboundkept\n");
}

fn terminal() {
    let mut counter = Counter::new();
    counter.case.edit(|config| {
        config["process"]["terminal"] = json!(true);
        config["process"]["consoleSize"] = json!({ "height": 33, "width": 100 });
    });
    counter.case.args(&[
        "sh",
        "-c",
        "echo ready; while read word; do echo $word >/data/word; stty size >/data/size; done",
    ]);
    let (case, console) = (&counter.case, Console::new(&counter.case));
    run(&mut case.make(&["run", "--detach", "--console-socket", &console.path])).ok();
    let mut master = console.terminal();
    let word = || fs::read_to_string(counter.data().join("word")).unwrap_or_default();
    master.write_all(b"before\n").unwrap();
    eventually("what is typed arrives", || word() == "before\n");
    counter.checkpoint(&[]).ok();
    drop(master);
    let refused = counter.restore();
    assert!(refused.code() == 1 && refused.stderr.contains("nobody takes the terminal"), "{refused:#?}");
    let console = Console::new(case);
    run(&mut counter.restoring(&["--detach", "--console-socket", &console.path])).ok();
    let mut master = console.terminal();
    master.write_all(b"after\n").unwrap();
    eventually("what is typed arrives at the restored one", || word() == "after\n");
    eventually("the size is what it was", || {
        fs::read_to_string(counter.data().join("size")).is_ok_and(|size| size == "33 100\n")
    });
}

fn foreground() {
    let mut counter = Counter::new();
    counter.case.args(&["sh", "-c", "while [ ! -e /data/go ]; do sleep 0.01; done; echo went; exit 7"]);
    let mut first = counter.case.make(&["run"]);
    let mut first = first.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    eventually("it runs", || counter.case.does("state").stdout.contains("running"));
    counter.checkpoint(&[]).ok();
    assert!(ends_within(SOON, &first));
    assert_eq!(first.wait().unwrap().code(), Some(137), "it was ended by SIGKILL");
    fs::write(counter.data().join("go"), "").unwrap();
    let output = counter.restoring(&[]).stdout(Stdio::piped()).stderr(Stdio::null()).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(7), "went\n"));
    assert_eq!(counter.case.left_behind(), [""; 0]);
}

fn other_streams() {
    let mut counter = Counter::new();
    let file = |name: &str| fs::File::create(counter.data().join(name)).unwrap();
    let (first, second) = (file("first"), file("second"));
    counter.case.args(&["sh", "-c", "while :; do echo out; sleep 0.01; done"]);
    let mut started = counter.case.make(&["run", "--detach"]);
    assert!(started.stdout(first).stderr(Stdio::null()).status().unwrap().success());
    let length = |name: &str| fs::metadata(counter.data().join(name)).unwrap().len();
    eventually("it writes", || length("first") > 0);
    counter.checkpoint(&[]).ok();
    let written = length("first");
    let mut restored = counter.restoring(&["--detach"]);
    assert!(restored.stdout(second).stderr(Stdio::null()).status().unwrap().success());
    eventually("it writes to the new one", || length("second") > 0);
    assert_eq!(length("first"), written);
    assert!(fs::read_to_string(counter.data().join("second")).unwrap().starts_with("out\n"));
}

fn paused() {
    let counter = Counter::new().started();
    counter.case.does("pause").ok();
    let saved = counter.count();
    counter.checkpoint(&[]).ok();
    counter.restore().ok();
    // Whoever paused it has to resume it; a new group is not frozen.
    if counter.case.status() == "paused" {
        counter.case.does("resume").ok();
    }
    counter.goes_on_from(saved);
}

fn hooks() {
    let mut counter = Counter::new();
    let said = |name: &str| counter.case.bundle.path().join(name).to_str().unwrap().to_owned();
    let (state, end, veto) = (said("state"), said("end"), said("veto"));
    let hook = |script: String| json!([{ "path": "/bin/sh", "args": ["sh", "-c", script] }]);
    let first = hook(format!("cat >{state}; readlink /proc/$PPID/exe; [ ! -e {veto} ]"));
    let last = hook(format!("cat >{end}"));
    counter.case.edit(|config| config["hooks"] = json!({ "createRuntime": first, "poststop": last }));
    let counter = counter.started();
    counter.checkpoint(&[]).ok();
    let saved = counter.count();
    let read =
        |path: &str| -> serde_json::Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    assert_eq!(read(&end)["status"], "stopped", "the container was removed");
    fs::write(&veto, "").unwrap();
    let done = counter.restore();
    assert!(done.code() == 1 && done.stderr.contains("failed with exit code 1"), "{done:#?}");
    assert_eq!(counter.case.left_behind(), [""; 0]);
    fs::remove_file(&veto).unwrap();
    counter.restore().ok();
    counter.goes_on_from(saved);
    let told = read(&state);
    assert_eq!(
        (&told["status"], told["pid"].as_i64()),
        (&json!("creating"), Some(counter.case.pid().into()))
    );
}

fn pre_dump() {
    let counter = Counter::new().started();
    let base = counter.case.bundle.path().to_owned();
    let checkpoint = |images: &str, options: &[&str]| {
        let mut command = counter.case.oci(&["checkpoint", "--image-path"]);
        run(command.arg(base.join(images)).args(options).arg(counter.case.id())).ok();
    };
    checkpoint("one", &["--pre-dump"]);
    counter.counts_beyond(counter.count());
    checkpoint("two", &["--pre-dump", "--parent-path", "../one"]);
    counter.counts_beyond(counter.count());
    checkpoint("images", &["--parent-path", "../two"]);
    let saved = counter.count();
    counter.restore().ok();
    counter.goes_on_from(saved);
}

fn checkpoint_fails() {
    let mut counter = Counter::new();
    // The second half of a connection that is outside.
    counter.case.args(&["sh", "-c", &format!("exec 5<&0; {COUNT}")]);
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut command = counter.case.make(&["run", "--detach"]);
    let command = command.stdin(std::os::fd::OwnedFd::from(theirs));
    assert!(command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    counter.counts_beyond(0);
    let done = counter.checkpoint(&[]);
    assert_eq!(done.code(), 1, "{done:#?}");
    let images = counter.images();
    for words in ["criu failed: ", "dump.log has the whole story", "Error (criu/", images.to_str().unwrap()] {
        assert!(done.stderr.contains(words), "{words}: {done:#?}");
    }
    assert_eq!(counter.case.status(), "running");
    counter.counts_beyond(counter.count());
    drop(ours);

    for (parent, words) in [("/etc", "it has to be relative"), ("../nothing", "there is no such directory")] {
        let done = counter.checkpoint(&["--parent-path", parent]);
        assert!(done.code() == 1 && done.stderr.contains(words), "{done:#?}");
    }
}

fn restore_fails() {
    let counter = Counter::new().started();
    counter.checkpoint(&[]).ok();
    let pid_file = counter.case.bundle.path().join("pid");
    let fails = |words: &[&str]| {
        let done = run(counter.restoring(&["--detach", "--pid-file"]).arg(&pid_file));
        assert_eq!(done.code(), 1, "{done:#?}");
        words.iter().for_each(|words| assert!(done.stderr.contains(words), "{words}: {done:#?}"));
        assert_eq!(counter.case.left_behind(), [""; 0]);
        assert!(!pid_file.exists());
    };
    let kept = fs::read(counter.images().join("inventory.img")).unwrap();
    fs::remove_file(counter.images().join("inventory.img")).unwrap();
    fails(&["criu failed: Unexpected EOF", "restore.log has the whole story", "Error (criu/"]);
    fs::write(counter.images().join("inventory.img"), kept).unwrap();
    fs::rename(counter.images().join("descriptors.json"), counter.images().join("away")).unwrap();
    fails(&["descriptors.json", "no such file"]);
    fs::rename(counter.images().join("away"), counter.images().join("descriptors.json")).unwrap();
    fs::create_dir(&pid_file).unwrap();
    let done = run(counter.restoring(&["--detach", "--pid-file"]).arg(&pid_file));
    assert!(done.code() == 1 && done.stderr.contains("cannot write"), "{done:#?}");
    assert_eq!(counter.case.left_behind(), [""; 0]);
    let saved = counter.count();
    counter.restore().ok();
    counter.goes_on_from(saved);
}

fn only_running() {
    let counter = Counter::new();
    let missing = counter.checkpoint(&[]);
    assert!(missing.code() == 1 && missing.stderr.contains("does not exist"), "{missing:#?}");
    run(&mut counter.case.make(&["create"])).ok();
    let created = counter.checkpoint(&[]);
    let words = "is created; checkpoint needs it running or paused";
    assert!(created.code() == 1 && created.stderr.contains(words), "{created:#?}");
    assert!(!counter.images().exists());
}

fn no_criu() {
    let counter = Counter::new().started();
    let mut command = counter.case.oci(&["checkpoint", "--image-path"]);
    command.arg(counter.images()).arg(counter.case.id()).env("PATH", "/nowhere");
    let done = run(&mut command);
    let words = r#"find "criu": executable file not found in $PATH (/nowhere)"#;
    assert!(done.code() == 1 && done.stderr.contains(words), "{done:#?}");
    let mut command = counter.restoring(&["--detach"]);
    let other = Container::new();
    fs::write(counter.images().join("descriptors.json"), "[]").unwrap();
    let done = run(command.env("PATH", "/nowhere").arg("--work-path").arg(counter.images()));
    assert!(done.code() == 1, "{done:#?} {}", other.id());
}
