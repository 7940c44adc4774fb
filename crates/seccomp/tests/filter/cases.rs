//! One case for each rule of the rules.

use crate::support::{Data, audit, interpreter, rule};
use seccomp::{Action, Arch, Filter, compile};
use spec::{Seccomp, SyscallRule};

const ALLOW: Action = Action::Allow;
const EPERM: Action = Action::Errno(1);
const ENOSYS: Action = Action::Errno(38);
const KILL: Action = Action::KillProcess;

fn deny_but(rules: Vec<SyscallRule>) -> Seccomp {
    Seccomp { default_action: "SCMP_ACT_ERRNO".into(), syscalls: rules, ..Seccomp::default() }
}

fn allow_but(rules: Vec<SyscallRule>) -> Seccomp {
    Seccomp { default_action: "SCMP_ACT_ALLOW".into(), syscalls: rules, ..Seccomp::default() }
}

fn built(rules: &Seccomp) -> Filter {
    let filter = compile(rules, Arch::X86_64).unwrap();
    interpreter::load(&filter.program).unwrap();
    filter
}

/// Each call is `(arch, number, first arguments, verdict)`.
fn check(rules: &Seccomp, calls: &[(Arch, u32, &[u64], Action)]) {
    let filter = built(rules);
    for (arch, number, first, expected) in calls {
        let mut args = [0; 6];
        args[..first.len()].copy_from_slice(first);
        let data = Data { arch: audit(*arch), number: *number, args };
        let verdict = Action::from_return(interpreter::run(&filter.program, &data).0);
        assert_eq!(verdict, *expected, "{data:?}\n{}", seccomp::disassemble(&filter.program));
    }
}

use Arch::{Aarch64, Arm, X32, X86, X86_64};

#[test]
fn each_operator_compares_all_64_bits_without_sign() {
    const VALUE: u64 = 0x5_0000_0007;
    let below: [u64; 4] = [0, 7, 0x5_0000_0006, 0x4_ffff_ffff];
    let above: [u64; 4] = [0x5_0000_0008, 0x6_0000_0000, 0x6_0000_0007, u64::MAX];
    for (op, holds_below, holds_at, holds_above) in [
        ("NE", true, false, true),
        ("LT", true, false, false),
        ("LE", true, true, false),
        ("EQ", false, true, false),
        ("GE", false, true, true),
        ("GT", false, false, true),
    ] {
        let rules = deny_but(vec![rule(&["close"], "ALLOW", &[(0, op, VALUE, 0)])]);
        let expected = |holds| if holds { ALLOW } else { EPERM };
        for (values, holds) in [(&below[..], holds_below), (&[VALUE], holds_at), (&above, holds_above)] {
            for value in values {
                check(&rules, &[(X86_64, 3, &[*value], expected(holds))]);
            }
        }
    }
}

#[test]
fn a_mask_applies_to_both_sides() {
    let rules =
        deny_but(vec![rule(&["close"], "ALLOW", &[(0, "MASKED_EQ", 0xf0_0000_00f0, 0x20_0000_0fff)])]);
    check(
        &rules,
        &[
            (X86_64, 3, &[0x20_0000_00f0], ALLOW),
            (X86_64, 3, &[0x0f2f_ffff_ffff], ALLOW),
            (X86_64, 3, &[0x20_0000_0000], EPERM),
            (X86_64, 3, &[0x30_0000_00f0], EPERM),
        ],
    );
}

#[test]
fn conditions_on_different_arguments_must_all_hold() {
    let rules = deny_but(vec![rule(&["close"], "ALLOW", &[(0, "EQ", 1, 0), (5, "GT", 2, 0)])]);
    check(
        &rules,
        &[
            (X86_64, 3, &[1, 0, 0, 0, 0, 3], ALLOW),
            (X86_64, 3, &[1, 0, 0, 0, 0, 2], EPERM),
            (X86_64, 3, &[0, 0, 0, 0, 0, 3], EPERM),
        ],
    );
}

#[test]
fn a_repeated_argument_makes_every_condition_an_alternative() {
    let rules =
        deny_but(vec![rule(&["close"], "ALLOW", &[(0, "EQ", 1, 0), (1, "EQ", 7, 0), (0, "EQ", 2, 0)])]);
    check(
        &rules,
        &[
            (X86_64, 3, &[1, 0], ALLOW),
            (X86_64, 3, &[2, 0], ALLOW),
            (X86_64, 3, &[3, 7], ALLOW),
            (X86_64, 3, &[3, 0], EPERM),
        ],
    );
}

#[test]
fn a_rule_without_conditions_outdoes_the_others_wherever_it_stands() {
    let rules = deny_but(vec![
        rule(&["close"], "KILL_PROCESS", &[(0, "EQ", 1, 0)]),
        rule(&["close"], "ALLOW", &[]),
        rule(&["close"], "TRAP", &[]),
        rule(&["close"], "LOG", &[(0, "EQ", 2, 0)]),
    ]);
    check(&rules, &[(X86_64, 3, &[1], ALLOW), (X86_64, 3, &[2], ALLOW)]);
}

#[test]
fn of_rules_with_conditions_the_first_that_holds_decides() {
    let rules = deny_but(vec![
        rule(&["close"], "TRAP", &[(0, "EQ", 1, 0)]),
        rule(&["close"], "ALLOW", &[(0, "LE", 1, 0)]),
        rule(&["close"], "KILL_PROCESS", &[(0, "LE", 2, 0)]),
    ]);
    check(
        &rules,
        &[
            (X86_64, 3, &[0], ALLOW),
            (X86_64, 3, &[1], Action::Trap),
            (X86_64, 3, &[2], KILL),
            (X86_64, 3, &[3], EPERM),
        ],
    );
}

#[test]
fn a_rule_that_repeats_the_default_hides_no_other() {
    let rules = deny_but(vec![rule(&["close"], "ERRNO", &[]), rule(&["close"], "ALLOW", &[])]);
    check(&rules, &[(X86_64, 3, &[], ALLOW)]);
}

#[test]
fn an_architecture_that_is_not_listed_kills_the_process() {
    let mut rules = deny_but(vec![rule(&["read"], "ALLOW", &[])]);
    let native: [(Arch, u32, &[u64], Action); 2] = [(X86_64, 0, &[], ALLOW), (Aarch64, 63, &[], KILL)];
    check(&rules, &native);
    check(&rules, &[(X86, 3, &[], KILL), (X32, 0x4000_0000, &[], KILL), (X32, 0xffff_fffe, &[], KILL)]);
    rules.architectures = vec!["SCMP_ARCH_X86".into(), "SCMP_ARCH_X32".into(), "SCMP_ARCH_MIPS".into()];
    check(&rules, &native);
    check(&rules, &[(X86, 3, &[], ALLOW), (X86, 0, &[], EPERM), (X32, 0x4000_0000, &[], ALLOW)]);
    check(&rules, &[(Arm, 3, &[], KILL)]);
}

#[test]
fn a_call_that_a_tracer_cancelled_is_not_foreign() {
    let cancelled = u32::MAX;
    check(&allow_but(vec![]), &[(X86_64, cancelled, &[], ALLOW)]);
    check(&deny_but(vec![rule(&["read"], "ALLOW", &[])]), &[(X86_64, cancelled, &[], ENOSYS)]);
}

#[test]
fn calls_newer_than_the_profile_are_missing_rather_than_forbidden() {
    let rules = |default: &str, errno| Seccomp {
        default_action: format!("SCMP_ACT_{default}"),
        default_errno_ret: errno,
        ..deny_but(vec![rule(&["read", "clone3"], "ALLOW", &[]), rule(&["faccessat2"], "ERRNO", &[])])
    };
    for (default, errno, below, above) in [
        ("ERRNO", None, EPERM, ENOSYS),
        ("ERRNO", Some(13), Action::Errno(13), ENOSYS),
        ("ERRNO", Some(38), ENOSYS, ENOSYS),
        ("KILL", None, Action::KillThread, ENOSYS),
        ("LOG", None, Action::Log, Action::Log),
        ("TRACE", None, Action::Trace(1), Action::Trace(1)),
    ] {
        check(
            &rules(default, errno),
            &[
                (X86_64, 435, &[], ALLOW),
                (X86_64, 436, &[], below),
                (X86_64, 440, &[], above),
                (X86_64, 0x3fff_ffff, &[], above),
            ],
        );
    }
    // Even a rule that only repeats the default makes a call known.
    check(&rules("ERRNO", None), &[(X86_64, 439, &[], EPERM), (X86_64, 440, &[], ENOSYS)]);
    // A profile that names nothing knows nothing of what is new.
    check(&deny_but(vec![]), &[(X86_64, 440, &[], EPERM)]);
}

#[test]
fn arms_own_calls_do_not_make_a_profile_new() {
    let mut rules = deny_but(vec![rule(&["read", "set_tls"], "ALLOW", &[])]);
    rules.architectures = vec!["SCMP_ARCH_ARM".into()];
    let filter = compile(&rules, Aarch64).unwrap();
    let verdict = |number| {
        let data = Data { arch: audit(Arm), number, args: [0; 6] };
        Action::from_return(interpreter::run(&filter.program, &data).0)
    };
    assert_eq!(
        [3, 2, 4, 0xf0004, 0xf0005, 0xf0006].map(verdict),
        [ALLOW, EPERM, ENOSYS, ENOSYS, ALLOW, ENOSYS]
    );
}

#[test]
fn on_32_bits_only_the_low_half_counts() {
    let mut rules = deny_but(vec![rule(&["close"], "ALLOW", &[(0, "EQ", 0x1_0000_0005, 0)])]);
    rules.architectures = vec!["SCMP_ARCH_X86".into(), "SCMP_ARCH_X32".into()];
    check(
        &rules,
        &[
            (X86_64, 3, &[5], EPERM),
            (X86_64, 3, &[0x1_0000_0005], ALLOW),
            (X86, 6, &[5], ALLOW),
            (X32, 0x4000_0003, &[5], ALLOW),
        ],
    );
}

#[test]
fn a_socket_rule_covers_socketcall() {
    let mut rules = allow_but(vec![rule(&["socket"], "ERRNO", &[(0, "EQ", 40, 0)])]);
    rules.architectures = vec!["SCMP_ARCH_X86".into()];
    check(
        &rules,
        &[
            (X86, 359, &[40], EPERM),
            (X86, 359, &[1], ALLOW),
            (X86, 102, &[1], EPERM),
            (X86, 102, &[2], ALLOW),
            (X86_64, 41, &[40], EPERM),
        ],
    );
}

#[test]
fn unknown_names_are_passed_over() {
    let rules = deny_but(vec![rule(&["read", "frobnicate"], "ALLOW", &[]), rule(&[], "ALLOW", &[])]);
    check(&rules, &[(X86_64, 0, &[], ALLOW)]);
}

#[test]
fn flags_are_bits() {
    let flags = |names: &[&str], notify: bool| {
        let mut rules = deny_but(vec![rule(&["read"], if notify { "NOTIFY" } else { "ALLOW" }, &[])]);
        rules.flags = names.iter().map(|name| format!("SECCOMP_FILTER_FLAG_{name}")).collect();
        let filter = built(&rules);
        assert_eq!(filter.notify, notify);
        filter.flags
    };
    assert_eq!(flags(&[], false), 4);
    assert_eq!(flags(&["LOG", "TSYNC"], false), 2);
    assert_eq!(flags(&["WAIT_KILLABLE_RECV"], false), 0);
    assert_eq!(flags(&["WAIT_KILLABLE_RECV", "SPEC_ALLOW"], true), 32 | 4 | 8);
}

#[test]
fn an_error_names_the_place_the_value_and_what_may_stand_there() {
    let message = |change: &dyn Fn(&mut Seccomp)| {
        let mut rules = deny_but(vec![
            rule(&["read"], "ALLOW", &[]),
            rule(&["write"], "ALLOW", &[(0, "EQ", 1, 0), (1, "EQ", 1, 0)]),
        ]);
        change(&mut rules);
        compile(&rules, X86_64).unwrap_err().to_string()
    };
    let actions = seccomp::ACTIONS.join(", ");
    assert_eq!(
        message(&|rules| rules.syscalls[1].action = "ALLOW".into()),
        format!("/linux/seccomp/syscalls/1/action: unknown action \"ALLOW\"; it is one of {actions}")
    );
    assert_eq!(
        message(&|rules| rules.default_action = String::new()),
        format!("/linux/seccomp/defaultAction: unknown action \"\"; it is one of {actions}")
    );
    assert_eq!(
        message(&|rules| rules.default_errno_ret = Some(5000)),
        "/linux/seccomp/defaultErrnoRet: 5000 is too high for an errno, which goes from 0 to 4095"
    );
    assert_eq!(
        message(&|rules| rules.syscalls[0].errno_ret = Some(1)),
        "/linux/seccomp/syscalls/0/errnoRet: SCMP_ACT_ALLOW takes no errno; only SCMP_ACT_ERRNO and \
         SCMP_ACT_TRACE do"
    );
    assert_eq!(
        message(&|rules| rules.syscalls[1].args[1].op = "SCMP_CMP_XX".into()),
        format!(
            "/linux/seccomp/syscalls/1/args/1/op: unknown operator \"SCMP_CMP_XX\"; it is one of {}",
            seccomp::OPERATORS.join(", ")
        )
    );
    assert_eq!(
        message(&|rules| rules.syscalls[1].args[1].index = 6),
        "/linux/seccomp/syscalls/1/args/1/index: 6 is too high for the index of an argument, which goes \
         from 0 to 5"
    );
    assert_eq!(
        message(&|rules| rules.architectures = vec!["SCMP_ARCH_X86".into(), "amd64".into()]),
        format!(
            "/linux/seccomp/architectures/1: unknown architecture \"amd64\"; it is one of {}",
            seccomp::ARCHITECTURES.join(", ")
        )
    );
    assert_eq!(
        message(&|rules| rules.flags = vec!["LOG".into()]),
        format!("/linux/seccomp/flags/0: unknown flag \"LOG\"; it is one of {}", seccomp::FLAGS.join(", "))
    );
    assert!(
        message(&|rules| rules.default_action = "SCMP_ACT_NOTIFY".into())
            .starts_with("/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be the default")
    );
}

#[test]
fn a_program_that_the_kernel_would_not_take_is_an_error() {
    let rules = |count| {
        deny_but((0..count).map(|value| rule(&["close"], "ALLOW", &[(0, "EQ", value << 32, 0)])).collect())
    };
    built(&rules(900));
    let error = compile(&rules(1100), X86_64).unwrap_err();
    assert!(error.to_string().contains("the kernel accepts 4096"), "{error}");
}
