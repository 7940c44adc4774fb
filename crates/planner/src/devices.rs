use crate::mount_namespace::Whose;
use crate::{Draft, Error, mounts};
use plan::{Attr, Cause, Errno, Follow, MountPoint, Op, Propagation, Slot, Target, TreeSource};
use spec::{Capability, DeviceKind, IdMapping};
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
            field: DEFAULT_FIELD.to_owned(),
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

/// How a node comes into a container that has a user namespace: mknod(2) is not for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// init makes it: there is no user namespace, or it is a fifo, which anybody may make.
    Made,
    /// The machine's own node is bound.
    Bound,
    /// The host makes one with the mode and the owner asked for, in a file system of its own, and that is bound.
    MadeOutside,
}

fn way(draft: &Draft, node: &Node) -> Way {
    let default = node.field == DEFAULT_FIELD;
    let ids = !draft.linux.uid_mappings.is_empty() && !draft.linux.gid_mappings.is_empty();
    if node.kind == DeviceKind::Fifo || !mounts::binds_devices(draft) {
        Way::Made
    } else if !default && ids && draft.host_opens_sources() && may_make_nodes(draft) {
        Way::MadeOutside
    } else {
        Way::Bound
    }
}

/// mknod(2) asks for the capability in the initial user namespace.
fn may_make_nodes(draft: &Draft) -> bool {
    draft.facts.capabilities.contains(Capability::MKNOD) && !draft.facts.in_user_namespace()
}

const DEFAULT_FIELD: &str = "default";

/// Where the file system with made nodes is, for as long as it takes to copy the mounts of each.
const PLACE: &str = "/dev";

const MAPPED_NODES: &str = "mknod(2) is not for user namespaces; the node is made outside and shown";

/// In a user namespace: opens the nodes that are bound, or makes them in the host's script.
pub(crate) fn sources(draft: &mut Draft) -> Result<(), Error> {
    let taken = mounts::binds_over(draft, "/dev") || draft.namespaces.mounts() == Whose::Joined;
    if taken || !mounts::binds_devices(draft) {
        return Ok(());
    }
    for node in nodes(draft)? {
        match way(draft, &node) {
            Way::Made => {}
            Way::Bound => {
                let slot = draft.new_mount();
                draft.carried.devices.push(slot);
                let op = Op::CloneTree { source: TreeSource::Path(node.path), recursive: false, slot };
                let field = node.field;
                let why = "mknod(2) is not for user namespaces; the machine's own node is shown";
                draft.sources().push(op, Cause::new(field.clone(), why));
                let why = "a node is neither a program nor a way to its owner";
                draft.sources().push(harmless(slot), Cause::new(field, why));
            }
            Way::MadeOutside => make_outside(draft, node)?,
        }
    }
    Ok(())
}

fn harmless(slot: Slot) -> Op {
    let set = Attr::NOSUID.with(Attr::NOEXEC);
    Op::SetAttr { slot, recursive: false, set, clear: Attr::NONE, propagation: Some(Propagation::Private) }
}

fn make_outside(draft: &mut Draft, node: Node) -> Result<(), Error> {
    let Node { kind, number: (major, minor), mode, owner, field, .. } = node;
    let uid = mapped(&draft.linux.uid_mappings, owner.0, &field, "uid")?;
    let gid = mapped(&draft.linux.gid_mappings, owner.1, &field, "gid")?;
    let within = match draft.carried.made_devices.first() {
        Some((slot, ..)) => *slot,
        None => {
            let slot = draft.new_mount();
            let (fstype, source) = ("tmpfs".to_owned(), Some("tmpfs".to_owned()));
            let options = vec![("mode".to_owned(), Some("755".to_owned()))];
            let attr = Attr::NOSUID.with(Attr::NOEXEC);
            draft.host(Op::NewMount { fstype, source, options, attr, slot }, field.clone(), MAPPED_NODES);
            slot
        }
    };
    let name = draft.carried.made_devices.len().to_string();
    let op = Op::MakeDevice { within, path: Path::new("/").join(&name), kind, major, minor, mode, uid, gid };
    draft.host(op, field.clone(), MAPPED_NODES);
    draft.carried.made_devices.push((within, name, field));
    Ok(())
}

/// The id that an id of the container has on the machine.
pub(crate) fn mapped(mappings: &[IdMapping], id: u32, field: &str, name: &str) -> Result<u32, Error> {
    let range =
        mappings.iter().find(|range| range.container_id <= id && id - range.container_id < range.size);
    range.map(|range| range.host_id + (id - range.container_id)).ok_or_else(|| {
        let message = format!("{id} has no id on the machine");
        Error::new(format!("{field}/{name}"), message, "extend uidMappings and gidMappings")
    })
}

/// Makes the device nodes and links. A `/dev` that is bound from the machine stays as it is, and so does that of a
/// mount namespace of others.
pub(crate) fn make(draft: &mut Draft) -> Result<(), Error> {
    if mounts::binds_over(draft, "/dev") || draft.namespaces.mounts() == Whose::Joined {
        return Ok(());
    }
    let mut bound = std::mem::take(&mut draft.carried.devices).into_iter();
    let mut outside = copy_made(draft).into_iter();
    for node in nodes(draft)? {
        let slot = match way(draft, &node) {
            Way::Made => None,
            Way::Bound => bound.next(),
            Way::MadeOutside => outside.next(),
        };
        let Node { path, kind, number: (major, minor), mode, owner: (uid, gid), field } = node;
        if let Some(slot) = slot {
            let target = Target::Inside { path, follow: Follow::Never, missing: MountPoint::File };
            draft.init(
                Op::Attach { slot, target },
                field,
                "the node of the machine, or the one made outside",
            );
        } else {
            let op = Op::MakeDevice { within: Slot::Root, path, kind, major, minor, mode, uid, gid };
            draft.init(op, field, "a program expects it; which devices work is for the devices cgroup");
        }
    }
    for (path, target) in LINKS {
        let path = Path::new(path).to_owned();
        let op = Op::MakeSymlink { target: target.to_owned(), path };
        let cause = Cause::new("default", "a program expects it");
        draft.plan.init.push_tolerant(op, cause, &[Errno::EEXIST]);
    }
    Ok(())
}

/// Copies the mounts of the nodes that were made outside: each has to be attached somewhere first, and nobody
/// else is in init's mount namespace.
fn copy_made(draft: &mut Draft) -> Vec<Slot> {
    let made = std::mem::take(&mut draft.carried.made_devices);
    let Some((within, _, field)) = made.first().cloned() else { return Vec::new() };
    let target = Target::Host(PLACE.into());
    let why = "only what has a place can be copied, before Linux 6.15; nobody else sees this one";
    draft.init(Op::Attach { slot: within, target }, field.clone(), why);
    let mut slots = Vec::new();
    for (_, name, field) in made {
        let slot = draft.new_mount();
        let source = TreeSource::Path(Path::new(PLACE).join(name));
        draft.init(Op::CloneTree { source, recursive: false, slot }, field, "the mount of this node alone");
        slots.push(slot);
    }
    draft.init(Op::Detach { place: PLACE.into() }, field, "the copies stay");
    slots
}
