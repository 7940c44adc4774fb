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

/// What the program answers, executed: with the `struct bpf_cgroup_dev_ctx` (`linux/bpf.h`) that the kernel would give it.
/// The virtual machine is not ours, and neither is what it takes the instructions to mean.
fn run(program: &DeviceProgram, request: Request) -> bool {
    let kind: u32 = if request.kind == Kind::Block { 1 } else { 2 };
    let words = [u32::from(request.access.0) << 16 | kind, request.major, request.minor];
    let mut context: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let code: Vec<u8> = program.words().iter().flat_map(|word| word.to_ne_bytes()).collect();
    let machine = rbpf::EbpfVmRaw::new(Some(&code)).expect("the verifier takes the program");
    match machine.execute_program(&mut context).expect("the program ends") {
        0 => false,
        1 => true,
        other => panic!("the kernel knows 0 and 1, not {other}"),
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

/// Rules as in a config, `+` allows; accesses as `c 1:3 r`, and whether each is allowed.
type Case = (&'static [&'static str], &'static [(&'static str, bool)]);

const ACCESSES: &[Case] = &[
    (
        &[],
        &[("c 1:3 r", true), ("c 1:3 rw", true), ("c 1:1 r", false), ("b 8:0 r", false), ("b 8:0 m", true)],
    ),
    (
        &["-a *:* rwm"],
        &[("c 1:5 w", true), ("c 136:9 rw", true), ("c 10:200 r", false), ("c 10:200 m", true)],
    ),
    (&["+a *:* rwm"], &[("b 8:0 rw", true), ("c 1:1 w", true), ("b 4095:1048575 m", true)]),
    (
        &["+a *:* rwm", "-b 8:* w"],
        &[("b 8:1 r", true), ("b 8:1 w", false), ("b 8:1 rw", false), ("b 9:1 rw", true)],
    ),
    (&["+c 10:200 rw"], &[("c 10:200 rw", true), ("c 10:201 rw", false), ("b 10:200 r", false)]),
    (&["+c 10:200 r", "+c 10:* w"], &[("c 10:200 rw", true), ("c 10:201 r", false), ("c 10:201 w", true)]),
    (&["+c 10:* rwm", "-c 10:200 r"], &[("c 10:200 w", true), ("c 10:200 rw", false), ("c 10:200 r", false)]),
    (&["-c 10:229 rwm"], &[("c 10:229 r", false), ("c 10:229 m", true)]),
    (&["+b *:* r"], &[("b 259:3 r", true), ("b 259:3 w", false), ("c 259:3 r", false)]),
];

#[test]
fn a_table_of_accesses() {
    for (rules, accesses) in ACCESSES {
        let config: Vec<_> = rules.iter().map(|text| config_rule(text)).collect();
        let program = program(&crate::device::rules(&config).unwrap());
        for (access, allowed) in *accesses {
            assert_eq!(run(&program, request(access)), *allowed, "{access} after {rules:?}");
        }
    }
}

fn config_rule(text: &str) -> spec::DeviceRule {
    let words: Vec<_> = text[1..].split([' ', ':']).collect();
    let number = |word: &str| if word == "*" { Some(-1) } else { word.parse().ok() };
    let (kind, access) = (Some(words[0].to_owned()), Some(words[3].to_owned()));
    spec::DeviceRule {
        allow: text.starts_with('+'),
        kind,
        major: number(words[1]),
        minor: number(words[2]),
        access,
    }
}

fn request(text: &str) -> Request {
    let words: Vec<_> = text.split([' ', ':']).collect();
    let kind = if words[0] == "b" { Kind::Block } else { Kind::Char };
    let number = |word: &str| word.parse().unwrap();
    Request {
        kind,
        major: number(words[1]),
        minor: number(words[2]),
        access: Access::parse(words[3]).unwrap(),
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
