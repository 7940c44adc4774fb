//! Device rules as an eBPF program for cgroup v2 (`BPF_PROG_TYPE_CGROUP_DEVICE`).
//!
//! The kernel runs it for each access with a `struct bpf_cgroup_dev_ctx` (`linux/bpf.h`): kind and wanted access,
//! major, minor; it answers 1 to allow. The rules are tried from the last to the first, because the last that
//! matches wins, and each takes the ways of access that it decides out of those still wanted:
//!
//! ```text
//!   r2 = kind   r3 = access still undecided   r4 = major   r5 = minor
//!
//!   for each rule, last first:
//!       kind, major or minor is another: next rule
//!       allows:  r3 &= !access;  r3 == 0: allow
//!       denies:  r3 & access != 0: deny
//!   deny
//! ```

use super::{Access, Kind, Rule};

/// A program for `BPF_PROG_LOAD`, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceProgram {
    /// Instructions.
    pub instructions: Vec<Instruction>,
}

/// `struct bpf_insn` (`linux/bpf.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u8,
    /// Register written to, or compared.
    pub destination: u8,
    /// Register read from.
    pub source: u8,
    /// Instructions to skip, or bytes into memory.
    pub offset: i16,
    /// Operand.
    pub immediate: i32,
}

impl Instruction {
    /// The 8 bytes of the instruction as one word of this machine, as an array of them is passed to bpf(2).
    #[must_use]
    pub fn word(self) -> u64 {
        let registers = self.destination | self.source << 4;
        let [o0, o1] = self.offset.to_ne_bytes();
        let [i0, i1, i2, i3] = self.immediate.to_ne_bytes();
        u64::from_ne_bytes([self.code, registers, o0, o1, i0, i1, i2, i3])
    }
}

impl DeviceProgram {
    /// The program as words for bpf(2).
    #[must_use]
    pub fn words(&self) -> Vec<u64> {
        self.instructions.iter().map(|instruction| instruction.word()).collect()
    }
}

// Operations: class | size or operation | source (`linux/bpf_common.h`, `linux/bpf.h`).
pub(super) const LOAD_WORD: u8 = 0x61; // BPF_LDX | BPF_MEM | BPF_W
pub(super) const AND: u8 = 0x54; // BPF_ALU | BPF_AND | BPF_K
pub(super) const SHIFT_RIGHT: u8 = 0x74; // BPF_ALU | BPF_RSH | BPF_K
pub(super) const MOVE: u8 = 0xb4; // BPF_ALU | BPF_MOV | BPF_K
pub(super) const JUMP_UNEQUAL: u8 = 0x56; // BPF_JMP32 | BPF_JNE | BPF_K
pub(super) const JUMP_NO_BITS: u8 = 0x16; // BPF_JMP32 | BPF_JEQ | BPF_K
pub(super) const EXIT: u8 = 0x95; // BPF_JMP | BPF_EXIT
const MOVE_REGISTER: u8 = 0xbc; // BPF_ALU | BPF_MOV | BPF_X

/// `BPF_DEVCG_DEV_BLOCK` and `BPF_DEVCG_DEV_CHAR`.
const BLOCK: i32 = 1;
const CHAR: i32 = 2;

const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const WANTED: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
const SCRATCH: u8 = 6;

/// Compiles the rules.
#[must_use]
pub fn program(rules: &[Rule]) -> DeviceProgram {
    let mut instructions = vec![
        load(KIND, 0),
        operate(AND, KIND, 0xffff),
        load(WANTED, 0),
        operate(SHIFT_RIGHT, WANTED, 16),
        load(MAJOR, 4),
        load(MINOR, 8),
    ];
    // What comes before the last rule for everything does not matter.
    let start = rules.iter().rposition(Rule::is_everything).unwrap_or(0);
    for rule in rules[start..].iter().rev() {
        instructions.extend(block(rule));
        if rule.is_everything() {
            return DeviceProgram { instructions };
        }
    }
    instructions.extend(answer(false));
    DeviceProgram { instructions }
}

/// The instructions for one rule; the jumps of its tests lead behind it.
fn block(rule: &Rule) -> Vec<Instruction> {
    if rule.is_everything() {
        return answer(rule.allow).to_vec();
    }
    let kind = match rule.kind {
        Kind::All => None,
        Kind::Block => Some(BLOCK),
        Kind::Char => Some(CHAR),
    };
    let number = |number: Option<u32>| number.map(u32::cast_signed);
    let tests = [(KIND, kind), (MAJOR, number(rule.major)), (MINOR, number(rule.minor))];
    let mut block: Vec<_> = tests
        .into_iter()
        .filter_map(|(register, wanted)| Some(operate(JUMP_UNEQUAL, register, wanted?)))
        .collect();
    let bits = i32::from(rule.access.0);
    block.extend(match (rule.allow, rule.access == Access::ALL) {
        (_, true) => vec![],
        (true, false) => vec![operate(AND, WANTED, !bits), operate(JUMP_UNEQUAL, WANTED, 0)],
        (false, false) => vec![
            Instruction { source: WANTED, ..operate(MOVE_REGISTER, SCRATCH, 0) },
            operate(AND, SCRATCH, bits),
            operate(JUMP_NO_BITS, SCRATCH, 0),
        ],
    });
    block.extend(answer(rule.allow));
    let end = block.len();
    for (at, instruction) in block.iter_mut().enumerate() {
        if matches!(instruction.code, JUMP_UNEQUAL | JUMP_NO_BITS) {
            instruction.offset = i16::try_from(end - at - 1).unwrap_or(i16::MAX);
        }
    }
    block
}

fn answer(allow: bool) -> [Instruction; 2] {
    [operate(MOVE, ANSWER, i32::from(allow)), operate(EXIT, 0, 0)]
}

fn load(destination: u8, offset: i16) -> Instruction {
    Instruction { code: LOAD_WORD, destination, source: CONTEXT, offset, immediate: 0 }
}

fn operate(code: u8, destination: u8, immediate: i32) -> Instruction {
    Instruction { code, destination, source: 0, offset: 0, immediate }
}

#[cfg(test)]
mod tests;
