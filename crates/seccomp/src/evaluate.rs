//! What a program says of one call, as the kernel would find out.

use crate::assemble::{AND, JUMP, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL, JUMP_SET, LOAD, RETURN};
use crate::{Action, Arch, Filter, Instruction};

impl Filter {
    /// What becomes of a call of the native architecture whose arguments are all zero. `None`: the
    /// architecture has no such call.
    ///
    /// ```
    /// use seccomp::{Action, Arch};
    /// let rules = seccomp::default_profile(spec::CapabilitySet::EMPTY, Arch::X86_64);
    /// let filter = seccomp::compile(&rules, Arch::X86_64)?;
    /// assert_eq!(filter.action("read"), Some(Action::Allow));
    /// assert_eq!(filter.action("swapon"), Some(Action::Errno(1)));
    /// assert_eq!(filter.action("moo"), None);
    /// # Ok::<(), seccomp::Error>(())
    /// ```
    #[must_use]
    pub fn action(&self, call: &str) -> Option<Action> {
        self.verdict(*self.architectures.first()?, call, [0; 6])
    }

    /// What becomes of a call of this architecture with these arguments. `None`: the architecture has no such call.
    #[must_use]
    pub fn verdict(&self, arch: Arch, call: &str, arguments: [u64; 6]) -> Option<Action> {
        Some(run(&self.program, arch, arch.number(call)?, arguments))
    }
}

/// Runs a program of ours: it only jumps forwards and ends with a verdict. What does not is taken for killing,
/// as the kernel would not have loaded it.
fn run(program: &[Instruction], arch: Arch, number: u32, arguments: [u64; 6]) -> Action {
    // struct seccomp_data: the number, the architecture, the instruction pointer, six arguments.
    let word = |index: usize| match (index, index.checked_sub(4)) {
        (0, _) => number,
        (1, _) => arch.audit(),
        (_, Some(half)) => (arguments.get(half / 2).copied().unwrap_or_default() >> (half % 2 * 32)) as u32,
        _ => 0,
    };
    let (mut at, mut accumulator) = (0, 0);
    while let Some(Instruction { code, jt, jf, k }) = program.get(at).copied() {
        at += 1;
        let branch = |holds: bool| usize::from(if holds { jt } else { jf });
        match code {
            LOAD => accumulator = word(k as usize / 4),
            AND => accumulator &= k,
            JUMP => at += k as usize,
            JUMP_EQUAL => at += branch(accumulator == k),
            JUMP_GREATER => at += branch(accumulator > k),
            JUMP_GREATER_OR_EQUAL => at += branch(accumulator >= k),
            JUMP_SET => at += branch(accumulator & k != 0),
            RETURN => return Action::from_return(k),
            _ => break,
        }
    }
    Action::KillProcess
}
