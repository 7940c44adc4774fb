//! Attempts on processes, and use of memory, processes and processor time, for limits to bite.

use std::env;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use lexopt::Error;
use probe::{Burn, Forks};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use super::Outcome;
use crate::errno;

const MIB: usize = 1024 * 1024;
/// The least size of a page; one write to each makes it resident.
const PAGE: usize = 4096;

/// kill(2). Signal 0 only asks whether it would be allowed.
pub fn kill(pid: i32, signal: i32) -> Result<Outcome, Error> {
    let pid = Pid::from_raw(pid).filter(|_| pid > 0).ok_or("a process id is above 0")?;
    let sent = match signal {
        0 => test_kill_process(pid),
        signal => {
            let signal = Signal::from_named_raw(signal).ok_or_else(|| format!("no signal {signal}"))?;
            kill_process(pid, signal)
        }
    };
    Ok(sent.map(|()| Value::Null).map_err(Into::into))
}

/// Allocates and touches so many bytes, saying how far it is after each 16 MiB.
pub fn fill_memory(bytes: usize) -> Outcome {
    let mut chunks = Vec::new();
    let mut touched = 0;
    while touched < bytes {
        let mut chunk = vec![0u8; MIB.min(bytes - touched)];
        chunk.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
        touched += chunk.len();
        chunks.push(chunk);
        if touched.is_multiple_of(16 * MIB) {
            writeln!(io::stderr(), "touched {touched}")?;
        }
    }
    Ok(json!({ "touched": chunks.iter().map(Vec::len).sum::<usize>() }))
}

/// Starts so many children that sleep, up to the first that cannot be made; then ends them.
pub fn fork_many(count: u32) -> Outcome {
    let this = env::current_exe()?;
    let mut children = Vec::new();
    let mut first_error = None;
    while children.len() < count as usize {
        match Command::new(&this).arg("sleep").stdin(Stdio::null()).stdout(Stdio::null()).spawn() {
            Ok(child) => children.push(child),
            Err(error) => {
                first_error = Some(errno::name(&error));
                break;
            }
        }
    }
    let made = children.len() as u32;
    for mut child in children {
        child.kill()?;
        child.wait()?;
    }
    Ok(json!(Forks { made, first_error }))
}

/// Says each to the socket that NOTIFY_SOCKET names (sd_notify(3)).
pub fn notify(messages: &[&str]) -> Outcome {
    let path = std::env::var_os("NOTIFY_SOCKET").unwrap_or_default();
    let socket = std::os::unix::net::UnixDatagram::unbound()?;
    for message in messages {
        socket.send_to(message.as_bytes(), &path)?;
    }
    Ok(json!(path.to_string_lossy()))
}

/// Computes for so many seconds; the detail is how much processor time that gave.
pub fn burn(seconds: f64) -> Outcome {
    let start = Instant::now();
    let mut turns = 0u64;
    while start.elapsed().as_secs_f64() < seconds {
        turns = std::hint::black_box(turns.wrapping_mul(31).wrapping_add(7));
    }
    let wall = start.elapsed().as_secs_f64();
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Ok(json!(Burn { wall, cpu: used.tv_sec as f64 + used.tv_nsec as f64 / 1e9 }))
}
