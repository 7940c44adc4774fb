//! Files by which the kernel is told what to do, and those that tell of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testbed::run;

use crate::ground::{calls, default_filter, grant, install_call, works_without};
use crate::support::{Case, set_namespace};

/// What changes the whole machine, or runs a program of the container's choice as root of the machine.
const ORDERS: [&str; 6] = [
    "/proc/sysrq-trigger",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/fs/binfmt_misc/register",
    "/sys/kernel/uevent_helper",
    "/sys/kernel/mm/ksm/run",
];

pub fn kernel_files() {
    let mut case = Case::probe();
    case.edit(|config| grant(config, &["CAP_DAC_OVERRIDE"]));
    let mut careless = Case::probe();
    careless.edit(|config| {
        grant(config, &["CAP_DAC_OVERRIDE"]);
        config["linux"]["readonlyPaths"] = json!([]);
        options_of(config, "/sys", json!(["nosuid", "noexec", "nodev"]));
    });
    for path in ORDERS.into_iter().filter(|path| Path::new(path).exists()) {
        // To write them would be the attack; to write again what they say is as much, and changes nothing.
        let order: &[&str] =
            if fs::read(path).is_ok() { &["rewrite", path] } else { &["try-open", path, "wronly"] };
        let verdict = careless.attempt(order);
        works_without("read-only paths", verdict.succeeded(), verdict);
        assert_eq!(case.attempt(&["try-open", path, "wronly"]).outcome, "EROFS", "{path}");
    }
    let groups = fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|entry| entry.path());
    for path in groups.map(|dir: PathBuf| dir.join("cgroup.procs")).filter(|path| path.exists()) {
        let verdict = case.attempt(&["try-open", path.to_str().unwrap(), "wronly"]);
        assert_eq!(verdict.outcome, "EROFS", "{verdict:?}");
    }
}

/// `h` of the magic key prints a help in the kernel's log; other letters kill and turn off.
pub fn magic_key() {
    const ORDER: [&str; 3] = ["write-proc", "/proc/sysrq-trigger", "h"];
    let helps = || run(&mut Command::new("dmesg")).ok().stdout.matches("sysrq: HELP").count();
    let mut case = Case::probe();
    case.edit(|config| grant(config, &["CAP_DAC_OVERRIDE"]));
    let mut careless = Case::probe();
    careless.edit(|config| {
        grant(config, &["CAP_DAC_OVERRIDE"]);
        config["linux"]["readonlyPaths"] = json!([]);
    });
    let before = helps();
    let verdict = careless.attempt(&ORDER);
    works_without("read-only paths", verdict.succeeded() && helps() == before + 1, verdict);
    assert_eq!(case.attempt(&ORDER).outcome, "EROFS");
    assert_eq!(helps(), before + 1);
}

fn options_of(config: &mut Value, destination: &str, options: Value) {
    let mounts = config["mounts"].as_array_mut().unwrap();
    let mount = mounts.iter_mut().find(|mount| mount["destination"] == destination).unwrap();
    mount["options"] = options;
}

/// The program that root of the machine runs when a group is empty (CVE-2022-0492).
pub fn release_agent() {
    let mount = ["try-mount", "none", "/dev/shm", "cgroup", "-", "memory"];
    let (agent, order) = (
        "/dev/shm/release_agent",
        "/bin/probe try-mount none /dev/shm cgroup - memory >/dev/null; \
         /bin/probe rewrite /dev/shm/release_agent",
    );
    let mut careless = Case::busybox();
    careless.edit(|config| {
        set_namespace(config, "cgroup", None);
        grant(config, &["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"]);
    });
    let done = careless.args(&["sh", "-c", order]).run();
    works_without("capabilities that are not given", done.stdout.contains("\"outcome\":\"ok\""), done);

    // In a cgroup namespace the top is the container's own group, which has no such file.
    let mut case = Case::busybox();
    case.edit(|config| grant(config, &["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"]));
    let done = case.args(&["sh", "-c", order]).run();
    assert!(done.stdout.contains("\"outcome\":\"ENOENT\""), "{agent}: {done:#?}");
    // Without the capability there is no such mount.
    let mut case = Case::probe();
    case.edit(|config| grant(config, &["CAP_DAC_OVERRIDE"]));
    assert_eq!(case.attempt(&mount).outcome, "EPERM");
    assert_eq!(
        case.attempt(&["try-open", "/sys/fs/cgroup/memory/release_agent", "wronly"]).outcome,
        "ENOENT"
    );
}

/// Logs and memory of the kernel, and keys of everybody.
pub fn logs_and_keys() {
    let read = |careless: bool, capabilities: &[&str], path: &str| {
        let mut case = Case::probe();
        case.edit(|config| {
            grant(config, capabilities);
            if careless {
                config["linux"]["maskedPaths"] = json!([]);
            }
        });
        case.attempt(&["try-read", path])
    };
    let verdict = read(true, &[], "/proc/keys");
    works_without("masks", verdict.succeeded() && verdict.detail != "", verdict);
    assert_eq!(read(false, &[], "/proc/keys").detail, "");
    if Path::new("/proc/kcore").exists() {
        let verdict = read(true, &["CAP_SYS_RAWIO"], "/proc/kcore");
        works_without("masks", verdict.succeeded() && verdict.detail != "", verdict);
        assert_eq!(read(false, &["CAP_SYS_RAWIO"], "/proc/kcore").detail, "");
    }

    const SIZE_OF_THE_LOG: [&str; 4] = ["syslog", "10", "0", "0"];
    const ALL: [&str; 4] = ["syslog", "3", "z:4096", "4096"];
    let mut case = Case::probe();
    install_call(&case);
    let verdict = calls(&mut case, &ALL);
    let free = fs::read_to_string("/proc/sys/kernel/dmesg_restrict").is_ok_and(|text| text == "0\n");
    works_without("a filter", verdict.succeeded() == free, &verdict);
    case.edit(|config| grant(config, &["CAP_SYSLOG"]));
    works_without("capabilities that are not given", calls(&mut case, &SIZE_OF_THE_LOG).succeeded(), ());
    case.edit(|config| config["linux"]["seccomp"] = default_filter());
    for call in [SIZE_OF_THE_LOG, ALL] {
        assert_eq!(calls(&mut case, &call).outcome, "EPERM");
    }
    let open = |case: &mut Case| case.attempt(&["try-open", "/proc/kmsg", "rdonly"]);
    works_without("capabilities that are not given", open(&mut case).succeeded(), ());
    case.edit(|config| grant(config, &["CAP_DAC_OVERRIDE"]));
    assert_eq!(open(&mut case).outcome, "EPERM");
    assert_eq!(case.attempt(&["try-open", "/dev/kmsg", "rdonly"]).outcome, "ENOENT");
}
