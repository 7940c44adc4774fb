//! Verdicts that depend on arguments, as BPF. An argument has 64 bits and the accumulator 32, so each
//! comparison looks at the high half first and, where that does not decide, at the low half.

use crate::Action;
use crate::assemble::{
    AND, Assembler, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL, JUMP_SET, LOAD, Target,
};
use crate::condition::{Comparison, Condition};
use crate::verdicts::Clause;

/// Where the arguments begin in `struct seccomp_data`, and how long each is.
const ARGUMENTS: u32 = 16;
const ARGUMENT_SIZE: u32 = 8;

/// Writes `clauses`: the action of the first that holds, `default` if none does.
pub(crate) fn clauses(program: &mut Assembler, clauses: &[Clause], default: Action, wide: bool) -> Target {
    clauses.iter().rev().fold(Target::Return(default), |otherwise, clause| {
        clause.conditions.iter().rev().fold(Target::Return(clause.action), |holds, condition| {
            self::condition(program, condition, wide, holds, otherwise)
        })
    })
}

fn condition(
    program: &mut Assembler,
    condition: &Condition,
    wide: bool,
    holds: Target,
    otherwise: Target,
) -> Target {
    let (yes, no) = if condition.negated { (otherwise, holds) } else { (holds, otherwise) };
    let mut argument = Argument { program, low: ARGUMENTS + ARGUMENT_SIZE * u32::from(condition.argument) };
    match condition.comparison {
        Comparison::Equal { mask, value } => {
            let low = argument.equal(Half::Low, low(mask), low(value), yes, no);
            if wide { argument.equal(Half::High, high(mask), high(value), low, no) } else { low }
        }
        Comparison::Greater(value) => argument.greater(JUMP_GREATER, value, wide, yes, no),
        Comparison::GreaterOrEqual(value) => argument.greater(JUMP_GREATER_OR_EQUAL, value, wide, yes, no),
    }
}

/// An argument being compared.
struct Argument<'a> {
    program: &'a mut Assembler,
    /// Offset of its low half; all machines that have a table here are little-endian.
    low: u32,
}

enum Half {
    Low,
    High,
}

impl Argument<'_> {
    fn load(&mut self, half: Half, next: Target) -> Target {
        let offset = match half {
            Half::Low => self.low,
            Half::High => self.low + ARGUMENT_SIZE / 2,
        };
        self.program.before(LOAD, offset, next)
    }

    /// Whether the bits of one half that are in `mask` are those of `value`.
    fn equal(&mut self, half: Half, mask: u32, value: u32, yes: Target, no: Target) -> Target {
        if mask == 0 || yes == no {
            return yes;
        }
        let decided = if value == 0 && mask != u32::MAX {
            self.program.branch(JUMP_SET, mask, no, yes)
        } else {
            let equal = self.program.branch(JUMP_EQUAL, value, yes, no);
            if mask == u32::MAX { equal } else { self.program.before(AND, mask, equal) }
        };
        self.load(half, decided)
    }

    /// Whether the argument is above `value`, by the comparison `code` where only the low half is left
    /// to decide.
    fn greater(&mut self, code: u16, value: u64, wide: bool, yes: Target, no: Target) -> Target {
        if yes == no {
            return yes;
        }
        let decided = self.program.branch(code, low(value), yes, no);
        let undecided = self.load(Half::Low, decided);
        if !wide {
            return undecided;
        }
        let high = high(value);
        let not_above =
            if high == 0 { undecided } else { self.program.branch(JUMP_EQUAL, high, undecided, no) };
        let decided = self.program.branch(JUMP_GREATER, high, yes, not_above);
        self.load(Half::High, decided)
    }
}

fn low(value: u64) -> u32 {
    value as u32
}

fn high(value: u64) -> u32 {
    (value >> 32) as u32
}
