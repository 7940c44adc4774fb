//! Any profile becomes a program that the kernel would load, or an error that says where it is wrong.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use seccomp::{Arch, Error, Instruction, compile};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|json: &[u8]| {
    let Ok(rules) = spec::from_slice::<spec::Seccomp>(json) else { return };
    for native in [Arch::X86_64, Arch::Aarch64] {
        match compile(&rules, native) {
            Ok(filter) => {
                check(&filter.program);
                assert!(!seccomp::disassemble(&filter.program).is_empty());
                assert_eq!(filter.architectures[0], native);
            }
            Err(Error::TooLong(length)) => assert!(length > seccomp::MAX_INSTRUCTIONS),
            Err(error) => assert!(error.to_string().starts_with("/linux/seccomp"), "{error}"),
        }
    }
});

/// What the kernel asks of a program (`bpf_check_classic`): jumps stay inside, and it ends with a verdict.
fn check(program: &[Instruction]) {
    const RETURN: u16 = 0x06;
    const JUMP: u16 = 0x05;
    assert!((1..=seccomp::MAX_INSTRUCTIONS).contains(&program.len()));
    assert_eq!(program.last().map(|last| last.code), Some(RETURN));
    for (at, instruction) in program.iter().enumerate() {
        let farthest = match instruction.code {
            JUMP => instruction.k as usize,
            code if code & 7 == 5 => usize::from(instruction.jt.max(instruction.jf)),
            _ => 0,
        };
        assert!(at + 1 + farthest < program.len() || instruction.code == RETURN, "{at}: {instruction:?}");
    }
}
