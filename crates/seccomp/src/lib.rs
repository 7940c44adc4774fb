//! OCI seccomp rules compiled to a classic BPF program, without a C library and without I/O.
//!
//! A container's filter is built on the way of its start. libseccomp takes milliseconds for the usual
//! profile, most of a container start; this compiler takes microseconds, and its programs are smaller.
//!
//! # The program
//!
//! ```text
//!    ld arch ──▶ x86_64? ─no─▶ x86? ─no─▶ kill the process
//!                   │yes        │yes
//!                ld number    ld number
//!                   │           │
//!             number ≥ 175?    ...           binary search over runs of numbers
//!              no │   │ yes
//!        ┌────────┘   └───────┐
//!   number ≥ 57?        number ≥ 309?
//!    │      │              │      └────▶ number ≥ 2³⁰ (x32, not listed) ─▶ kill the process
//!    ▼      ▼              ▼      └────▶ newer than the profile ─▶ errno ENOSYS
//!  allow  ld args[0] …   errno EPERM
//!           │ compare the halves
//!           ▼
//!         allow, or the next rule for this call, or the default action
//! ```
//!
//! Each module is one part of the way: `rules` reads names and refuses what has no meaning, `verdicts`
//! joins the rules for each number, `dispatch` and `compare` write the two halves of the drawing, and
//! `assemble` lays out jumps.
//!
//! # What rules mean
//!
//! The same as with runc and libseccomp, so that a profile written for them keeps its meaning:
//!
//! - A rule without conditions outdoes those with conditions for the same call, and the first such rule
//!   the later ones. Among rules with conditions the first that holds, in the order of the file, decides
//!   (libseccomp's own order is unspecified where they overlap with different actions).
//! - Rules whose action is the default action are left out, whatever they name.
//! - Conditions in one rule must all hold, except that a rule with two conditions on one argument is
//!   taken as one rule for each of its conditions.
//! - Arguments are compared as unsigned 64-bit numbers on 64-bit architectures, else by their low half.
//!   The kernel cuts an `int` out of such a register *after* the filter has seen all of it: a profile
//!   that denies a value should do so under a mask.
//! - On 32-bit x86 a rule for a socket or System V IPC call also covers `socketcall(2)` and `ipc(2)`.
//! - Names that no architecture has are passed over, as are architectures that the kernel cannot run.
//! - Where the default action refuses, calls newer than any that the profile names get ENOSYS (except
//!   when they are named): programs then fall back, as on an older kernel.
//!
//! One difference is meant: a call from an architecture that is not listed kills the *process*, while
//! libseccomp's default kills the thread and leaves the others to wait for it.

mod action;
mod arch;
mod assemble;
mod compare;
mod condition;
mod disasm;
mod dispatch;
mod emit;
mod error;
mod evaluate;
mod flags;
mod multiplexed;
mod names;
mod profile;
mod rules;
mod verdicts;

pub use action::{ACTIONS, Action};
pub use arch::{ARCHITECTURES, Arch};
pub use condition::OPERATORS;
pub use disasm::{describe, disassemble};
pub use error::Error;
pub use flags::FLAGS;
pub use profile::default_profile;

/// Whether some kernel knows a system call of this name. The rules about others are passed over by [`compile`].
#[must_use]
pub fn is_call(name: &str) -> bool {
    names::Call::named(name).is_some()
}

/// The longest program that the kernel loads (`BPF_MAXINSNS`).
pub const MAX_INSTRUCTIONS: usize = 4096;

/// One instruction of classic BPF, laid out as the kernel's `struct sock_filter` (`linux/filter.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// A conditional jump skips so many instructions when its condition holds,
    pub jt: u8,
    /// and so many when it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// What seccomp(2) with `SECCOMP_SET_MODE_FILTER` needs, and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The program, at most [`MAX_INSTRUCTIONS`] long.
    pub program: Vec<Instruction>,
    /// `SECCOMP_FILTER_FLAG_...` bits.
    pub flags: u32,
    /// Whether loading it returns a listener: some rule says `SCMP_ACT_NOTIFY`, and
    /// `SECCOMP_FILTER_FLAG_NEW_LISTENER` is among the flags.
    pub notify: bool,
    /// What becomes of calls that no rule names.
    pub default_action: Action,
    /// Architectures that the program tells apart, the native one first.
    pub architectures: Vec<Arch>,
    /// How many rules it was made from.
    pub rules: usize,
}

/// Compiles `rules` for a kernel of the architecture `native`, which is always among those let in.
///
/// ```
/// let rules = seccomp::default_profile(spec::CapabilitySet::EMPTY, seccomp::Arch::X86_64);
/// let filter = seccomp::compile(&rules, seccomp::Arch::X86_64)?;
/// assert!(filter.program.len() < 450);
/// # Ok::<(), seccomp::Error>(())
/// ```
///
/// # Errors
/// A name that does not exist, a number out of range, a default action that cannot be one, or a
/// program longer than the kernel takes. The error says where.
pub fn compile(rules: &spec::Seccomp, native: Arch) -> Result<Filter, Error> {
    let read = rules::Rules::read(rules, native)?;
    let program = emit::program(&read);
    if program.len() > MAX_INSTRUCTIONS {
        return Err(Error::TooLong(program.len()));
    }
    let notify = read.notify();
    Ok(Filter {
        program,
        flags: flags::for_filter(read.flags, notify),
        notify,
        default_action: read.default,
        architectures: read.architectures,
        rules: rules.syscalls.len(),
    })
}
