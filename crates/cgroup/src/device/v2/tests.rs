use super::*;
use crate::device::v1;
use proptest::prelude::*;

/// An access that the kernel asks about. It never asks for a node and an open at once.
#[derive(Debug, Clone, Copy)]
struct Request {
    kind: Kind,
    major: u32,
    minor: u32,
    access: Access,
}

/// What the specification says: for each way of access the last rule that matches wins; none: denied.
fn specified(rules: &[Rule], request: Request) -> bool {
    let matches = |rule: &Rule, bit: u8| {
        (rule.kind == Kind::All || rule.kind == request.kind)
            && rule.major.is_none_or(|major| major == request.major)
            && rule.minor.is_none_or(|minor| minor == request.minor)
            && rule.access.0 & bit != 0
    };
    [1, 2, 4]
        .iter()
        .filter(|bit| request.access.0 & **bit != 0)
        .all(|bit| rules.iter().rev().find(|rule| matches(rule, *bit)).is_some_and(|rule| rule.allow))
}

/// What the kernel's interpreter would answer, for the instructions that we use.
fn run(program: &DeviceProgram, request: Request) -> bool {
    let kind = if request.kind == Kind::Block { BLOCK } else { CHAR };
    let first = u32::from(request.access.0) << 16 | kind.cast_unsigned();
    let context = [first, request.major, request.minor];
    let mut registers = [0u32; 11];
    let mut at = 0;
    loop {
        let Instruction { code, destination, source, offset, immediate } = program.instructions[at];
        let (register, operand) = (usize::from(destination), immediate.cast_unsigned());
        at += 1;
        match code {
            LOAD_WORD => registers[register] = context[usize::try_from(offset).unwrap() / 4],
            AND => registers[register] &= operand,
            SHIFT_RIGHT => registers[register] >>= operand,
            MOVE => registers[register] = operand,
            MOVE_REGISTER => registers[register] = registers[usize::from(source)],
            JUMP_UNEQUAL if registers[register] != operand => at += usize::try_from(offset).unwrap(),
            JUMP_NO_BITS if registers[register] == operand => at += usize::try_from(offset).unwrap(),
            JUMP_UNEQUAL | JUMP_NO_BITS => {}
            EXIT => return registers[0] != 0,
            other => panic!("no operation {other:#x}"),
        }
    }
}

/// What the devices controller of v1 would answer after the lines were written
/// (`security/device_cgroup.c`: `match_exception` and `match_exception_partial`).
fn listed(lines: &[v1::Line], request: Request) -> bool {
    let allow_all = lines.first().is_none_or(|line| line.rule.is_some());
    let mut exceptions = lines.iter().filter_map(|line| line.rule.as_ref()).filter(|rule| {
        rule.kind == request.kind
            && rule.major.is_none_or(|major| major == request.major)
            && rule.minor.is_none_or(|minor| minor == request.minor)
    });
    if allow_all {
        exceptions.all(|rule| rule.access.0 & request.access.0 == 0)
    } else {
        exceptions.any(|rule| request.access.0 & !rule.access.0 == 0)
    }
}

fn rule() -> impl Strategy<Value = Rule> {
    let kind = prop_oneof![Just(Kind::All), Just(Kind::Block), Just(Kind::Char)];
    let number = || proptest::option::of(0u32..3);
    (any::<bool>(), kind, number(), number(), 1u8..8).prop_map(|(allow, kind, major, minor, access)| Rule {
        allow,
        kind,
        major,
        minor,
        access: Access(access),
        index: Some(0),
    })
}

fn requests() -> impl Iterator<Item = Request> {
    let kinds = [Kind::Block, Kind::Char].into_iter();
    let devices =
        kinds.flat_map(|kind| (0..3).flat_map(move |major| (0..3).map(move |minor| (kind, major, minor))));
    devices.flat_map(|(kind, major, minor)| {
        [Access::MKNOD, Access::READ, Access::WRITE, Access(6)].map(|access| Request {
            kind,
            major,
            minor,
            access,
        })
    })
}

proptest! {
    #[test]
    fn the_program_answers_as_the_specification_says(rules in proptest::collection::vec(rule(), 0..8)) {
        let program = program(&rules);
        for request in requests() {
            prop_assert_eq!(run(&program, request), specified(&rules, request), "{:?}", request);
        }
    }

    #[test]
    fn the_lines_for_v1_answer_so_too(rules in proptest::collection::vec(rule(), 0..6)) {
        // Two exceptions that overlap crosswise (`1:*` for reading, `*:3` for writing) cannot be one.
        let crosswise = rules.iter().any(|a| rules.iter().any(|b| {
            a.major.is_none() && a.minor.is_some() && b.major.is_some() && b.minor.is_none()
        }));
        prop_assume!(!crosswise);
        if let Ok(lines) = v1::lines(&rules) {
            for request in requests() {
                prop_assert_eq!(listed(&lines, request), specified(&rules, request), "{:?}", request);
            }
        }
    }
}

#[test]
fn an_instruction_is_laid_out_as_struct_bpf_insn() {
    let instruction = Instruction { code: 0x61, destination: 2, source: 1, offset: 4, immediate: 5 };
    assert_eq!(instruction.word().to_ne_bytes()[..2], [0x61, 0x12]);
}

#[test]
fn the_default_rules_fit_a_page() {
    let rules = crate::device::rules(&[]).unwrap();
    assert!(program(&rules).words().len() < 4096 / 8);
}
