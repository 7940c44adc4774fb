//! Constants of the kernel's headers, by the names that the specification writes.

use serde::{Serialize, Serializer};

/// A number of the kernel's interface and its name. In JSON it is the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constant {
    /// Its name, as in the header and in the specification.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
}

const fn constant(name: &'static str, value: u64) -> Constant {
    Constant { name, value }
}

impl Constant {
    /// The constant of a table that has this name.
    ///
    /// ```
    /// use plan::{Constant, SCHEDULING_POLICIES};
    /// assert_eq!(Constant::named(&SCHEDULING_POLICIES, "SCHED_BATCH").map(|policy| policy.value), Some(3));
    /// ```
    #[must_use]
    pub fn named(table: &[Self], name: &str) -> Option<Self> {
        table.iter().find(|known| known.name == name).copied()
    }

    /// The bits of flags together.
    #[must_use]
    pub fn bits(flags: &[Self]) -> u64 {
        flags.iter().fold(0, |bits, flag| bits | flag.value)
    }
}

impl Serialize for Constant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

/// Scheduling policies, sched(7), `linux/sched.h`. The kernel reserves `SCHED_ISO` and refuses it.
pub const SCHEDULING_POLICIES: [Constant; 7] = [
    constant("SCHED_OTHER", 0),
    constant("SCHED_FIFO", 1),
    constant("SCHED_RR", 2),
    constant("SCHED_BATCH", 3),
    constant("SCHED_ISO", 4),
    constant("SCHED_IDLE", 5),
    constant("SCHED_DEADLINE", 6),
];

/// Flags of sched_setattr(2), `linux/sched.h`.
pub const SCHEDULING_FLAGS: [Constant; 7] = [
    constant("SCHED_FLAG_RESET_ON_FORK", 0x01),
    constant("SCHED_FLAG_RECLAIM", 0x02),
    constant("SCHED_FLAG_DL_OVERRUN", 0x04),
    constant("SCHED_FLAG_KEEP_POLICY", 0x08),
    constant("SCHED_FLAG_KEEP_PARAMS", 0x10),
    constant("SCHED_FLAG_UTIL_CLAMP_MIN", 0x20),
    constant("SCHED_FLAG_UTIL_CLAMP_MAX", 0x40),
];

/// Classes of ioprio_set(2), `linux/ioprio.h`.
pub const IO_CLASSES: [Constant; 3] =
    [constant("IOPRIO_CLASS_RT", 1), constant("IOPRIO_CLASS_BE", 2), constant("IOPRIO_CLASS_IDLE", 3)];

/// Execution domains that the specification knows (config-linux.md, "Personality"), by its names;
/// `linux/personality.h` has `PER_` before them.
pub const PERSONALITIES: [Constant; 2] = [constant("LINUX", 0), constant("LINUX32", 8)];

/// Modes of set_mempolicy(2), `linux/mempolicy.h`.
pub const MEMORY_MODES: [Constant; 7] = [
    constant("MPOL_DEFAULT", 0),
    constant("MPOL_PREFERRED", 1),
    constant("MPOL_BIND", 2),
    constant("MPOL_INTERLEAVE", 3),
    constant("MPOL_LOCAL", 4),
    constant("MPOL_PREFERRED_MANY", 5),
    constant("MPOL_WEIGHTED_INTERLEAVE", 6),
];

/// Flags of set_mempolicy(2), `linux/mempolicy.h`; they go into the mode.
pub const MEMORY_FLAGS: [Constant; 3] = [
    constant("MPOL_F_NUMA_BALANCING", 1 << 13),
    constant("MPOL_F_RELATIVE_NODES", 1 << 14),
    constant("MPOL_F_STATIC_NODES", 1 << 15),
];
