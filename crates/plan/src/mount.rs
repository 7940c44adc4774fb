use serde::{Serialize, Serializer};
use std::fmt;

/// Attributes of a mount, `MOUNT_ATTR_*` of mount_setattr(2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attr(u64);

const NAMES: [(u64, &str, &str); 9] = [
    (0x01, "MOUNT_ATTR_RDONLY", "ro"),
    (0x02, "MOUNT_ATTR_NOSUID", "nosuid"),
    (0x04, "MOUNT_ATTR_NODEV", "nodev"),
    (0x08, "MOUNT_ATTR_NOEXEC", "noexec"),
    (0x10, "MOUNT_ATTR_NOATIME", "noatime"),
    (0x20, "MOUNT_ATTR_STRICTATIME", "strictatime"),
    (0x70, "MOUNT_ATTR__ATIME", ""),
    (0x80, "MOUNT_ATTR_NODIRATIME", "nodiratime"),
    (0x20_0000, "MOUNT_ATTR_NOSYMFOLLOW", "nosymfollow"),
];

impl Attr {
    /// No attribute.
    pub const NONE: Self = Self(0);
    /// Read-only.
    pub const RDONLY: Self = Self(0x01);
    /// Set-user-id bits and file capabilities have no effect.
    pub const NOSUID: Self = Self(0x02);
    /// Device nodes cannot be opened.
    pub const NODEV: Self = Self(0x04);
    /// Nothing can be executed.
    pub const NOEXEC: Self = Self(0x08);
    /// Access times are not updated.
    pub const NOATIME: Self = Self(0x10);
    /// Access times are always updated.
    pub const STRICTATIME: Self = Self(0x20);
    /// All bits of the access time setting, to be cleared when one of them is set.
    pub const ATIME_MASK: Self = Self(0x70);
    /// Access times of directories are not updated.
    pub const NODIRATIME: Self = Self(0x80);
    /// Symbolic links are not followed.
    pub const NOSYMFOLLOW: Self = Self(0x20_0000);

    /// The bits, as the kernel has them.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether no bit is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These bits and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These bits but for those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The words of mount(8) for the bits, joined by commas.
    #[must_use]
    pub fn options(self) -> String {
        let words = NAMES.iter().filter(|(bit, _, word)| self.0 & bit == *bit && !word.is_empty());
        words.map(|(_, _, word)| *word).collect::<Vec<_>>().join(",")
    }
}

impl fmt::Display for Attr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0");
        }
        let whole_mask = self.contains(Self::ATIME_MASK);
        let single = Self::NOATIME.with(Self::STRICTATIME).0;
        let names = NAMES
            .iter()
            .filter(|(bit, ..)| self.0 & bit == *bit && !(whole_mask && bit & single != 0 && *bit != 0x70));
        f.write_str(&names.map(|(_, name, _)| *name).collect::<Vec<_>>().join("|"))
    }
}

impl Serialize for Attr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How mount events travel between a mount and its copies (mount_namespaces(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// To and from its peers.
    Shared,
    /// From its master only.
    Slave,
    /// Neither.
    Private,
    /// Neither, and it cannot be bind mounted.
    Unbindable,
}

impl Propagation {
    /// The bit of mount(2).
    #[must_use]
    pub const fn bits(self) -> u64 {
        match self {
            Self::Unbindable => 1 << 17,
            Self::Private => 1 << 18,
            Self::Slave => 1 << 19,
            Self::Shared => 1 << 20,
        }
    }

    /// The name of that bit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unbindable => "MS_UNBINDABLE",
            Self::Private => "MS_PRIVATE",
            Self::Slave => "MS_SLAVE",
            Self::Shared => "MS_SHARED",
        }
    }

    /// The word of mount(8).
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unbindable => "unbindable",
            Self::Private => "private",
            Self::Slave => "slave",
            Self::Shared => "shared",
        }
    }
}
