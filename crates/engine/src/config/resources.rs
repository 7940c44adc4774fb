//! Limits and device rules, for cgroups.

use crate::facts::Facts;
use crate::options::number::{CPU_PERIOD, SwapLimit};
use crate::options::{OptionError, RunOptions};
use spec::{BlockIo, Cpu, DeviceRule, Memory, Pids, Resources};

pub(super) fn resources(
    options: &RunOptions,
    facts: &Facts,
    notes: &mut Vec<String>,
) -> Result<Resources, OptionError> {
    let limits = &options.limits;
    let cpu = Cpu {
        shares: limits.cpu_shares,
        quota: limits.cpu_quota,
        period: limits.cpu_quota.map(|_| CPU_PERIOD),
        cpus: limits.cpuset_cpus.clone(),
        mems: limits.cpuset_mems.clone(),
        ..Cpu::default()
    };
    let block_io = BlockIo {
        weight: limits.blkio_weight,
        throttle_read_bps_device: facts.read_bps.clone(),
        throttle_write_bps_device: facts.write_bps.clone(),
        ..BlockIo::default()
    };
    let memory = memory(options, facts, notes)?;
    Ok(Resources {
        devices: device_rules(options, facts),
        memory: Some(memory).filter(|memory| *memory != Memory::default()),
        cpu: Some(cpu).filter(|cpu| *cpu != Cpu::default()),
        block_io: Some(block_io).filter(|io| *io != BlockIo::default()),
        pids: limits.pids.map(|limit| Pids { limit: Some(limit) }),
        ..Resources::default()
    })
}

/// Without `--memory-swap` a container may swap as much as it may hold in memory, as in Docker.
fn memory(options: &RunOptions, facts: &Facts, notes: &mut Vec<String>) -> Result<Memory, OptionError> {
    let limits = &options.limits;
    // Every number was checked to be below 2^63 when it was read.
    let bytes = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let swap = match (limits.memory_swap, limits.memory) {
        (Some(_), _) if !facts.swap_accounting => {
            return Err(OptionError::new(
                "--memory-swap",
                "this kernel does not count swap by control group",
                "leave it out, or boot with swapaccount=1",
            ));
        }
        (Some(SwapLimit::Unlimited), _) => Some(-1),
        (Some(SwapLimit::Total(total)), _) => Some(bytes(total)),
        (None, Some(memory)) if facts.swap_accounting => Some(bytes(memory.saturating_mul(2))),
        (None, Some(_)) => {
            notes.push("swap is not limited: this kernel does not count it by control group".to_owned());
            None
        }
        (None, None) => None,
    };
    Ok(Memory {
        limit: limits.memory.map(bytes),
        reservation: limits.memory_reservation.map(bytes),
        swap,
        ..Memory::default()
    })
}

/// Nothing but what is granted; everything for a privileged container. The runtime adds the standard devices.
fn device_rules(options: &RunOptions, facts: &Facts) -> Vec<DeviceRule> {
    let every = |allow| DeviceRule { allow, access: Some("rwm".to_owned()), ..DeviceRule::default() };
    if options.privileges.privileged {
        return vec![every(true)];
    }
    let granted = facts.devices.iter().map(|device| DeviceRule {
        allow: true,
        kind: Some(DeviceRule::letter(device.node.kind).to_owned()),
        major: device.node.major.map(i64::from),
        minor: device.node.minor.map(i64::from),
        access: Some(device.access.clone()),
    });
    std::iter::once(every(false)).chain(granted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swap(
        limits: (Option<u64>, Option<SwapLimit>),
        swap_accounting: bool,
    ) -> Result<(Option<i64>, usize), String> {
        let mut options = RunOptions::default();
        (options.limits.memory, options.limits.memory_swap) = limits;
        let mut notes = Vec::new();
        memory(&options, &Facts { swap_accounting, ..Facts::default() }, &mut notes)
            .map(|memory| (memory.swap, notes.len()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn swap_is_as_much_as_memory_unless_it_was_said() {
        assert_eq!(swap((None, None), true), Ok((None, 0)));
        assert_eq!(swap((Some(100), None), true), Ok((Some(200), 0)));
        assert_eq!(swap((Some(100), Some(SwapLimit::Total(100))), true), Ok((Some(100), 0)));
        assert_eq!(swap((Some(100), Some(SwapLimit::Unlimited)), true), Ok((Some(-1), 0)));
        assert_eq!(swap((Some(100), None), false), Ok((None, 1)));
        assert_eq!(
            swap((Some(100), Some(SwapLimit::Unlimited)), false),
            Err("--memory-swap: this kernel does not count swap by control group".to_owned())
        );
    }
}
