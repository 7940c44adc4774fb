//! What the tests of the compiled program share.

pub mod calls;
pub mod interpreter;
pub mod naive;

/// One system call as a filter sees it (`struct seccomp_data`, without the instruction pointer).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Data {
    /// `AUDIT_ARCH_...`.
    pub arch: u32,
    /// Number, with the x32 bit if it is an x32 call.
    pub number: u32,
    /// Arguments as the registers hold them.
    pub args: [u64; 6],
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "call {:#x} of arch {:#x} with {:x?}", self.number, self.arch, self.args)
    }
}

/// `AUDIT_ARCH_...` by `SCMP_ARCH_...` (`linux/audit.h`).
pub fn audit(arch: seccomp::Arch) -> u32 {
    match arch.name() {
        "SCMP_ARCH_X86_64" | "SCMP_ARCH_X32" => 62 | 1 << 31 | 1 << 30,
        "SCMP_ARCH_X86" => 3 | 1 << 30,
        "SCMP_ARCH_AARCH64" => 183 | 1 << 31 | 1 << 30,
        "SCMP_ARCH_ARM" => 40 | 1 << 30,
        other => panic!("no audit number for {other}"),
    }
}

/// A rule, to write tables of them shortly. Every argument is `(index, operator, value, value two)`.
pub fn rule(names: &[&str], action: &str, args: &[(u32, &str, u64, u64)]) -> spec::SyscallRule {
    spec::SyscallRule {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        action: format!("SCMP_ACT_{action}"),
        errno_ret: None,
        args: args
            .iter()
            .map(|(index, op, value, value_two)| spec::SeccompArg {
                index: *index,
                value: *value,
                value_two: *value_two,
                op: format!("SCMP_CMP_{op}"),
            })
            .collect(),
    }
}
