//! Classic BPF as the kernel checks and runs it for seccomp (`net/core/filter.c`,
//! `kernel/seccomp.c`): only what a seccomp filter may use, and of that what we have use for.

use super::Data;
use seccomp::Instruction;

const LD_W_ABS: u16 = 0x20;
const AND_K: u16 = 0x54;
const JA: u16 = 0x05;
const JEQ_K: u16 = 0x15;
const JGT_K: u16 = 0x25;
const JGE_K: u16 = 0x35;
const JSET_K: u16 = 0x45;
const RET_K: u16 = 0x06;

/// Refuses what the kernel would refuse when loading: `bpf_check_classic`, `seccomp_check_filter`.
pub fn load(program: &[Instruction]) -> Result<(), String> {
    if program.is_empty() || program.len() > 4096 {
        return Err(format!("{} instructions", program.len()));
    }
    for (at, instruction) in program.iter().enumerate() {
        let farthest = match instruction.code {
            LD_W_ABS if instruction.k.is_multiple_of(4) && instruction.k < 64 => 0,
            AND_K | RET_K => 0,
            JA => instruction.k as usize,
            JEQ_K | JGT_K | JGE_K | JSET_K => usize::from(instruction.jt.max(instruction.jf)),
            _ => return Err(format!("{at}: {instruction:?}")),
        };
        if at + 1 + farthest >= program.len() && instruction.code != RET_K {
            return Err(format!("{at}: {instruction:?} leads out of the program"));
        }
    }
    Ok(())
}

/// The value that the program returns for a call, and how many instructions it took.
pub fn run(program: &[Instruction], data: &Data) -> (u32, usize) {
    let (mut at, mut accumulator, mut steps) = (0, 0_u32, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        let branch = |holds: bool| usize::from(if holds { jt } else { jf });
        steps += 1;
        at += 1;
        match code {
            LD_W_ABS => accumulator = word(data, k),
            AND_K => accumulator &= k,
            JA => at += k as usize,
            JEQ_K => at += branch(accumulator == k),
            JGT_K => at += branch(accumulator > k),
            JGE_K => at += branch(accumulator >= k),
            JSET_K => at += branch(accumulator & k != 0),
            RET_K => return (k, steps),
            _ => panic!("{code:#x} at {}", at - 1),
        }
    }
}

fn word(data: &Data, offset: u32) -> u32 {
    match offset {
        0 => data.number,
        4 => data.arch,
        8 | 12 => 0,
        _ => {
            let argument = data.args[(offset as usize - 16) / 8];
            if offset.is_multiple_of(8) { argument as u32 } else { (argument >> 32) as u32 }
        }
    }
}
