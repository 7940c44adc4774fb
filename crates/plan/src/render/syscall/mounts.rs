//! Mounts: made, changed, attached.

use super::{Call, call, gives, relative};
use crate::{Attr, Follow, MountPoint, Op, Propagation, Slot, Target, TreeSource};
use std::path::Path;

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::OpenRoot { directory } => {
            vec![gives(
                "openat",
                format!("AT_FDCWD, {directory:?}, O_PATH|O_DIRECTORY|O_CLOEXEC"),
                Slot::Root,
            )]
        }
        Op::OpenTargetRoot { pid } => {
            let path = format!("{pid}/root");
            vec![
                gives(
                    "openat",
                    format!("{}, {path:?}, O_PATH|O_DIRECTORY|O_CLOEXEC", Slot::Proc),
                    Slot::Root,
                ),
                call("pidfd_send_signal", format!("{}, 0, NULL, 0", Slot::Target)),
            ]
        }
        Op::NoteMount { slot, file } => vec![
            call("statx", format!("{slot}, \"\", AT_EMPTY_PATH, STATX_MNT_ID_UNIQUE|STATX_INO, $identity")),
            gives("openat", format!("AT_FDCWD, {file:?}, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666"), "$file"),
            call("write", "$file, $identity"),
        ],
        Op::SetPropagation { recursive, propagation } => {
            let flags = if *recursive { "AT_RECURSIVE" } else { "0" };
            vec![call(
                "mount_setattr",
                format!(
                    "AT_FDCWD, \"/\", {flags}, {{attr_set=0, attr_clr=0, propagation={}, userns_fd=0}}, 32",
                    propagation.name()
                ),
            )]
        }
        Op::NewMount { fstype, source, options, attr, slot } => {
            new_mount(fstype, source.as_deref(), options, *attr, *slot)
        }
        Op::MakeDirectories { slot, names } => {
            names.iter().map(|name| call("mkdirat", format!("{slot}, {name:?}, 0755"))).collect()
        }
        Op::CloneTree { source: TreeSource::Path(path), recursive, slot } => {
            vec![open_tree(&format!("AT_FDCWD, {path:?}"), *recursive, slot)]
        }
        Op::CloneTree { source: TreeSource::Inside(path), recursive, slot } => {
            vec![open_inside(path, Follow::InRoot, "$source"), open_tree_at("$source", *recursive, slot)]
        }
        Op::CloneTree { source: TreeSource::Slot(from), recursive, slot } => {
            vec![open_tree_at(&from.to_string(), *recursive, slot)]
        }
        Op::OpenNull => vec![
            gives("openat", "AT_FDCWD, \"/dev/null\", O_PATH|O_CLOEXEC", Slot::Null),
            call("fstat", format!("{}, {{st_mode=S_IFCHR, st_rdev=makedev(1, 3)}}", Slot::Null)),
        ],
        Op::SetAttr { slot, recursive, set, clear, propagation } => {
            vec![setattr(&slot.to_string(), *recursive, *set, *clear, *propagation)]
        }
        Op::SetIdMap { slot, map, recursive } => vec![call(
            "mount_setattr",
            format!(
                "{slot}, \"\", AT_EMPTY_PATH{}, {{attr_set=MOUNT_ATTR_IDMAP, attr_clr=0, propagation=0 /* MS_??? */, userns_fd={map}}}, 32",
                if *recursive { "|AT_RECURSIVE" } else { "" }
            ),
        )],
        Op::CopyMode { .. }
        | Op::CopyUp { .. }
        | Op::SetLabel { .. }
        | Op::Reconfigure { .. }
        | Op::ChangeMount { .. } => contents(op),
        Op::Attach { slot, target } => attach(*slot, target),
        Op::Detach { place } => vec![call("umount2", format!("{place:?}, MNT_DETACH|UMOUNT_NOFOLLOW"))],
        Op::Mask { path } => vec![
            open_inside(path, Follow::InRoot, "$target"),
            gives(
                "open_tree",
                "$null, or $empty once it is attached, \"\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH",
                "$mask",
            ),
            move_mount("$mask", "$target"),
        ],
        Op::MakeReadOnly { path } => vec![
            open_inside(path, Follow::InRoot, "$target"),
            gives(
                "open_tree",
                "$target, \"\", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_EMPTY_PATH|AT_RECURSIVE",
                "$tree",
            ),
            setattr("$tree", true, Attr::RDONLY, Attr::NONE, None),
            move_mount("$tree", "$target"),
        ],
        Op::MakeRootReadOnly => vec![setattr(&Slot::Root.to_string(), false, Attr::RDONLY, Attr::NONE, None)],
        Op::PivotRoot => vec![
            call("fchdir", Slot::Root.to_string()),
            call("pivot_root", "\".\", \".\""),
            call("umount2", "\".\", MNT_DETACH"),
            call("chdir", "\"/\""),
        ],
        Op::MoveRoot => {
            let over = format!("{}, \"\", AT_FDCWD, \"/\", MOVE_MOUNT_F_EMPTY_PATH", Slot::Root);
            [vec![call("move_mount", over)], change_root()].concat()
        }
        Op::Chroot => change_root(),
        _ => unreachable!("not about mounts"),
    }
}

fn change_root() -> Vec<Call> {
    vec![call("fchdir", Slot::Root.to_string()), call("chroot", "\".\""), call("chdir", "\"/\"")]
}

/// Changes of a file system's content, and of mounts that have a place.
fn contents(op: &Op) -> Vec<Call> {
    match op {
        Op::CopyMode { slot, path } => vec![
            open_inside(path, Follow::InRoot, "$covered"),
            call("fstat", "$covered, {st_mode=$mode}"),
            gives("openat", format!("{slot}, \".\", O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$top"),
            call("fchmod", "$top, $mode"),
        ],
        Op::CopyUp { slot, path, .. } => vec![
            open_inside(path, Follow::InRoot, "$covered"),
            gives("openat", format!("{slot}, \".\", O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$top"),
            call("sendfile", "each file of $top, the same of $covered, NULL, all of it"),
        ],
        Op::SetLabel { slot, label } => vec![
            gives("openat", format!("{slot}, \".\", O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$top"),
            call("fsetxattr", format!("$top, \"security.selinux\", {label:?}, {}, 0", label.len())),
        ],
        Op::Reconfigure { path, options } => {
            let mut calls = vec![
                open_inside(path, Follow::InRoot, "$target"),
                gives("fspick", "$target, \"\", FSPICK_CLOEXEC|FSPICK_EMPTY_PATH", "$fs"),
            ];
            calls.extend(options.iter().map(|(key, value)| set_option(key, value.as_deref())));
            calls.push(call("fsconfig", "$fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0"));
            calls
        }
        Op::ChangeMount { path, recursive, set, clear, propagation } => vec![
            open_inside(path, Follow::InRoot, "$target"),
            setattr("$target", *recursive, *set, *clear, *propagation),
        ],
        _ => unreachable!("not about what is there"),
    }
}

/// One option of a file system that is made or changed.
fn set_option(key: &str, value: Option<&str>) -> Call {
    call(
        "fsconfig",
        match value {
            Some(value) => format!("$fs, FSCONFIG_SET_STRING, {key:?}, {value:?}, 0"),
            None => format!("$fs, FSCONFIG_SET_FLAG, {key:?}, NULL, 0"),
        },
    )
}

fn new_mount(
    fstype: &str,
    source: Option<&str>,
    options: &[(String, Option<String>)],
    attr: Attr,
    slot: Slot,
) -> Vec<Call> {
    let mut calls = vec![gives("fsopen", format!("{fstype:?}, FSOPEN_CLOEXEC"), "$fs")];
    if let Some(source) = source {
        calls.push(call("fsconfig", format!("$fs, FSCONFIG_SET_STRING, \"source\", {source:?}, 0")));
    }
    calls.extend(options.iter().map(|(key, value)| set_option(key, value.as_deref())));
    calls.push(call("fsconfig", "$fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0"));
    calls.push(gives("fsmount", format!("$fs, FSMOUNT_CLOEXEC, {attr}"), slot));
    calls
}

fn attach(slot: Slot, target: &Target) -> Vec<Call> {
    match target {
        Target::Host(path) => {
            vec![call(
                "move_mount",
                format!("{slot}, \"\", AT_FDCWD, {path:?}, MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_SYMLINKS"),
            )]
        }
        Target::Inside { path, follow, missing } => {
            let made = match missing {
                MountPoint::Directory => "a directory is made where there is none",
                MountPoint::File => "a file is made where there is none",
                MountPoint::Same => "a directory or file is made where there is none",
            };
            let mut open = open_inside(path, *follow, "$target");
            open.result = Some(format!("$target  # {made}"));
            vec![open, move_mount(&slot.to_string(), "$target")]
        }
    }
}

fn open_inside(path: &Path, follow: Follow, name: &str) -> Call {
    let resolve = match follow {
        Follow::InRoot => "RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT",
        Follow::Never => "RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_IN_ROOT",
    };
    let path = relative(path);
    gives("openat2", format!("{}, {path:?}, {{flags=O_PATH|O_CLOEXEC, resolve={resolve}}}", Slot::Root), name)
}

fn move_mount(slot: &str, target: &str) -> Call {
    call(
        "move_mount",
        format!("{slot}, \"\", {target}, \"\", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH"),
    )
}

fn setattr(slot: &str, recursive: bool, set: Attr, clear: Attr, propagation: Option<Propagation>) -> Call {
    let flags = if recursive { "AT_EMPTY_PATH|AT_RECURSIVE" } else { "AT_EMPTY_PATH" };
    let propagation = propagation.map_or("0 /* MS_??? */", Propagation::name);
    call(
        "mount_setattr",
        format!(
            "{slot}, \"\", {flags}, {{attr_set={set}, attr_clr={clear}, propagation={propagation}, userns_fd=0}}, 32"
        ),
    )
}

/// A tree that begins at a descriptor.
fn open_tree_at(descriptor: &str, recursive: bool, result: impl ToString) -> Call {
    let mut made = open_tree(&format!("{descriptor}, \"\""), recursive, result);
    made.args = made.args.replace("OPEN_TREE_CLOEXEC", "OPEN_TREE_CLOEXEC|AT_EMPTY_PATH");
    made
}

fn open_tree(source: &str, recursive: bool, result: impl ToString) -> Call {
    let recursive = if recursive { "|AT_RECURSIVE" } else { "" };
    gives("open_tree", format!("{source}, OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC{recursive}"), result)
}
