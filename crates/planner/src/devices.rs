use crate::{Draft, Error, mounts};
use plan::{Errno, Follow, MountPoint, Op, Target, TreeSource};
use spec::DeviceKind;
use std::path::{Path, PathBuf};

/// The devices that every container has (config-linux.md, "Default Devices").
const DEFAULT: [(&str, u32, u32); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

/// The links that every container has (config-linux.md, "Default Devices" and proc(5)).
const LINKS: [(&str, &str); 6] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/core", "/proc/kcore"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// A device to be made.
struct Node {
    path: PathBuf,
    kind: DeviceKind,
    number: (u32, u32),
    mode: u32,
    owner: (u32, u32),
    field: String,
}

fn nodes(draft: &Draft) -> Result<Vec<Node>, Error> {
    let mut nodes: Vec<Node> = DEFAULT
        .into_iter()
        .map(|(path, major, minor)| Node {
            path: path.into(),
            kind: DeviceKind::Char,
            number: (major, minor),
            mode: 0o666,
            owner: (0, 0),
            field: "default".to_owned(),
        })
        .collect();
    for (index, device) in draft.linux.devices.iter().enumerate() {
        let field = format!("/linux/devices/{index}");
        let path = mounts::inside(&device.path).ok_or_else(|| {
            let message = format!("{} is no path of a device", device.path.display());
            Error::new(format!("{field}/path"), message, "give an absolute path without \"..\"")
        })?;
        let number = match (device.kind, device.major, device.minor) {
            (DeviceKind::Fifo, ..) => (0, 0),
            (_, Some(major), Some(minor)) => (major, minor),
            _ => {
                let hint = "only a fifo has no numbers";
                return Err(Error::new(field, "a device without major and minor number", hint));
            }
        };
        // The configuration's own word on a default device wins.
        nodes.retain(|node| node.path != path);
        nodes.push(Node {
            path,
            kind: device.kind,
            number,
            mode: device.file_mode.unwrap_or(0o666) & 0o7777,
            owner: (device.uid.unwrap_or(0), device.gid.unwrap_or(0)),
            field,
        });
    }
    Ok(nodes)
}

/// In a user namespace: opens the machine's own nodes, which are bound in place of made.
pub(crate) fn sources(draft: &mut Draft) -> Result<(), Error> {
    if mounts::binds_over(draft, "/dev") || !mounts::binds_devices(draft) {
        return Ok(());
    }
    for node in nodes(draft)? {
        let slot = draft.new_mount();
        draft.devices.push(slot);
        let op = Op::CloneTree { source: TreeSource::Path(node.path), recursive: false, slot };
        draft.host(op, node.field, "mknod(2) is not for user namespaces; the machine's own node is shown");
    }
    Ok(())
}

/// Makes the device nodes and links. A `/dev` that is bound from the machine stays as it is.
pub(crate) fn make(draft: &mut Draft) -> Result<(), Error> {
    if mounts::binds_over(draft, "/dev") {
        return Ok(());
    }
    let bound = std::mem::take(&mut draft.devices);
    for (n, node) in nodes(draft)?.into_iter().enumerate() {
        let Node { path, kind, number: (major, minor), mode, owner: (uid, gid), field } = node;
        if let Some(slot) = bound.get(n) {
            let target = Target::Inside { path, follow: Follow::Never, missing: MountPoint::File };
            draft.init(Op::Attach { slot: *slot, target }, field, "the machine's own node");
        } else {
            let op = Op::MakeDevice { path, kind, major, minor, mode, uid, gid };
            draft.init(op, field, "a program expects it; which devices work is for the devices cgroup");
        }
    }
    for (path, target) in LINKS {
        let path = Path::new(path).to_owned();
        let op = Op::MakeSymlink { target: target.to_owned(), path };
        let cause = plan::Cause::new("default", "a program expects it");
        draft.plan.init.push_tolerant(op, cause, &[Errno::EEXIST]);
    }
    Ok(())
}
