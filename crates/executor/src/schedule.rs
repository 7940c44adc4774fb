//! Where and when a process runs, and where its memory is.

use crate::failure::Error;
use plan::{Constant, Op};
use rustix::io::Errno;
use rustix::process::Pid;
use sys::schedule::Attributes;

/// More processors than any kernel has (`NR_CPUS` is 8192 at most): who asks for all of them gets those of its cpuset.
const EVERY_PROCESSOR: [u64; 128] = [u64::MAX; 128];

/// Performs a step about scheduling on a process; `None`: on this one.
pub(crate) fn set(op: &Op, pid: Option<Pid>) -> Result<(), Error> {
    match op {
        Op::SetScheduler { policy, flags, nice, priority, runtime, deadline, period, .. } => {
            let attributes = Attributes {
                policy: policy.value as u32,
                flags: Constant::bits(flags),
                nice: *nice,
                priority: *priority,
                runtime: *runtime,
                deadline: *deadline,
                period: *period,
            };
            sys::schedule::set_scheduler(pid, &attributes)?;
        }
        Op::SetIoPriority { class, level, .. } => {
            sys::schedule::set_io_priority(pid, class.value as u32, *level)?;
        }
        Op::SetAffinity { cpus } => sys::schedule::set_affinity(&cpus.mask())?,
        Op::ResetAffinity => sys::schedule::set_affinity(&EVERY_PROCESSOR)?,
        Op::SetPersonality { domain } => sys::process::set_personality(domain.value)?,
        Op::SetMemoryPolicy { mode, flags, nodes } => {
            sys::schedule::set_memory_policy(mode.value | Constant::bits(flags), &nodes.mask())?;
        }
        other => return Err(Error::told(Errno::NOSYS, format!("{other} is not about scheduling"))),
    }
    Ok(())
}
