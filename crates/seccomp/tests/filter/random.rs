//! The program against a plain reading of the rules, over random rules and calls.

use crate::support::{calls, interpreter, naive};
use proptest::collection::vec;
use proptest::prelude::*;
use seccomp::Arch;

fn rules() -> impl Strategy<Value = spec::Seccomp> {
    (calls::action(), calls::architectures(), vec(calls::rule(), 0..12)).prop_map(
        |((default_action, default_errno_ret), architectures, syscalls)| spec::Seccomp {
            default_action,
            default_errno_ret,
            architectures,
            syscalls,
            ..Default::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_program_says_what_the_rules_say(
        rules in rules(),
        native in proptest::sample::select(&[Arch::X86_64, Arch::Aarch64][..]),
        calls in calls::calls(100),
    ) {
        let filter = seccomp::compile(&rules, native).unwrap();
        interpreter::load(&filter.program).unwrap();
        for call in calls.0 {
            let (verdict, _) = interpreter::run(&filter.program, &call);
            prop_assert_eq!(
                verdict, naive::verdict(&rules, native, &call),
                "{:?}\n{}", call, seccomp::disassemble(&filter.program)
            );
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..Default::default() })]

    /// Enough rules that jumps need stepping stones.
    #[test]
    fn long_programs_jump_far(rules in vec(calls::rule(), 100..140), calls in calls::calls(300)) {
        let rules = spec::Seccomp {
            default_action: "SCMP_ACT_ERRNO".into(),
            architectures: vec!["SCMP_ARCH_X86".into(), "SCMP_ARCH_X32".into()],
            syscalls: rules,
            ..Default::default()
        };
        match seccomp::compile(&rules, Arch::X86_64) {
            Ok(filter) => {
                interpreter::load(&filter.program).unwrap();
                for call in calls.0 {
                    let (verdict, _) = interpreter::run(&filter.program, &call);
                    prop_assert_eq!(verdict, naive::verdict(&rules, Arch::X86_64, &call), "{:?}", call);
                }
            }
            Err(error) => prop_assert!(matches!(error, seccomp::Error::TooLong(_)), "{}", error),
        }
    }
}
