//! Where and when a process runs and where its memory is.

use super::{Call, call};
use crate::{Constant, Numbers, Op};

pub(super) fn calls(op: &Op) -> Vec<Call> {
    vec![match op {
        Op::SetScheduler { whose, policy, flags, nice, priority, runtime, deadline, period } => call(
            "sched_setattr",
            format!(
                "{whose}, {{size=56, sched_policy={}, sched_flags={}, sched_nice={nice}, sched_priority={priority}, \
                 sched_runtime={runtime}, sched_deadline={deadline}, sched_period={period}, sched_util_min=0, \
                 sched_util_max=0}}, 0",
                policy.name,
                joined(flags),
            ),
        ),
        Op::SetIoPriority { whose, class, level } => call(
            "ioprio_set",
            format!("IOPRIO_WHO_PROCESS, {whose}, IOPRIO_PRIO_VALUE({}, {level})", class.name),
        ),
        Op::SetAffinity { cpus } => {
            call("sched_setaffinity", format!("0, {}, [{}]", cpus.mask().len() * 8, spaced(cpus)))
        }
        Op::ResetAffinity => call("sched_setaffinity", "0, 1024, [every processor]".to_owned()),
        Op::SetPersonality { domain } => call("personality", format!("PER_{}", domain.name)),
        Op::SetMemoryPolicy { mode, flags, nodes } => {
            let mode: Vec<_> = [mode].into_iter().chain(flags).map(|constant| constant.name).collect();
            let mask: Vec<_> = nodes.mask().iter().map(|word| format!("{word:#016x}")).collect();
            let nodes = match mask.len() {
                0 => "NULL, 0".to_owned(),
                words => format!("[{}], {}", mask.join(", "), words * 64 + 1),
            };
            call("set_mempolicy", format!("{}, {nodes}", mode.join("|")))
        }
        _ => unreachable!("not about scheduling"),
    }]
}

fn joined(flags: &[Constant]) -> String {
    let names: Vec<_> = flags.iter().map(|flag| flag.name).collect();
    if names.is_empty() { "0".to_owned() } else { names.join("|") }
}

fn spaced(numbers: &Numbers) -> String {
    numbers.iter().map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
}
