//! What hides and write-protects files of the kernel (CVE-2025-31133, CVE-2025-52881, CVE-2019-16884).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::ground::{bind_mount, grant, marker, naive_shell, text, works_without};
use crate::support::Case;

pub fn forged_null() {
    type Forge = fn(&Path);
    let forge: [(&str, Forge); 3] = [
        ("a link", |null| symlink("/proc/sys/kernel/core_pattern", null).unwrap()),
        ("a file", |null| fs::write(null, "forged").unwrap()),
        ("a directory", |null| fs::create_dir(null).unwrap()),
    ];
    for (what, forge) in forge {
        let mut case = Case::probe();
        forge(&case.bundle.rootfs().join("dev/null"));
        fs::write(case.bundle.rootfs().join("etc/secret"), "secret").unwrap();
        case.edit(|config| {
            config["linux"]["maskedPaths"].as_array_mut().unwrap().push(json!("/etc/secret"));
        });
        // Under a /dev of its own the forgery is not seen.
        assert_eq!(case.attempt(&["try-read", "/etc/secret"]).detail, "", "{what}");
        // In the /dev of the root file system it is, and no container is made with it.
        case.edit(|config| {
            let mounts = config["mounts"].as_array_mut().unwrap();
            mounts.retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/dev"));
        });
        let done = case.run();
        assert_eq!(done.code(), 1, "{what}: {done:#?}");
        assert!(done.stderr.contains("make device /dev/null: something else is there already"), "{done:#?}");
    }
}

pub fn remounts() {
    let mut case = Case::busybox();
    let mut mighty = Case::busybox();
    mighty.edit(|config| grant(config, &["CAP_SYS_ADMIN"]));
    let attempts: [&[&str]; 6] = [
        &["try-remount", "/proc/sys", "bind"],
        &["try-remount", "/proc", "-"],
        &["try-remount", "/", "bind"],
        &["try-mount", "proc", "/tmp", "proc", "-"],
        &["try-mount", "/proc/sys", "/tmp", "none", "bind"],
        &["try-mount", "none", "/proc", "none", "shared"],
    ];
    for attempt in attempts {
        let verdict = mighty.attempt(attempt);
        works_without("capabilities that are not given", verdict.succeeded(), verdict);
        assert_eq!(case.attempt(attempt).outcome, "EPERM", "{attempt:?}");
    }
    let done = mighty.args(&["umount", "/proc/keys"]).run();
    works_without("capabilities that are not given", done.code() == 0, done);
    let done = case.args(&["umount", "/proc/keys"]).run();
    assert_eq!(done.code(), 1, "{done:#?}");
    for path in ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/panic", "/proc/irq/default_smp_affinity"]
    {
        assert_eq!(case.attempt(&["try-open", path, "wronly"]).outcome, "EROFS", "{path}");
    }
}

pub fn forged_proc() {
    let (source, _) = marker();
    let source = source.path();
    let tmpfs = |destination: &str| json!({ "destination": destination, "type": "tmpfs", "source": "tmpfs" });
    let bind = |destination: &str| json!({ "destination": destination, "type": "bind", "source": source });
    let cases = [
        ("/proc", tmpfs("/proc")),
        ("/proc", bind("/proc")),
        ("/proc", tmpfs("/./proc/")),
        ("/proc/self/attr", tmpfs("/proc/self/attr")),
        ("/proc/sys", bind("/proc//sys")),
        ("/proc/1", tmpfs("/proc/1")),
        ("/proc/net", bind("/proc/net")),
        ("/proc/sys/kernel/core_pattern", bind("/proc/sys/kernel/core_pattern")),
    ];
    for (path, mount) in cases {
        let mut case = Case::probe();
        case.edit(|config| config["mounts"].as_array_mut().unwrap().push(mount));
        let done = case.run();
        let expected = format!(
            "cuddy-oci: error: cannot start {}: /mounts/7/destination: a mount on {path} would let the container forge /proc\n  \
             mount it somewhere else\n",
            case.id()
        );
        assert_eq!((done.code(), done.stderr), (1, expected));
    }
}

pub fn forged_proc_through_link() {
    let (source, _) = marker();
    let cases = [
        ("/proc", "/link"),
        ("proc", "/link/sys"),
        ("/proc/self", "/link/attr"),
        ("../dev/../proc", "/link/sys/kernel"),
    ];
    for (target, destination) in cases {
        let mut case = Case::probe();
        symlink(target, case.bundle.rootfs().join("link")).unwrap();
        bind_mount(&mut case, source.path(), destination);
        case.args(&["/bin/probe"]);
        let done = case.run();
        assert_eq!(done.code(), 1, "{target} {destination}: {done:#?}");
        assert!(done.stderr.contains("would let the container forge /proc"), "{done:#?}");
    }
}

/// A mask that is whatever the image has at /dev/null, and a write to whatever lies at /proc.
pub fn naive_masks() {
    let (_scratch, marker) = marker();
    let case = Case::probe();
    let root = case.bundle.rootfs();
    symlink(&marker, root.join("dev/null")).unwrap();
    fs::write(root.join("etc/secret"), "secret").unwrap();
    let done =
        naive_shell("mount --bind $1/dev/null $1/etc/secret && echo forged >$1/etc/secret", &[&text(&root)]);
    works_without("a proof of the null device", fs::read_to_string(&marker).unwrap() == "forged\n", done);

    let done = naive_shell(
        "mount -t tmpfs tmpfs $1/proc && mkdir -p $1/proc/self/attr && ln -s $2 $1/proc/self/attr/exec && \
         echo 'exec profile' >$1/proc/self/attr/exec",
        &[&text(&root), &marker],
    );
    works_without("a proof of procfs", fs::read_to_string(&marker).unwrap() == "exec profile\n", done);
}
