//! Attempts to change mounts.

use std::ffi::CString;

use lexopt::Error;
use rustix::mount::{
    MountFlags, MountPropagationFlags, mount_bind, mount_bind_recursive, mount_change, mount_remount,
};
use serde_json::Value;

use super::{Outcome, flags};

/// What a word among the flags means: a bit, or another operation of mount(2).
#[derive(Clone, Copy)]
enum Flag {
    Bit(MountFlags),
    Bind,
    Recursive,
    Propagation(MountPropagationFlags),
}

const TABLE: [(&str, Flag); 15] = [
    ("ro", Flag::Bit(MountFlags::RDONLY)),
    ("nosuid", Flag::Bit(MountFlags::NOSUID)),
    ("nodev", Flag::Bit(MountFlags::NODEV)),
    ("noexec", Flag::Bit(MountFlags::NOEXEC)),
    ("noatime", Flag::Bit(MountFlags::NOATIME)),
    ("nodiratime", Flag::Bit(MountFlags::NODIRATIME)),
    ("relatime", Flag::Bit(MountFlags::RELATIME)),
    ("strictatime", Flag::Bit(MountFlags::STRICTATIME)),
    ("sync", Flag::Bit(MountFlags::SYNCHRONOUS)),
    ("bind", Flag::Bind),
    ("rec", Flag::Recursive),
    ("private", Flag::Propagation(MountPropagationFlags::PRIVATE)),
    ("slave", Flag::Propagation(MountPropagationFlags::DOWNSTREAM)),
    ("shared", Flag::Propagation(MountPropagationFlags::SHARED)),
    ("unbindable", Flag::Propagation(MountPropagationFlags::UNBINDABLE)),
];

#[derive(Default)]
struct Parsed {
    bits: Option<MountFlags>,
    bind: bool,
    recursive: bool,
    propagation: Option<MountPropagationFlags>,
}

impl Parsed {
    fn new(names: &str) -> Result<Parsed, Error> {
        let mut parsed = Parsed::default();
        flags(names, &TABLE, |flag| match flag {
            Flag::Bit(bit) => *parsed.bits.get_or_insert(MountFlags::empty()) |= bit,
            Flag::Bind => parsed.bind = true,
            Flag::Recursive => parsed.recursive = true,
            Flag::Propagation(kind) => parsed.propagation = Some(kind),
        })?;
        Ok(parsed)
    }

    fn bits(&self) -> MountFlags {
        self.bits.unwrap_or(MountFlags::empty())
    }
}

/// mount(2): a new file system, a bind mount, or a change of propagation, as the flags say.
pub fn mount(source: &str, target: &str, fstype: &str, names: &str, data: &str) -> Result<Outcome, Error> {
    let parsed = Parsed::new(names)?;
    let data = CString::new(data).map_err(|_| "NUL in the data".to_owned())?;
    let done = match parsed {
        Parsed { propagation: Some(kind), recursive, .. } => {
            let recursive =
                if recursive { MountPropagationFlags::REC } else { MountPropagationFlags::empty() };
            mount_change(target, kind | recursive)
        }
        Parsed { bind: true, recursive: true, .. } => mount_bind_recursive(source, target),
        Parsed { bind: true, .. } => mount_bind(source, target),
        _ => rustix::mount::mount(source, target, fstype, parsed.bits(), data.as_c_str()),
    };
    Ok(done.map(|()| Value::Null).map_err(Into::into))
}

/// mount(2) with MS_REMOUNT; with `bind` only the mount changes and not its file system.
pub fn remount(target: &str, names: &str) -> Result<Outcome, Error> {
    let parsed = Parsed::new(names)?;
    let bind = if parsed.bind { MountFlags::BIND } else { MountFlags::empty() };
    Ok(mount_remount(target, parsed.bits() | bind, "").map(|()| Value::Null).map_err(Into::into))
}
