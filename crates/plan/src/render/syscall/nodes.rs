//! Files without content: directories, devices, links.

use super::{Call, call, relative};
use crate::{Op, Slot};
use spec::DeviceKind;
use std::path::Path;

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::MakeDirectory { path, mode } => {
            vec![call("mkdirat", format!("{}, {:?}, 0{mode:o}", Slot::Root, relative(path)))]
        }
        Op::MakeDevice { within, path, kind, major, minor, mode, uid, gid } => {
            device(*within, path, *kind, (*major, *minor), *mode, (*uid, *gid))
        }
        Op::MakeSymlink { target, path } => {
            vec![call("symlinkat", format!("{target:?}, {}, {:?}", Slot::Root, relative(path)))]
        }
        _ => unreachable!("not about nodes"),
    }
}

fn device(
    within: Slot,
    path: &Path,
    kind: DeviceKind,
    number: (u32, u32),
    mode: u32,
    owner: (u32, u32),
) -> Vec<Call> {
    let node = relative(path);
    let (letter, number) = match kind {
        DeviceKind::Block => ("S_IFBLK", format!("makedev({}, {})", number.0, number.1)),
        DeviceKind::Char | DeviceKind::Unbuffered => {
            ("S_IFCHR", format!("makedev({}, {})", number.0, number.1))
        }
        DeviceKind::Fifo => ("S_IFIFO", "0".to_owned()),
    };
    let mut calls = vec![call("mknodat", format!("{within}, {node:?}, {letter}|0{mode:o}, {number}"))];
    if within != Slot::Root {
        calls.push(call("fchownat", format!("{within}, {node:?}, {}, {}, 0", owner.0, owner.1)));
        calls.push(call("fchmodat", format!("{within}, {node:?}, 0{mode:o}")));
    } else if owner != (0, 0) {
        calls.push(call(
            "fchownat",
            format!("{within}, {node:?}, {}, {}, AT_SYMLINK_NOFOLLOW", owner.0, owner.1),
        ));
    }
    calls
}
