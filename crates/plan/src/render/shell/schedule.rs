//! Who runs when and where: chrt(1), ionice(1), taskset(1), numactl(8).

use super::{ShellLine, exact, nearly, none, process_id};
use crate::{Constant, Numbers, Op};

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::SetScheduler { whose, policy, nice, priority, runtime, deadline, period, .. } => {
            let pid = process_id(*whose);
            let name = policy.name.trim_start_matches("SCHED_").to_lowercase();
            let times = match policy.name {
                "SCHED_DEADLINE" => {
                    format!(" --sched-runtime {runtime} --sched-deadline {deadline} --sched-period {period}")
                }
                _ => String::new(),
            };
            let renice = if *nice == 0 { String::new() } else { format!(" && renice -n {nice} {pid}") };
            nearly(
                format!("chrt --{name}{times} --pid {priority} {pid}{renice}"),
                "the shell's own children get it, too",
            )
        }
        Op::SetIoPriority { whose, class, level } => {
            let pid = process_id(*whose);
            nearly(
                format!("ionice -c {} -n {level} -p {pid}", class.value),
                "the shell's own children get it, too",
            )
        }
        Op::SetAffinity { cpus } => exact(format!("taskset --cpu-list --pid {cpus} $$")),
        Op::ResetAffinity => exact("taskset --cpu-list --pid 0-$(($(nproc --all) - 1)) $$".to_owned()),
        Op::SetPersonality { domain } => nearly(
            format!("setarch {}", if domain.value == 0 { "$(uname -m)" } else { "linux32" }),
            "setarch(8) starts a program with it",
        ),
        Op::SetMemoryPolicy { mode, flags, nodes } => memory_policy(*mode, flags, nodes),
        _ => unreachable!("not about scheduling"),
    }
}

fn memory_policy(mode: Constant, flags: &[Constant], nodes: &Numbers) -> ShellLine {
    let option = match mode.name {
        "MPOL_DEFAULT" => return none("numactl(8) cannot take a policy back"),
        "MPOL_BIND" => format!("--membind={nodes}"),
        "MPOL_INTERLEAVE" => format!("--interleave={nodes}"),
        "MPOL_WEIGHTED_INTERLEAVE" => format!("--weighted-interleave={nodes}"),
        "MPOL_PREFERRED" => format!("--preferred={nodes}"),
        "MPOL_PREFERRED_MANY" => format!("--preferred-many={nodes}"),
        _ => "--localalloc".to_owned(),
    };
    let balancing =
        if flags.iter().any(|flag| flag.name == "MPOL_F_NUMA_BALANCING") { "--balancing " } else { "" };
    nearly(format!("numactl {balancing}{option}"), "numactl(8) starts a program with it")
}
