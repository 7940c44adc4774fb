use crate::names::Call;
use std::fmt;

/// A system call convention that a filter can tell apart (seccomp(2), `struct seccomp_data`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 32-bit pointers on 64-bit x86: the same `AUDIT_ARCH_X86_64`, and bit 30 set in the number.
    X32,
    /// 32-bit x86, natively or on a 64-bit kernel.
    X86,
    /// 64-bit ARM.
    Aarch64,
    /// 32-bit ARM with the EABI, natively or on a 64-bit kernel.
    Arm,
}

/// Set in the number of every x32 system call (`__X32_SYSCALL_BIT`, syscall(2)).
pub(crate) const X32_BIT: u32 = 0x4000_0000;

/// From here on ARM numbers are calls of the machine itself (`__ARM_NR_BASE`), not Linux's list, so
/// they say nothing about how new a profile is.
const ARM_PRIVATE: u32 = 0x000f_0000;

impl Arch {
    /// Every architecture that has a table here.
    pub const ALL: [Self; 5] = [Self::X86_64, Self::X32, Self::X86, Self::Aarch64, Self::Arm];

    /// The architecture that this program was built for; `None` where cuddy does not run.
    #[must_use]
    pub const fn host() -> Option<Self> {
        if cfg!(all(target_arch = "x86_64", target_pointer_width = "64")) {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else if cfg!(target_arch = "x86") {
            Some(Self::X86)
        } else if cfg!(target_arch = "arm") {
            Some(Self::Arm)
        } else {
            None
        }
    }

    /// Its OCI name (config-linux.md, "Seccomp").
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "SCMP_ARCH_X86_64",
            Self::X32 => "SCMP_ARCH_X32",
            Self::X86 => "SCMP_ARCH_X86",
            Self::Aarch64 => "SCMP_ARCH_AARCH64",
            Self::Arm => "SCMP_ARCH_ARM",
        }
    }

    /// What else a kernel of this architecture runs: the 32-bit forms that a default profile allows
    /// too, so that a 32-bit program in an image works.
    #[must_use]
    pub const fn companions(self) -> &'static [Self] {
        match self {
            Self::X86_64 => &[Self::X86, Self::X32],
            Self::Aarch64 => &[Self::Arm],
            Self::X32 | Self::X86 | Self::Arm => &[],
        }
    }

    /// The number of the system call `name`; `None` if this architecture has no such call.
    ///
    /// ```
    /// use seccomp::Arch;
    /// assert_eq!(Arch::X86_64.number("read"), Some(0));
    /// assert_eq!(Arch::X32.number("read"), Some(0x4000_0000));
    /// assert_eq!(Arch::Aarch64.number("open"), None);
    /// ```
    #[must_use]
    pub fn number(self, name: &str) -> Option<u32> {
        Call::named(name)?.number(self).map(|number| number | self.number_bits())
    }

    /// The name of the system call `number`; `None` if it is not known to this version.
    #[must_use]
    pub fn call_name(self, number: u32) -> Option<&'static str> {
        let bare = number ^ self.number_bits();
        Call::all().find(|call| call.number(self) == Some(bare)).map(Call::name)
    }

    /// `AUDIT_ARCH_...` of `linux/audit.h`, as the filter finds it in `seccomp_data.arch`.
    pub(crate) const fn audit(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xc000_003e,
            Self::X86 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
            Self::Arm => 0x4000_0028,
        }
    }

    /// Bits set in every number of this architecture.
    pub(crate) const fn number_bits(self) -> u32 {
        if matches!(self, Self::X32) { X32_BIT } else { 0 }
    }

    /// Whether arguments are compared with all 64 bits. Registers are 32 bits wide elsewhere; on x32
    /// libseccomp looks at the low half only, and profiles are written for that.
    pub(crate) const fn wide(self) -> bool {
        matches!(self, Self::X86_64 | Self::Aarch64)
    }

    /// Whether a kernel made for `native` can ever report this architecture.
    pub(crate) fn runs_on(self, native: Self) -> bool {
        let arm = |arch| matches!(arch, Self::Aarch64 | Self::Arm);
        arm(self) == arm(native)
    }

    /// Whether `number` is one of Linux's list, where new calls get higher numbers.
    pub(crate) fn in_sequence(self, number: u32) -> bool {
        self != Self::Arm || number < ARM_PRIVATE
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        f.write_str(&name.strip_prefix("SCMP_ARCH_").unwrap_or(name).to_ascii_lowercase())
    }
}

/// Architectures that the runtime specification names (config-linux.md, "Seccomp"). Those without a
/// table here belong to machines that cuddy does not run on; a profile may list them all the same.
pub const ARCHITECTURES: [&str; 23] = [
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
];
