use crate::assemble::{AND, JUMP, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL, JUMP_SET, LOAD, RETURN};
use crate::{Action, Filter, Instruction};
use std::fmt::Write;

/// One line about a filter.
///
/// ```
/// let rules = spec::Seccomp { default_action: "SCMP_ACT_ALLOW".into(), ..Default::default() };
/// let filter = seccomp::compile(&rules, seccomp::Arch::Aarch64)?;
/// assert_eq!(seccomp::describe(&filter), "4 instructions for aarch64 from 0 rules, else SCMP_ACT_ALLOW");
/// # Ok::<(), seccomp::Error>(())
/// ```
#[must_use]
pub fn describe(filter: &Filter) -> String {
    let architectures: Vec<_> = filter.architectures.iter().map(ToString::to_string).collect();
    format!(
        "{} instructions for {} from {} rules, else {}",
        filter.program.len(),
        architectures.join(", "),
        filter.rules,
        filter.default_action
    )
}

/// The program as text, one instruction a line, each jump with the lines that it leads to.
#[must_use]
pub fn disassemble(program: &[Instruction]) -> String {
    let mut text = String::new();
    for (index, instruction) in program.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{index:4}: {}", line(index, instruction));
    }
    text
}

fn line(index: usize, instruction: &Instruction) -> String {
    let Instruction { code, jt, jf, k } = *instruction;
    let jump = |name: &str| {
        let (yes, no) = (index + 1 + usize::from(jt), index + 1 + usize::from(jf));
        format!("{name:<4} {k:#010x} → {yes}, else {no}")
    };
    match code {
        LOAD => format!("ld   {}", word(k)),
        AND => format!("and  {k:#010x}"),
        JUMP => format!("ja   → {}", index + 1 + k as usize),
        JUMP_EQUAL => jump("jeq"),
        JUMP_GREATER => jump("jgt"),
        JUMP_GREATER_OR_EQUAL => jump("jge"),
        JUMP_SET => jump("jset"),
        RETURN => format!("ret  {}", Action::from_return(k)),
        _ => format!("{code:#06x} {jt} {jf} {k:#010x}"),
    }
}

/// The field of `struct seccomp_data` at an offset.
fn word(offset: u32) -> String {
    match offset {
        0 => "nr".into(),
        4 => "arch".into(),
        8 => "instruction_pointer.low".into(),
        12 => "instruction_pointer.high".into(),
        _ => {
            let half = if offset.is_multiple_of(8) { "low" } else { "high" };
            format!("args[{}].{half}", (offset - 16) / 8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, compile};

    #[test]
    fn a_program_reads_as_its_rules() {
        let rules = spec::Seccomp {
            default_action: "SCMP_ACT_LOG".into(),
            syscalls: vec![spec::SyscallRule {
                names: vec!["close".into()],
                action: "SCMP_ACT_ERRNO".into(),
                errno_ret: None,
                args: vec![spec::SeccompArg { index: 0, value: 2, value_two: 0, op: "SCMP_CMP_LE".into() }],
            }],
            ..Default::default()
        };
        let filter = compile(&rules, Arch::Aarch64).unwrap();
        assert_eq!(
            disassemble(&filter.program),
            "   0: ld   arch
   1: jeq  0xc00000b7 → 3, else 2
   2: ret  SCMP_ACT_KILL_PROCESS
   3: ld   nr
   4: jeq  0x00000039 → 5, else 10
   5: ld   args[0].high
   6: jgt  0x00000000 → 10, else 7
   7: ld   args[0].low
   8: jgt  0x00000002 → 10, else 9
   9: ret  SCMP_ACT_ERRNO(EPERM)
  10: ret  SCMP_ACT_LOG
"
        );
    }
}
