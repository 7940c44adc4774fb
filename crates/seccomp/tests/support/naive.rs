//! What rules mean, written down as straightforwardly as can be: no tree, no table, no halves.

use super::{Data, audit};
use seccomp::Arch;
use spec::{Seccomp, SeccompArg, SyscallRule};

const KILL_PROCESS: u32 = 0x8000_0000;
const ENOSYS: u32 = 0x0005_0000 | 38;

/// The value that a filter for `rules` has to return.
pub fn verdict(rules: &Seccomp, native: Arch, data: &Data) -> u32 {
    let Some(arch) = arch_of(rules, native, data) else {
        return KILL_PROCESS;
    };
    let default = value(&rules.default_action, rules.default_errno_ret);
    let bits = if arch == Arch::X32 { 0x4000_0000 } else { 0 };
    let bare = data.number ^ bits;

    let relevant = rules.syscalls.iter().filter(|rule| value(&rule.action, rule.errno_ret) != default);
    let mut first = None;
    for rule in relevant {
        for conditions in ways_to_match(rule, arch, data) {
            let wide = matches!(arch, Arch::X86_64 | Arch::Aarch64);
            let told = value(&rule.action, rule.errno_ret);
            if conditions.iter().all(|arg| is_void(arg, wide)) {
                return told;
            }
            if first.is_none() && conditions.iter().all(|arg| holds(arg, data, wide)) {
                first = Some(told);
            }
        }
    }

    let known = rules.syscalls.iter().flat_map(|rule| &rule.names).filter_map(|name| arch.number(name));
    let multiplexers = rules
        .syscalls
        .iter()
        .flat_map(|rule| &rule.names)
        .filter_map(|name| selector(name).filter(|_| arch == Arch::X86).map(|(number, _)| number));
    let newest =
        known.map(|number| number ^ bits).filter(|number| *number < 0xf0000).chain(multiplexers).max();
    let named =
        rules.syscalls.iter().flat_map(|rule| &rule.names).any(|name| arch.number(name) == Some(data.number));
    let lets_pass =
        ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].contains(&rules.default_action.as_str());
    match (first, newest) {
        (Some(told), _) => told,
        (None, Some(newest)) if bare > newest && !named && !lets_pass => ENOSYS,
        _ => default,
    }
}

fn arch_of(rules: &Seccomp, native: Arch, data: &Data) -> Option<Arch> {
    let x32 = data.number >= 0x4000_0000;
    // A kernel runs what is of its own family; other names in the list mean nothing on it.
    let is_arm = |arch| matches!(arch, Arch::Aarch64 | Arch::Arm);
    let let_in = |arch: &Arch| {
        *arch == native
            || is_arm(*arch) == is_arm(native) && rules.architectures.iter().any(|name| name == arch.name())
    };
    let mut candidates = Arch::ALL.into_iter().filter(|arch| audit(*arch) == data.arch).filter(let_in);
    if data.number == u32::MAX {
        // A tracer cancelled the call; it was let in.
        return candidates.next();
    }
    candidates.find(|arch| audit(*arch) != audit(Arch::X32) || (*arch == Arch::X32) == x32)
}

/// Each list of conditions that makes `rule` apply to this call.
fn ways_to_match(rule: &SyscallRule, arch: Arch, data: &Data) -> Vec<Vec<SeccompArg>> {
    let repeated = (0..6).any(|index| rule.args.iter().filter(|arg| arg.index == index).count() > 1);
    let alternatives: Vec<Vec<SeccompArg>> = if repeated {
        rule.args.iter().map(|arg| vec![arg.clone()]).collect()
    } else {
        vec![rule.args.clone()]
    };
    let mut ways = Vec::new();
    for name in &rule.names {
        if arch.number(name) == Some(data.number) {
            ways.extend(alternatives.clone());
        }
        if let Some((number, selector)) = selector(name)
            && arch == Arch::X86
            && data.number == number
        {
            for alternative in &alternatives {
                let mut way = alternative.clone();
                way.retain(|arg| arg.index != 0);
                way.push(SeccompArg { index: 0, value: selector, value_two: 0, op: "SCMP_CMP_EQ".into() });
                ways.push(way);
            }
        }
    }
    ways
}

/// Some of the calls that 32-bit x86 multiplexes: those that [`super::calls`] draws from.
fn selector(name: &str) -> Option<(u32, u64)> {
    Some(match name {
        "socket" => (102, 1),
        "accept" => (102, 5),
        "sendto" => (102, 11),
        "semop" => (117, 1),
        "shmat" => (117, 21),
        _ => return None,
    })
}

fn is_void(arg: &SeccompArg, wide: bool) -> bool {
    arg.op == "SCMP_CMP_MASKED_EQ" && cut(arg.value, wide) == 0
}

fn holds(arg: &SeccompArg, data: &Data, wide: bool) -> bool {
    let actual = cut(data.args[arg.index as usize], wide);
    let value = cut(arg.value, wide);
    match arg.op.as_str() {
        "SCMP_CMP_NE" => actual != value,
        "SCMP_CMP_LT" => actual < value,
        "SCMP_CMP_LE" => actual <= value,
        "SCMP_CMP_EQ" => actual == value,
        "SCMP_CMP_GE" => actual >= value,
        "SCMP_CMP_GT" => actual > value,
        "SCMP_CMP_MASKED_EQ" => actual & value == arg.value_two & value,
        other => panic!("no operator {other}"),
    }
}

fn cut(value: u64, wide: bool) -> u64 {
    if wide { value } else { value & 0xffff_ffff }
}

/// `SECCOMP_RET_...`.
pub fn value(action: &str, errno: Option<u32>) -> u32 {
    match action {
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => 0,
        "SCMP_ACT_KILL_PROCESS" => KILL_PROCESS,
        "SCMP_ACT_TRAP" => 0x0003_0000,
        "SCMP_ACT_ERRNO" => 0x0005_0000 | errno.unwrap_or(1),
        "SCMP_ACT_NOTIFY" => 0x7fc0_0000,
        "SCMP_ACT_TRACE" => 0x7ff0_0000 | errno.unwrap_or(1),
        "SCMP_ACT_LOG" => 0x7ffc_0000,
        "SCMP_ACT_ALLOW" => 0x7fff_0000,
        other => panic!("no action {other}"),
    }
}
