//! What the attacks share: markers of the host, careless runtimes, outer filters.

use std::fmt::Debug;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use probe::Verdict;
use seccomp::Arch;
use serde_json::{Value, json};
use spec::{CapabilitySet, Seccomp, SyscallRule};
use testbed::{Done, Scratch, binary, run};

use crate::support::Case;

/// An attack has to work where nothing defends against it; else that it fails elsewhere proves nothing.
#[track_caller]
pub fn works_without(defence: &str, worked: bool, what: impl Debug) {
    assert!(worked, "void: without {defence} the attack does not work here, either: {what:#?}");
}

/// What must not change: the file's content and what the file system knows of it.
pub fn fingerprint(path: &Path) -> (u64, u64, i64, i64) {
    let mut hasher = DefaultHasher::new();
    fs::read(path).unwrap().hash(&mut hasher);
    let metadata = fs::metadata(path).unwrap();
    (hasher.finish(), metadata.ino(), metadata.mtime(), metadata.ctime())
}

/// Gives the process of a configuration these capabilities.
pub fn grant(config: &mut Value, names: &[&str]) {
    config["process"]["capabilities"] =
        json!({ "bounding": names, "effective": names, "permitted": names, "inheritable": names });
}

/// A file of the host that no container has, removed with the directory.
pub fn marker() -> (Scratch, String) {
    let scratch = Scratch::new();
    let path = scratch.path().join("marker");
    fs::write(&path, "of the host").unwrap();
    let text = path.to_str().unwrap().to_owned();
    (scratch, text)
}

/// `cuddy-oci ARGS...` with descriptors 7 and 9 open at directories of the host.
pub fn with_leaks(command: Command) -> Done {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 7</ 9</etc; exec \"$@\"", "sh"]).arg(command.get_program());
    run(shell.args(command.get_args()).stdin(Stdio::null()))
}

pub fn bind_mount(case: &mut Case, source: &Path, destination: &str) {
    let mount = json!({ "destination": destination, "type": "bind", "source": source });
    case.edit(|config| config["mounts"].as_array_mut().unwrap().push(mount));
}

/// All capabilities that there are, by the names of the features document.
pub fn all_capabilities(case: &Case) -> Vec<String> {
    let features: Value = run(&mut case.oci(&["features"])).ok().json();
    serde_json::from_value(features["linux"]["capabilities"].clone()).unwrap()
}

/// A careless runtime as a shell script, in a mount namespace of its own. The arguments are `$1`, `$2` and so on.
pub fn naive_shell(script: &str, args: &[&str]) -> Done {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).args(args);
    run(command.stdin(Stdio::null()))
}

/// A careless runtime that starts a program of the case's root file system with chroot(2), a working directory, and
/// descriptors 7 and 9 open at directories of the host.
pub fn naive_jail(case: &Case, cwd: &str, command: &[&str]) -> Done {
    let script = "mount -t proc proc $1/proc && exec 7</ 9</etc && probe=$2 && \
                  shift 2 && exec $probe naive-jail \"$@\"";
    let (root, probe) = (text(&case.bundle.rootfs()), text(&binary("probe")));
    naive_shell(script, &[&[root.as_str(), &probe, &root, cwd], command].concat())
}

/// Starts what comes after in a container that runs: the program of the probe, as a careless `exec` does it.
pub fn naive(args: &[&str]) -> Command {
    let mut command = Command::new(binary("probe"));
    command.args(args);
    command
}

/// A path as text.
pub fn text(path: &Path) -> String {
    path.to_str().expect("a path of ours is UTF-8").to_owned()
}

/// The profile that `cuddy run` loads for a container without special capabilities.
pub fn default_filter() -> Value {
    let native = Arch::host().expect("an architecture that cuddy runs on");
    json!(seccomp::default_profile(CapabilitySet::EMPTY, native))
}

/// A program that makes calls by their numbers: `/bin/call` in the case's root file system.
pub fn install_call(case: &Case) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/attacks/call.c");
    let program = case.bundle.rootfs().join("bin/call");
    run(Command::new("cc").args(["-static", "-O1", "-o"]).arg(&program).arg(source)).ok();
    program
}

/// The arguments of `call` for calls by name, with `,` between them.
pub fn by_number(calls: &[&str]) -> Vec<String> {
    let native = Arch::host().expect("an architecture that cuddy runs on");
    let begins = |index: usize| index == 0 || calls[index - 1] == ",";
    let numbered = calls.iter().enumerate().map(|(index, word)| match native.number(word) {
        Some(number) if begins(index) => number.to_string(),
        _ => (*word).to_owned(),
    });
    numbered.collect()
}

/// What comes of system calls in a container of the case, where [`install_call`] was.
#[track_caller]
pub fn calls(case: &mut Case, calls: &[&str]) -> Verdict {
    let args = by_number(calls);
    let args: Vec<_> = ["/bin/call"].into_iter().chain(args.iter().map(String::as_str)).collect();
    case.args(&args);
    case.run().ok().json()
}

/// Runs a test under a filter that answers these calls with an errno, as the filter of an outer container does. What it
/// starts has the filter, too; a filter is its thread's.
pub fn refused(names: &[&str], errno: u32, test: impl FnOnce() + Send) {
    let rule = SyscallRule {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        action: "SCMP_ACT_ERRNO".to_owned(),
        errno_ret: Some(errno),
        args: Vec::new(),
    };
    let native = Arch::host().expect("an architecture that cuddy runs on");
    let companions = native.companions().iter().map(|arch| arch.name().to_owned()).collect();
    let rules = Seccomp {
        default_action: "SCMP_ACT_ALLOW".to_owned(),
        architectures: companions,
        syscalls: vec![rule],
        ..Seccomp::default()
    };
    let filter = seccomp::compile(&rules, native).expect("a filter of one rule");
    let done = thread::scope(|scope| {
        scope
            .spawn(|| {
                sys::seccomp::set_filter(filter.flags, &instructions(&filter))
                    .expect("root may load a filter");
                test();
            })
            .join()
    });
    if let Err(panic) = done {
        std::panic::resume_unwind(panic);
    }
}

fn instructions(filter: &seccomp::Filter) -> Vec<libc::sock_filter> {
    let program = filter.program.iter();
    program.map(|i| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k }).collect()
}
