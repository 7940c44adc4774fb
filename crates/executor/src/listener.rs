//! The listener of a filter, on its way from init to who listens.
//!
//! Calls that the filter asks about wait until the listener answers, so init itself must not send it: sendmsg(2)
//! may be such a call. It tells the number alone, and the host takes the descriptor.

use crate::Slots;
use crate::failure::Error;
use plan::Slot;
use rustix::fd::OwnedFd;
use rustix::net::SendFlags;
use rustix::process::{Pid, PidfdGetfdFlags};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// How long an agent that is busy is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes the descriptor of this number out of init.
pub(crate) fn take(slots: &mut Slots, init: &OwnedFd, number: i32) -> Result<(), Error> {
    let listener = rustix::process::pidfd_getfd(init, number, PidfdGetfdFlags::empty())?;
    slots.fill(Slot::Listener, listener);
    Ok(())
}

/// Sends it with the container process state (config-linux.md, "The Container Process State"): one connection,
/// one state. The pid is known only now.
pub(crate) fn send(slots: &mut Slots, path: &Path, state: &Value, pid: Pid) -> Result<(), Error> {
    let listener = slots.take(Slot::Listener)?;
    let agent = sys::socket::connect(path, Some(PATIENCE)).map_err(|errno| {
        let cause = sys::words(&errno.into());
        Error::told(errno, format!("failed to connect with seccomp agent: {cause}"))
    })?;
    let bytes = serde_json::to_vec(&with_pid(state, pid)).map_err(std::io::Error::from)?;
    let sent = sys::socket::send_descriptor(&agent, &bytes, listener)?;
    // The descriptor goes with the first part only, whatever there is left to say.
    let mut left = &bytes[sent..];
    while !left.is_empty() {
        left = &left[rustix::net::send(&agent, left, SendFlags::NOSIGNAL)?..];
    }
    Ok(())
}

/// The process, and the container's own where it has none yet.
fn with_pid(state: &Value, pid: Pid) -> Value {
    let mut state = state.clone();
    let pid = pid.as_raw_nonzero().get();
    state["pid"] = pid.into();
    if state["state"]["pid"].is_null() {
        state["state"]["pid"] = pid.into();
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_container_keeps_its_own_pid() {
        let cases = [
            (json!({ "state": {} }), json!({ "pid": 7, "state": { "pid": 7 } })),
            (json!({ "state": { "pid": 3 } }), json!({ "pid": 7, "state": { "pid": 3 } })),
        ];
        for (state, expect) in cases {
            assert_eq!(with_pid(&state, Pid::from_raw(7).unwrap()), expect);
        }
    }
}
