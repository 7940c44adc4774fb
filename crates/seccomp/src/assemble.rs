//! An assembler for classic BPF that works from the end of the program to its beginning.
//!
//! Jumps of classic BPF only go forwards, and a conditional one reaches at most 255 instructions. Who
//! writes the targets first knows at every jump how far it is, so no second pass is needed: what is
//! too far gets a stepping stone (a `ja`, whose reach has no such limit, or another copy of the
//! `ret`) in between.

use crate::{Action, Instruction};

/// `ld [k]`: a 32-bit word of `seccomp_data` into the accumulator (`linux/bpf_common.h`).
pub(crate) const LOAD: u16 = 0x20;
/// `and #k`.
pub(crate) const AND: u16 = 0x54;
/// `ja k`.
pub(crate) const JUMP: u16 = 0x05;
/// `jeq #k`.
pub(crate) const JUMP_EQUAL: u16 = 0x15;
/// `jgt #k`, unsigned.
pub(crate) const JUMP_GREATER: u16 = 0x25;
/// `jge #k`, unsigned.
pub(crate) const JUMP_GREATER_OR_EQUAL: u16 = 0x35;
/// `jset #k`: some bit of `k` is in the accumulator.
pub(crate) const JUMP_SET: u16 = 0x45;
/// `ret #k`.
pub(crate) const RETURN: u16 = 0x06;

/// The farthest that a conditional jump goes.
const REACH: usize = u8::MAX as usize;

/// Where a jump leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// To the end, with this verdict.
    Return(Action),
    /// To an instruction that has been written, counted from the end of the program.
    At(usize),
}

/// A program in the making.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    /// Last instruction first.
    reversed: Vec<Instruction>,
    /// The newest stepping stone to each target that has one.
    stones: Vec<(Target, usize)>,
}

impl Assembler {
    /// A comparison of the accumulator with `k`, and where to go from there.
    pub(crate) fn branch(&mut self, code: u16, k: u32, yes: Target, no: Target) -> Target {
        if yes == no {
            return yes;
        }
        let (yes, no) = (self.within_reach(yes), self.within_reach(no));
        let distance = |target: usize| (self.reversed.len() - target - 1) as u8;
        let (jt, jf) = (distance(yes), distance(no));
        self.push(Instruction { code, jt, jf, k })
    }

    /// Does `code` to the accumulator before what was written last. Where the last thing was only to
    /// know that both ways lead to the same place, the accumulator does not matter any more.
    pub(crate) fn before(&mut self, code: u16, k: u32, next: Target) -> Target {
        match next {
            Target::At(index) if index + 1 == self.reversed.len() => {
                self.push(Instruction { code, jt: 0, jf: 0, k })
            }
            _ => next,
        }
    }

    /// The program that starts at `entry`.
    pub(crate) fn finish(mut self, entry: Target) -> Vec<Instruction> {
        if entry != Target::At(self.reversed.len().wrapping_sub(1)) {
            self.stepping_stone(entry);
        }
        self.reversed.reverse();
        self.reversed
    }

    fn push(&mut self, instruction: Instruction) -> Target {
        self.reversed.push(instruction);
        Target::At(self.reversed.len() - 1)
    }

    /// An instruction that leads to `target` and that a branch written next, or next but one, reaches.
    fn within_reach(&mut self, target: Target) -> usize {
        let stone = self.stones.iter().find(|(known, _)| *known == target).map(|(_, index)| *index);
        let itself = if let Target::At(index) = target { Some(index) } else { None };
        match stone.or(itself) {
            Some(index) if self.reversed.len() - index <= REACH => index,
            _ => self.stepping_stone(target),
        }
    }

    fn stepping_stone(&mut self, target: Target) -> usize {
        let here = self.reversed.len();
        self.stones.retain(|(known, _)| *known != target);
        self.stones.push((target, here));
        let (code, k) = match target {
            Target::At(index) => (JUMP, (here - index - 1) as u32),
            Target::Return(action) => (RETURN, action.to_return()),
        };
        self.push(Instruction { code, jt: 0, jf: 0, k });
        here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_out_of_reach_gets_a_stepping_stone() {
        let mut assembler = Assembler::default();
        let far =
            assembler.branch(JUMP_EQUAL, 1, Target::Return(Action::Trap), Target::Return(Action::Allow));
        let mut next = Target::Return(Action::KillThread);
        for k in 0..1000 {
            next = assembler.branch(JUMP_EQUAL, k, far, next);
        }
        let program = assembler.finish(next);
        assert!(program.len() < 1020, "{}", program.len());
        assert_eq!(program.iter().filter(|i| i.code == JUMP).count(), 3);
        for (at, instruction) in program.iter().enumerate() {
            let end = at + 1 + usize::from(instruction.jt.max(instruction.jf));
            assert!(end <= program.len() || instruction.code == RETURN);
        }
    }

    #[test]
    fn a_branch_that_decides_nothing_is_not_written() {
        let mut assembler = Assembler::default();
        let allow = Target::Return(Action::Allow);
        let next = assembler.branch(JUMP_EQUAL, 7, allow, allow);
        let next = assembler.before(LOAD, 0, next);
        let only = Instruction { code: RETURN, jt: 0, jf: 0, k: 0x7fff_0000 };
        assert_eq!(assembler.finish(next), [only]);
    }
}
