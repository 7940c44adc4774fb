//! Rights of Landlock, by the bits of `linux/landlock.h`.

use serde::Serialize;
use std::path::PathBuf;

/// A right: its name, as in the kernel's header without prefix, and the version of Landlock that has it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// In small letters.
    pub name: &'static str,
    /// The ABI, from landlock(7).
    pub since: u32,
}

const fn right(name: &'static str, since: u32) -> Right {
    Right { name, since }
}

/// A kind of right; its rights are those of bits 0, 1 and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What the names of the kernel begin with.
    pub prefix: &'static str,
    /// The rights, in the order of their bits.
    pub rights: &'static [Right],
}

/// To files.
pub const FS: Kind = Kind {
    prefix: "LANDLOCK_ACCESS_FS_",
    rights: &[
        right("execute", 1),
        right("write_file", 1),
        right("read_file", 1),
        right("read_dir", 1),
        right("remove_dir", 1),
        right("remove_file", 1),
        right("make_char", 1),
        right("make_dir", 1),
        right("make_reg", 1),
        right("make_sock", 1),
        right("make_fifo", 1),
        right("make_block", 1),
        right("make_sym", 1),
        right("refer", 2),
        right("truncate", 3),
        right("ioctl_dev", 5),
    ],
};

/// To TCP ports.
pub const NET: Kind =
    Kind { prefix: "LANDLOCK_ACCESS_NET_", rights: &[right("bind_tcp", 4), right("connect_tcp", 4)] };

/// To processes outside.
pub const SCOPE: Kind =
    Kind { prefix: "LANDLOCK_SCOPE_", rights: &[right("abstract_unix_socket", 6), right("signal", 6)] };

/// What a file that is no directory can have: `execute`, `write_file`, `read_file`, `truncate`, `ioctl_dev`.
pub const OF_FILES: u64 = 1 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15;

impl Kind {
    /// All rights that this version of Landlock knows.
    #[must_use]
    pub fn known(&self, abi: u32) -> u64 {
        self.bits(|right| right.since <= abi)
    }

    /// The rights that hold.
    pub fn bits(&self, holds: impl Fn(&Right) -> bool) -> u64 {
        let bits = self.rights.iter().enumerate().filter(|(_, right)| holds(right));
        bits.fold(0, |all, (bit, _)| all | 1 << bit)
    }

    /// The rights of these bits.
    pub fn of(&self, bits: u64) -> impl Iterator<Item = &Right> {
        self.rights.iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 == 1).map(|(_, right)| right)
    }

    /// The kernel's names of these bits, as strace(1) prints them.
    #[must_use]
    pub fn names(&self, bits: u64) -> String {
        let names: Vec<_> = self
            .of(bits)
            .map(|right| format!("{}{}", self.prefix, right.name.to_ascii_uppercase()))
            .collect();
        if names.is_empty() { "0".to_owned() } else { names.join("|") }
    }
}

/// What a process takes from itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Landlock {
    /// Bits of [`FS`] that only rules allow.
    pub fs: u64,
    /// Bits of [`NET`] that only rules allow.
    pub net: u64,
    /// Bits of [`SCOPE`].
    pub scopes: u64,
    /// Paths of the container, each with bits of [`FS`] for it and all below.
    pub paths: Vec<(PathBuf, u64)>,
    /// TCP ports, each with bits of [`NET`].
    pub ports: Vec<(u16, u64)>,
}
