//! Mounts and devices.

use crate::support::refusal::Bad;
use serde_json::{Value, json};

fn add_mount(config: &mut Value, mount: Value) {
    config["mounts"].as_array_mut().expect("the standard configuration has mounts").push(mount);
}

pub(crate) const MOUNTS: &[Bad] = &[
    (
        |c| add_mount(c, json!({ "destination": "", "type": "tmpfs", "source": "x" })),
        "/mounts/7/destination: a mount without a destination\n  say where it shall appear",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/", "type": "tmpfs", "source": "x", "options": ["tmpcopyup"] }),
            )
        },
        "/mounts/7/destination: this cannot be done to the root itself\n  root.readonly makes the root read-only",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/../proc/x", "type": "tmpfs", "source": "x" })),
        "/mounts/7/destination: a mount on /proc/x would let the container forge /proc\n  mount it somewhere else",
    ),
    (
        |c| add_mount(c, json!({ "type": "tmpfs", "source": "x" })),
        "BUNDLE/config.json: /mounts/7: missing field `destination` at line L column C",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp", "type": "bind" })),
        "/mounts/7/source: a bind mount without a source\n  name the file or directory of the machine that shall appear there",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp", "type": "bind", "source": "/no/such" })),
        "copy the mount of /no/such: no such file or directory (step S of N, from /mounts/7)\n  the path does not exist on the machine; create it, or correct the source",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/tmp", "type": "bind", "source": "/tmp", "options": ["subvol=x"] }),
            )
        },
        "/mounts/7/options: \"subvol\" is no option of a bind mount\n  mount(8) lists the options",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp" })),
        "/mounts/7/type: neither a type nor a bind mount\n  give a file system of /proc/filesystems, or the option bind",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp", "type": "moofs", "source": "x" })),
        "make a new moofs file system of x: no such device (step S of N, from /mounts/7)\n  the kernel has no such file system; /proc/filesystems has the list",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/tmp", "type": "tmpfs", "source": "x", "options": ["moo=1"] }),
            )
        },
        "make a new tmpfs file system of x: invalid argument (the kernel says: tmpfs: Unknown parameter 'moo') (step S of N, from /mounts/7)\n  the file system refuses one of the options",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/tmp", "type": "tmpfs", "source": "x", "options": ["size=moo"] }),
            )
        },
        "make a new tmpfs file system of x: invalid argument (the kernel says: tmpfs: Bad value for 'size') (step S of N, from /mounts/7)\n  the file system refuses one of the options",
    ),
    (
        |c| {
            add_mount(
                c,
                json!({ "destination": "/tmp", "type": "bind", "source": "/tmp", "options": ["idmap"] }),
            )
        },
        "/mounts/7/options: an idmapped mount without mappings\n  give uidMappings and gidMappings, or the container a user namespace",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/proc/sys", "type": "tmpfs", "source": "x" })),
        "/mounts/7/destination: a mount on /proc/sys would let the container forge /proc\n  mount it somewhere else",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/bin/probe", "type": "bind", "source": "/tmp" })),
        "mount /tmp on /bin/probe of the container: there is a file at that path, or on the way to it (step S of N, from /mounts/7)\n  choose another path, or remove the file from the root file system",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/tmp", "type": "bind", "source": "/etc/passwd" })),
        "mount /etc/passwd on /tmp of the container: the source is a file, and there is a directory at that path (step S of N, from /mounts/7)\n  mount a directory there, or name a path for the file in that directory",
    ),
    (
        |c| add_mount(c, json!({ "destination": "/bin/probe/x", "type": "tmpfs", "source": "x" })),
        "mount tmpfs on /bin/probe/x of the container: there is a file at that path, or on the way to it (step S of N, from /mounts/7)\n  choose another path, or remove the file from the root file system",
    ),
    (
        |c| c["linux"]["devices"] = json!([{ "path": "/../x", "type": "c", "major": 1, "minor": 1 }]),
        "/linux/devices/0/path: /../x is no path of a device\n  give an absolute path without \"..\"",
    ),
    (
        |c| c["linux"]["devices"] = json!([{ "path": "/dev/x", "type": "c" }]),
        "/linux/devices/0: a device without major and minor number\n  only a fifo has no numbers",
    ),
    (
        |c| c["linux"]["devices"] = json!([{ "path": "/dev/x", "type": "x", "major": 1, "minor": 1 }]),
        "BUNDLE/config.json: /linux/devices/0/type: unknown variant `x`, expected one of `b`, `c`, `u`, `p` at line L column C",
    ),
    (
        |c| c["linux"]["devices"] = json!([{ "path": "/bin/probe", "type": "c", "major": 1, "minor": 1 }]),
        "make device /bin/probe: something else is there already (step S of N, from /linux/devices/0)",
    ),
];
