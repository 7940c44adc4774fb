//! Performs a plan, and decides nothing.
//!
//! [`launch`] runs the host's script in this process and init's in the process that the script clones. The
//! two talk over one socket pair ([`channel`]); when init fails it sends what failed and dies, and the
//! caller gets one [`Failure`] either way. Nothing here knows the configuration that a plan came from.

mod cgroups;
mod channel;
mod copy_up;
mod failure;
mod hint;
mod home;
mod hook;
pub mod init;
mod inside;
mod landlock;
mod listener;
mod mounts;
mod net_devices;
mod netlink;
mod noted;
mod process;
mod program;
mod resctrl;
mod schedule;
mod slots;
mod step;
mod terminal;
mod undo;

pub use channel::{Message, Wire};
pub use failure::{Failure, Kind};
pub use hook::run_hook;
pub use resctrl::write_schemata;
pub use slots::Slots;
pub use undo::undo;

use plan::{Op, Plan, Side, Status, Step};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use std::io;

/// A container whose host script is done.
#[derive(Debug)]
pub struct Launched {
    /// init, in this process's pid namespace.
    pub pid: Pid,
    /// init, by descriptor.
    pub pidfd: OwnedFd,
    channel: Wire,
}

/// Performs the host's script of a checked plan, and starts init on its own.
///
/// `slots` has the descriptors that [`Plan::given`] lists. `record` is called for [`plan::Op::Record`],
/// with init's pid and the state that the container is in.
///
/// # Errors
/// The first step that failed, on either side. init is dead then; what the plan's undo lists is the
/// caller's to [`undo`].
pub fn launch(
    plan: &Plan,
    slots: Slots,
    record: &mut dyn FnMut(Pid, Status) -> io::Result<()>,
) -> Result<Launched, Failure> {
    let mut host = step::Host::new(slots, record);
    for (index, step) in plan.host.0.iter().enumerate() {
        let result = host.perform(&step.op, || init(plan));
        let Err(error) = result else { continue };
        if step.ignore.iter().any(|errno| error.is(errno.raw())) {
            continue;
        }
        let error = host.stop_init(error);
        return Err(error.into_failure(plan, Side::Host, index));
    }
    host.finish()
}

/// init's whole life before it becomes the program.
fn init(plan: &Plan) -> impl FnOnce(Slots, Wire) + '_ {
    let host = rustix::process::getpid();
    move |slots, channel| {
        let mut init = step::Init::new(slots, channel, host);
        let last = last_steps(&plan.init.0);
        for (index, step) in plan.init.0.iter().enumerate() {
            let announced = if index == last { init.announce() } else { Ok(()) };
            let Err(error) = announced.and_then(|()| init.perform(&step.op)) else { continue };
            if step.ignore.iter().any(|errno| error.is(errno.raw())) {
                continue;
            }
            let failure = error.into_failure(plan, Side::Init, index);
            init.report(&failure);
            return;
        }
    }
}

/// From which step on only the filter and the program remain: the filter may forbid to speak of more.
fn last_steps(script: &[Step]) -> usize {
    let remains = |op: &Op| {
        matches!(
            op,
            Op::SetSeccomp { .. } | Op::SetCapabilities { .. } | Op::Exec { .. } | Op::ExecUnderInit { .. }
        )
    };
    let others = script.iter().rposition(|step| !remains(&step.op));
    others.map_or(0, |index| index + 1)
}

impl Launched {
    /// Waits until init has become the program, so that its failure can still be told.
    ///
    /// # Errors
    /// What init reported. init is dead then.
    pub fn wait_for_program(self) -> Result<(Pid, OwnedFd), Failure> {
        let end = self.channel.wait_for_program();
        match end {
            Ok(()) => Ok((self.pid, self.pidfd)),
            Err(failure) => {
                end_process(&self.pidfd);
                Err(failure)
            }
        }
    }

    /// The process, once [`plan::Rendezvous::Created`] was awaited and nothing more is to be said.
    #[must_use]
    pub fn into_process(self) -> (Pid, OwnedFd) {
        (self.pid, self.pidfd)
    }
}

/// Kills a child and reaps it.
pub(crate) fn end_process(pidfd: &OwnedFd) {
    // A child that has ended already cannot be killed, and one that was reaped cannot be waited for: both
    // leave what is wanted.
    let _ = rustix::process::pidfd_send_signal(pidfd, Signal::KILL);
    let _ = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
}
