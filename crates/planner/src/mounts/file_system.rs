use super::bind;
use super::entry::Entry;
use crate::{Draft, namespaces};
use plan::{Attr, MountPoint, Op, Slot};

/// Makes a new file system and attaches it.
pub(super) fn make(draft: &mut Draft, entry: &Entry) {
    if entry.fstype == "sysfs" {
        namespaces::network(draft);
    }
    let slot = draft.new_mount();
    let wanted = entry.options.recursive.then(entry.options.own).set;
    // What is below it may have mount points and devices made in it first.
    let late = wanted.contains(Attr::RDONLY) && entry.fstype == "tmpfs";
    let attr = if late { wanted.without(Attr::RDONLY) } else { wanted };
    let op = Op::NewMount {
        fstype: entry.fstype.clone(),
        source: entry.source.as_ref().map(|source| source.to_string_lossy().into_owned()),
        options: options(draft, entry, attr),
        attr,
        slot,
    };
    draft.plan.init.push(op, entry.cause(why(&entry.fstype)));
    if let Some(op) = bind::set_id_map(draft, entry, slot) {
        draft.plan.init.push(op, entry.cause("as long as nobody can see it, owners can be mapped"));
    }
    begin(draft, entry, slot);
    if let Some((propagation, recursive)) = entry.options.propagation {
        let (set, clear) = (Attr::NONE, Attr::NONE);
        let op = Op::SetAttr { slot, recursive, set, clear, propagation: Some(propagation) };
        draft.plan.init.push(op, entry.cause("a new mount is private; this was asked for"));
    }
    let op = Op::Attach { slot, target: entry.target(MountPoint::Directory) };
    draft.plan.init.push(op, entry.cause("by descriptor: no path is resolved twice (CVE-2021-30465)"));
    if late {
        draft.carried.late.push((slot, entry.field.clone()));
    }
}

/// The options of the file system, as fsconfig(2) takes them.
fn options(draft: &Draft, entry: &Entry, attr: Attr) -> Vec<(String, Option<String>)> {
    let flag = |name: &str| (name.to_owned(), None);
    let mut options: Vec<_> = entry.options.superblock.iter().map(|name| flag(name)).collect();
    if attr.contains(Attr::RDONLY) && has_device(&entry.fstype) {
        options.push(flag("ro"));
    }
    options.extend(label(draft).filter(|_| takes_label(&entry.fstype)));
    options.extend(entry.options.data.iter().cloned());
    options
}

/// Whether a read-only mount must not write below itself, either: a disk may be read-only. The kernel's own
/// file systems are shared with other mounts, which would be read-only, too.
fn has_device(fstype: &str) -> bool {
    const KERNEL: [&str; 12] = [
        "bpf",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "mqueue",
        "proc",
        "securityfs",
        "sysfs",
        "tmpfs",
        "tracefs",
    ];
    !KERNEL.contains(&fstype)
}

/// The kernel labels the files of proc and sysfs by itself, and a message queue's top directory is labelled
/// after it was made.
fn takes_label(fstype: &str) -> bool {
    !matches!(fstype, "proc" | "sysfs" | "mqueue")
}

/// The option that labels all files of a file system for SELinux (config-linux.md, "Mount Label"), where that
/// is on.
pub(crate) fn label(draft: &Draft) -> Option<(String, Option<String>)> {
    let label = draft.linux.mount_label.clone().filter(|label| !label.is_empty() && draft.facts.selinux);
    label.map(|label| ("context".to_owned(), Some(label)))
}

/// What a new file system begins with, where that depends on what it will cover.
fn begin(draft: &mut Draft, entry: &Entry, slot: Slot) {
    let path = entry.destination.clone();
    let keeps_mode = entry.options.data.iter().any(|(key, _)| key == "mode");
    if entry.options.copy_up {
        let why = "the file system begins with what the image has there";
        draft.plan.init.push(Op::CopyUp { slot, path, keeps_mode }, entry.cause(why));
    } else if entry.fstype == "tmpfs" && !keeps_mode && !entry.is_top() {
        let why = "who may enter is for the image to say, unless mode= does";
        draft.plan.init.push(Op::CopyMode { slot, path }, entry.cause(why));
    }
    if let Some((_, Some(label))) = label(draft).filter(|_| entry.fstype == "mqueue") {
        let op = Op::SetLabel { slot, label };
        draft.plan.init.push(op, entry.cause("it takes no label as an option"));
    }
}

fn why(fstype: &str) -> &'static str {
    match fstype {
        "proc" => "shows the processes of the pid namespace that it is made in",
        "sysfs" => "shows the devices of the network namespace that it is made in",
        "devpts" => "pseudo terminals of the container's own",
        "mqueue" => "message queues of the ipc namespace that it is made in",
        "tmpfs" => "memory, gone with the container",
        _ => "a new file system, not seen until it has a place",
    }
}

/// Changes what is mounted at the destination already. As with mount(8), what is not named stays.
pub(super) fn remount(draft: &mut Draft, entry: &Entry) {
    let path = entry.destination.clone();
    let flags = entry.options.superblock.iter().map(|name| ((*name).to_owned(), None));
    let options: Vec<_> = flags.chain(entry.options.data.iter().cloned()).collect();
    if entry.options.bind.is_none() && !options.is_empty() {
        let op = Op::Reconfigure { path: path.clone(), options };
        draft.plan.init.push(op, entry.cause("options of the file system, which all its mounts share"));
    }
    let own = (entry.options.own, entry.options.propagation.filter(|(_, recursive)| !recursive), false);
    let all = (entry.options.recursive, entry.options.propagation.filter(|(_, recursive)| *recursive), true);
    for (change, propagation, recursive) in [all, own] {
        if change.is_empty() && propagation.is_none() {
            continue;
        }
        let propagation = propagation.map(|(propagation, _)| propagation);
        let op = Op::ChangeMount {
            path: path.clone(),
            recursive,
            set: change.set,
            clear: change.clear,
            propagation,
        };
        draft.plan.init.push(op, entry.cause("the mount that is there is changed, none is made"));
    }
}

/// Makes read-only what had to be written until now.
pub(crate) fn finish(draft: &mut Draft) {
    for (slot, field) in std::mem::take(&mut draft.carried.late) {
        let (set, clear) = (Attr::RDONLY, Attr::NONE);
        let op = Op::SetAttr { slot, recursive: false, set, clear, propagation: None };
        draft.init(op, field, "mount points and devices in it are made, nothing has to be written now");
    }
}
