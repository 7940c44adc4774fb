//! Our program against libseccomp's, for the same rules and the same calls.
//!
//! Needs `cc` and libseccomp's headers; counted as skipped where they are missing.

#[allow(dead_code, reason = "shared with the bench, which asks how long it took")]
mod oracle;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use the rest")]
mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use oracle::Oracle;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use seccomp::{Arch, compile, default_profile};
use spec::{CapabilitySet, Seccomp, SeccompArg, SyscallRule};
use std::process::ExitCode;
use std::sync::Arc;
use support::{Data, audit, calls, interpreter, rule};

type Test = fn(&Oracle) -> Result<(), Failed>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let oracle = Oracle::build().map(Arc::new);
    let tests: [(&str, Test); 3] = [
        ("random_rules_mean_the_same", random_rules_mean_the_same),
        ("conflicting_rules_are_settled_alike", conflicting_rules_are_settled_alike),
        ("the_default_profile_means_the_same", the_default_profile_means_the_same),
    ];
    let trials = tests
        .into_iter()
        .map(|(name, test)| match &oracle {
            Ok(oracle) => {
                let oracle = Arc::clone(oracle);
                Trial::test(name, move || test(&oracle))
            }
            Err(reason) => {
                // Standard output belongs to the list of tests.
                eprintln!("skipped: {name}: {reason}");
                let reason = reason.clone();
                Trial::test(name, || Err(reason.into())).with_ignored_flag(true)
            }
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Compares both programs for `rules` on `calls`.
fn compare(oracle: &Oracle, rules: &Seccomp, native: Arch, calls: &[Data]) -> Result<(), String> {
    let ours = compile(rules, native).map_err(|error| error.to_string())?.program;
    let theirs = oracle.ask(rules, native).program;
    for call in calls {
        let (our, their) = (interpreter::run(&ours, call).0, interpreter::run(&theirs, call).0);
        if our != their {
            return Err(format!(
                "{call:?}: we say {our:#x}, libseccomp {their:#x}\nours:\n{}theirs:\n{}",
                seccomp::disassemble(&ours),
                seccomp::disassemble(&theirs)
            ));
        }
    }
    Ok(())
}

/// Rules whose meaning does not depend on the order in which libseccomp keeps them: those with
/// conditions have one action for each call. The default is one for which runc adds nothing.
fn rules() -> impl Strategy<Value = Seccomp> {
    let default = prop_oneof![
        Just(("SCMP_ACT_ALLOW", None)),
        Just(("SCMP_ACT_LOG", None)),
        Just(("SCMP_ACT_ERRNO", Some(38))),
    ];
    let one = (calls::names(), calls::arguments(3), calls::action());
    let conditional = vec(calls::action(), 3);
    (default, calls::architectures(), conditional, vec(one, 0..40)).prop_map(
        |((default_action, default_errno_ret), architectures, conditional, rules)| Seccomp {
            default_action: default_action.to_owned(),
            default_errno_ret,
            architectures,
            syscalls: rules
                .into_iter()
                .flat_map(|(names, args, action)| {
                    let of = |name: &str| {
                        let kind = kind(name);
                        let conflicts = args.is_empty() && kind == ALONE;
                        if conflicts { action.clone() } else { conditional[kind].clone() }
                    };
                    let split = names.iter().map(|name| {
                        let (action, errno_ret) = of(name);
                        SyscallRule { names: vec![name.clone()], action, errno_ret, args: args.clone() }
                    });
                    split.collect::<Vec<_>>()
                })
                .collect(),
            ..Default::default()
        },
    )
}

/// Calls that share a multiplexer must share an action: their rules have conditions on 32-bit x86.
fn kind(name: &str) -> usize {
    match name {
        "socket" | "socketcall" | "accept" | "sendto" => 0,
        "ipc" | "semop" | "shmat" => 1,
        _ => ALONE,
    }
}

const ALONE: usize = 2;

/// Two mistakes of libseccomp 2.5.4 would hide everything else, so the rules keep clear of them:
///
/// - It may jump from one comparison into the middle of another, where the accumulator should hold
///   another word. So a call has several conditional rules only if they ask for equality.
/// - With a rule for a call that an architecture does not have it may forget to load the number.
fn drop_what_libseccomp_gets_wrong(rules: &mut Seccomp, native: Arch) {
    let listed = |arch: &Arch| *arch == native || rules.architectures.iter().any(|name| name == arch.name());
    let listed: Vec<_> = Arch::ALL.into_iter().filter(listed).collect();
    let same_call = |a: &SyscallRule, b: &SyscallRule| {
        a.names == b.names || kind(&a.names[0]) != ALONE && kind(&a.names[0]) == kind(&b.names[0])
    };
    let harmless = |arg: &SeccompArg| arg.op.ends_with("EQ");
    let mut kept: Vec<SyscallRule> = Vec::new();
    for rule in rules.syscalls.drain(..) {
        let name = &rule.names[0];
        let has = |arch: &Arch| arch.number(name).is_some();
        let alone = kept.iter().all(|other| !same_call(other, &rule)) && !repeated(&rule.args);
        let others = kept.iter().filter(|other| same_call(other, &rule));
        let mut conditions = others.flat_map(|other| &other.args).chain(&rule.args);
        if listed.iter().all(has) && (alone || conditions.all(harmless)) {
            kept.push(rule);
        }
    }
    rules.syscalls = kept;
}

fn repeated(args: &[SeccompArg]) -> bool {
    args.iter().enumerate().any(|(at, arg)| args[..at].iter().any(|other| other.index == arg.index))
}

fn random_rules_mean_the_same(oracle: &Oracle) -> Result<(), Failed> {
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let native = proptest::sample::select(&[Arch::X86_64, Arch::Aarch64][..]);
    // Always the same cases: what libseccomp gets wrong must not fail a run now and then.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, random)
        .run(&(rules(), native, calls::calls(300)), |(mut rules, native, calls)| {
            // libseccomp lets any architecture in; a kernel runs its own family.
            let arm = |name: &str| name.ends_with("ARM") || name.ends_with("AARCH64");
            rules.architectures.retain(|name| arm(name) == arm(native.name()));
            drop_what_libseccomp_gets_wrong(&mut rules, native);
            compare(oracle, &rules, native, &calls.0).map_err(TestCaseError::fail)
        })
        .map_err(|error| error.to_string().into())
}

fn conflicting_rules_are_settled_alike(oracle: &Oracle) -> Result<(), Failed> {
    let some = &[(0, "EQ", 1, 0)][..];
    for list in [
        vec![rule(&["close"], "TRAP", some), rule(&["close"], "LOG", &[])],
        vec![rule(&["close"], "LOG", &[]), rule(&["close"], "TRAP", some)],
        vec![rule(&["close"], "LOG", &[]), rule(&["close"], "TRAP", &[])],
        vec![rule(&["close"], "TRAP", some), rule(&["close"], "LOG", &[]), rule(&["close"], "KILL", &[])],
        vec![rule(&["close"], "ALLOW", &[]), rule(&["close"], "TRAP", some)],
        vec![rule(&["close"], "TRAP", &[(0, "MASKED_EQ", 0, 7)]), rule(&["close"], "LOG", some)],
    ] {
        let rules = Seccomp { default_action: "SCMP_ACT_ALLOW".into(), syscalls: list, ..Default::default() };
        let calls = [0, 1, 2].map(|first| Data {
            arch: audit(Arch::X86_64),
            number: 3,
            args: [first, 0, 0, 0, 0, 0],
        });
        compare(oracle, &rules, Arch::X86_64, &calls)?;
    }
    Ok(())
}

/// Every number that this libseccomp knows, on every architecture, with arguments that matter.
fn the_default_profile_means_the_same(oracle: &Oracle) -> Result<(), Failed> {
    const NEWEST_KNOWN: u32 = 450;
    for capabilities in [CapabilitySet::EMPTY, CapabilitySet::from_bits(u64::MAX)] {
        for native in [Arch::X86_64, Arch::Aarch64] {
            let mut rules = default_profile(capabilities, native);
            let unknown = oracle.ask(&rules, native).unknown;
            for rule in &mut rules.syscalls {
                rule.names.retain(|name| !unknown.contains(name) || name == "rseq_slice_yield");
            }
            let firsts =
                [0, 8, 17, 37, 38, 39, 40, 41, 45, 63, 0x20008, 0x7e02_0000, 0xffff_ffff, 1 << 32 | 38];
            let mut calls = Vec::new();
            for arch in Arch::ALL {
                let bits = if arch == Arch::X32 { 0x4000_0000 } else { 0 };
                for number in (0..=NEWEST_KNOWN).chain(512..548) {
                    // Above 511 only x32 has calls; elsewhere runc's ENOSYS, which libseccomp lacks.
                    if (number > NEWEST_KNOWN) == (arch == Arch::X32 && number >= 512)
                        || number <= NEWEST_KNOWN
                    {
                        calls.extend(firsts.map(|first| Data {
                            arch: audit(arch),
                            number: bits | number,
                            args: [first, 0, 0, 0, 0, 0],
                        }));
                    }
                }
            }
            compare(oracle, &rules, native, &calls)?;
        }
    }
    Ok(())
}
