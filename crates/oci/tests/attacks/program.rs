//! Our binary, out of the container's reach (CVE-2019-5736).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::json;
use testbed::{binary, copy_program, run};

use crate::ground::{fingerprint, grant, refused, works_without};
use crate::support::{Case, eventually};

const EPERM: u32 = 1;

/// Our binary as the program of a container, where it waits for ever.
const WAITS: [&str; 5] = ["/proc/self/exe", "update", "--resources", "/fifo", "x"];

/// What the attacker runs: finds our binary at work inside, opens it, ends it, and writes to it once nobody runs it. Until
/// then the kernel itself refuses (ETXTBSY).
const OVERWRITE: &str = "
    while [ -z \"$pid\" ]; do
        for p in /proc/[0-9]*; do
            case $(tr '\\0' ' ' <$p/cmdline) in /proc/self/ex[e]*) pid=${p#/proc/};; esac
        done
    done 2>/dev/null
    exe=/proc/$pid/exe
    mount -o remount,bind,rw $exe && echo remounted
    mount --bind $exe /tmp/exe && echo bound
    exec 9<$exe && echo opened
    kill -9 $pid
    for turn in $(seq 100); do
        (: >>/proc/self/fd/9) && echo opened for appending
        (echo x 1<>/proc/self/fd/9) && echo overwritten
        sleep 0.02
    done
    echo attacked
";

/// A container whose program attacks our binary, not yet started.
fn attacker() -> Case {
    let mut case = Case::busybox();
    let root = case.bundle.rootfs();
    case.edit(|config| {
        config["root"]["readonly"] = json!(false);
        grant(config, &["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_KILL", "CAP_SYS_PTRACE"]);
        // The attacker sees all of /proc.
        config["linux"]["maskedPaths"] = json!([]);
    });
    let script = root.join("bin/script");
    fs::write(&script, "#!/proc/self/exe --log\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    run(Command::new("mkfifo").arg(root.join("fifo"))).ok();
    fs::write(root.join("tmp/exe"), "").unwrap();
    case.args(&[
        "sh",
        "-c",
        &format!("({OVERWRITE}) >/tmp/part 2>/dev/null; mv /tmp/part /tmp/result; sleep 1000"),
    ]);
    case
}

/// What the attacker has to say when they are done.
fn result(case: &Case) -> String {
    let result = case.bundle.rootfs().join("tmp/result");
    eventually("the attacker has done all that they could", || result.exists());
    fs::read_to_string(&result).unwrap()
}

/// Attacks our binary, which waits in the container for ever, started by exec as `command`. It is a copy that nothing
/// else runs.
fn attack_own_binary(command: &[&str], without: &[&str]) {
    let case = attacker();
    let oci = case.bundle.path().join("cuddy-oci");
    copy_program(&binary("cuddy-oci"), &oci);
    let before = fingerprint(&oci);
    let ours = |args: &[&str]| {
        let mut command = Command::new(&oci);
        command.arg("--root").arg(case.state_dir()).args(args).stdin(Stdio::null());
        run(&mut command).ok();
    };
    ours(&["run", "--detach", "--bundle", case.bundle.path().to_str().unwrap(), case.id()]);
    let exec = || ours(&[&["exec", "--detach", case.id()], command].concat());
    match without {
        [] => exec(),
        calls => refused(calls, EPERM, exec),
    }
    let said = result(&case);
    // A sealed file can be opened for writing, and not be written.
    let said: Vec<_> =
        said.lines().filter(|line| without.is_empty() || *line != "opened for appending").collect();
    assert_eq!(said, ["opened", "attacked"]);
    assert_eq!(fingerprint(&oci), before);
}

pub fn own_binary() {
    attack_own_binary(&WAITS, &[]);
}

pub fn own_binary_by_script() {
    // The kernel puts the script's name after the first argument, as the value of the option.
    attack_own_binary(&["/bin/script", "update", "--resources", "/fifo", "x"], &[]);
    // As the first program of a container it only says that it makes no sense there.
    let before = fingerprint(&binary("cuddy-oci"));
    for args in [&["/proc/self/exe", "--version"][..], &["/proc/self/exe", "delete", "--force", "x"]] {
        let mut case = Case::probe();
        case.args(args);
        case.run();
        assert_eq!(fingerprint(&binary("cuddy-oci")), before);
    }
}

/// Where there is no read-only mount to be had it is a sealed copy.
pub fn sealed_copy() {
    for refused in ["open_tree", "mount_setattr"] {
        attack_own_binary(&WAITS, &[refused]);
    }
}

/// With neither, nothing of ours goes near a container.
pub fn no_protection() {
    let case = Case::busybox();
    case.detach();
    refused(&["open_tree", "memfd_create"], EPERM, || {
        let done = case.exec(&[], &["true"]);
        assert_eq!(done.code(), 255, "{done:#?}");
        let said = "cannot shield our binary from containers: /proc/self/exe: operation not permitted";
        assert!(done.stderr.contains(said), "{done:#?}");
    });
}

/// A runtime that joins the container as itself: the binary of the host, which the container then executes.
pub fn naive_binary() {
    let case = attacker();
    let naive = case.bundle.path().join("naive");
    copy_program(&binary("probe"), &naive);
    let before = fingerprint(&naive);
    let pid = case.detach().pid().to_string();
    let mut joined = Command::new(&naive);
    joined.args(["naive-enter", &pid, "/proc/self/exe", "sleep"]).stdin(Stdio::null());
    run(&mut joined);
    let said = result(&case);
    works_without("a read-only mount of our binary", said.contains("overwritten\n"), said);
    assert_ne!(fingerprint(&naive), before);
}
