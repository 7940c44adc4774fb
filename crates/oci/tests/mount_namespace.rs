//! Containers among the mounts of others: without a mount namespace, and in one that is joined.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use serde_json::{Value, json};
use support::{Case, namespaces, set_namespace};
use testbed::{Done, Need, copy_program, run, trial};

fn main() -> ExitCode {
    let root = [Need::Root];
    let machine = [Need::Root, Need::Program("unshare"), Need::Program("nsenter")];
    testbed::main([
        trial("the machine has its mounts until it is deleted", machine.clone(), machine_has_mounts),
        trial("a start that fails leaves no mount", machine.clone(), failed_start),
        trial("what others mount in its place stays", machine, mounts_of_others_stay),
        trial("a mount namespace is joined by its path, and the root is changed in it", root.clone(), joined),
        trial("what would change the mounts of others is refused", root, refused),
    ])
}

/// A machine of the test's own, as far as mounts go.
struct Machine(Child);

impl Machine {
    fn new() -> Machine {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", "echo; exec sleep 1000"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("unshare");
        let mut byte = [0];
        let stdout = child.stdout.as_mut().expect("a pipe");
        std::io::Read::read_exact(stdout, &mut byte).expect("it is in its namespace");
        Machine(child)
    }

    /// Runs a command there.
    fn run(&self, command: &Command) -> Done {
        let mut inside = Command::new("nsenter");
        inside.arg(format!("--mount=/proc/{}/ns/mnt", self.0.id())).arg(command.get_program());
        run(inside.args(command.get_args()).stdin(Stdio::null()))
    }

    /// Its mounts with all that can be changed of them; the numbers are not the same the next time.
    fn mounts(&self) -> Vec<String> {
        mounts(self.0.id())
    }
}

fn mounts(pid: impl std::fmt::Display) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    text.lines().map(|line| line.split(' ').skip(3).collect::<Vec<_>>().join(" ")).collect()
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("a child of ours");
    }
}

fn without(config: &mut Value) {
    set_namespace(config, "mount", None);
    config["linux"]["maskedPaths"].take();
    config["linux"]["readonlyPaths"].take();
}

fn points<'a>(mounts: &'a [String], below: &Path) -> Vec<&'a str> {
    let points = mounts.iter().filter_map(|mount| mount.split(' ').nth(1));
    points.filter(|point| Path::new(point).starts_with(below)).collect()
}

fn machine_has_mounts() {
    let machine = Machine::new();
    let mut case = Case::probe();
    case.edit(without).args(&["/bin/probe", "sleep"]);
    let (before, rootfs) = (machine.mounts(), case.bundle.rootfs());
    machine.run(&case.make(&["run", "--detach"])).ok();
    assert_eq!(
        namespaces(&case.pid().to_string())["mnt"],
        namespaces(&machine.0.id().to_string())["mnt"],
        "it is in the machine's"
    );
    let during = machine.mounts();
    let made = points(&during, &rootfs);
    assert!(made.contains(&rootfs.to_str().unwrap()), "{made:?}");
    assert!(made.contains(&rootfs.join("proc").to_str().unwrap()), "{made:?}");
    assert_eq!(during.len(), before.len() + made.len(), "only its own are new");
    assert!(before.iter().all(|mount| during.contains(mount)), "none of the machine's is changed");
    let mut exec = case.oci(&["exec"]);
    exec.args([case.id(), "/bin/probe"]);
    let report: probe::Report = machine.run(&exec).ok().json();
    assert!(report.mounts.iter().any(|mount| mount.point == "/proc"), "its root is the container's");
    machine.run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    assert_eq!(machine.mounts(), before);
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn failed_start() {
    let machine = Machine::new();
    let mut case = Case::probe();
    case.edit(without).args(&["/bin/none"]);
    let before = machine.mounts();
    assert_eq!(machine.run(&case.make(&["run"])).code(), 1);
    assert_eq!(machine.mounts(), before);
    assert_eq!(case.left_behind(), Vec::<String>::new());
}

fn mounts_of_others_stay() {
    let machine = Machine::new();
    let mut case = Case::probe();
    case.edit(without).args(&["/bin/probe", "sleep"]);
    machine.run(&case.make(&["run", "--detach"])).ok();
    let rootfs = case.bundle.rootfs();
    machine.run(Command::new("umount").arg("--lazy").arg(&rootfs)).ok();
    machine.run(Command::new("mount").arg("--bind").arg(&rootfs).arg(&rootfs)).ok();
    let before = machine.mounts();
    assert_eq!(points(&before, &rootfs).len(), 1);
    machine.run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    assert_eq!(machine.mounts(), before);
}

fn joined() {
    let mut target = Case::busybox();
    let inner = target.bundle.rootfs().join("inner");
    for directory in ["bin", "dev", "proc"] {
        fs::create_dir_all(inner.join(directory)).unwrap();
    }
    copy_program(&target.bundle.rootfs().join("bin/busybox"), &inner.join("bin/busybox"));
    fs::write(inner.join("where"), "inner").unwrap();
    target.args(&["sleep", "1000"]).detach();
    let theirs = target.pid();
    let before = mounts(theirs);

    let mut case = Case::busybox();
    case.edit(|config| {
        without(config);
        let path = format!("/proc/{theirs}/ns/mnt");
        set_namespace(config, "mount", Some(json!({ "type": "mount", "path": path })));
        config["mounts"].take();
        config["root"] = json!({ "path": "/inner" });
    });
    assert_eq!(case.args(&["/bin/busybox", "cat", "/where"]).run().ok().stdout, "inner");
    case.args(&["/bin/busybox", "sleep", "1000"]).detach();
    assert_eq!(namespaces(&case.pid().to_string())["mnt"], namespaces(&theirs.to_string())["mnt"]);
    assert_eq!(case.exec(&[], &["/bin/busybox", "cat", "/where"]).ok().stdout, "inner");
    assert_eq!(mounts(theirs), before, "nothing is mounted among theirs");
    run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
    assert_eq!(target.exec(&[], &["cat", "/inner/where"]).ok().stdout, "inner");
}

/// Joins the test's own mount namespace.
fn join(config: &mut Value) {
    without(config);
    set_namespace(config, "mount", Some(json!({ "type": "mount", "path": "/proc/self/ns/mnt" })));
}

fn refused() {
    const HINT: &str = "\n  add {\"type\": \"mount\"} without a path to /linux/namespaces, or drop this";
    let needs = |what: &str| format!("{what} needs a mount namespace of the container's own{HINT}");
    type Edit = fn(&mut Value);
    let table: [(Edit, String); 7] = [
        (|config| set_namespace(config, "mount", None), needs("/linux/maskedPaths: hiding paths")),
        (
            |config| {
                set_namespace(config, "mount", None);
                config["linux"]["maskedPaths"].take();
            },
            needs("/linux/readonlyPaths: making paths read-only"),
        ),
        (
            |config| {
                without(config);
                config["linux"]["rootfsPropagation"] = json!("shared");
            },
            needs("/linux/rootfsPropagation: propagation of the root"),
        ),
        (
            |config| {
                without(config);
                set_namespace(config, "user", Some(json!({ "type": "user" })));
                let ids = json!([{ "containerID": 0, "hostID": 100_000, "size": 65536 }]);
                config["linux"]["uidMappings"] = ids.clone();
                config["linux"]["gidMappings"] = ids;
            },
            needs("/linux/namespaces: a user namespace, which may not mount among the machine's mounts,"),
        ),
        (join, needs("/mounts: mounting")),
        (
            |config| {
                join(config);
                config["mounts"].take();
                config["root"]["readonly"] = json!(true);
            },
            needs("/root/readonly: a read-only root"),
        ),
        (
            |config| {
                join(config);
                config["mounts"].take();
                config["root"]["readonly"] = json!(false);
                config["linux"]["devices"] =
                    json!([{ "type": "c", "path": "/dev/fuse", "major": 10, "minor": 229 }]);
            },
            needs("/linux/devices: making devices"),
        ),
    ];
    for (change, message) in table {
        support::refusal::check(&[(change, &*message.leak())]);
    }
}
