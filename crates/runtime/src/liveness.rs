//! Whether a process still is the one that was recorded.

use crate::record::Init;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::io;

/// State letter and start time of a process, from `/proc/PID/stat`.
struct Stat {
    state: u8,
    start_time: u64,
}

impl Stat {
    fn read(pid: i32) -> io::Result<Self> {
        Self::parse(&read(&format!("/proc/{pid}/stat"))?).ok_or_else(|| {
            io::Error::other(format!("/proc/{pid}/stat is not in the form of proc_pid_stat(5)"))
        })
    }

    /// The name in parentheses may hold anything, so fields are counted after the last parenthesis.
    fn parse(text: &[u8]) -> Option<Self> {
        let end = text.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(text.get(end + 2..)?).ok()?;
        let mut fields = rest.split(' ');
        let state = *fields.next()?.as_bytes().first()?;
        // The state is field 3, the start time field 22.
        let start_time = fields.nth(18)?.parse().ok()?;
        Some(Self { state, start_time })
    }
}

impl Init {
    /// Describes a process that lives.
    ///
    /// # Errors
    /// `/proc` cannot be read, or the process has ended.
    pub(crate) fn of(pid: Pid) -> io::Result<Self> {
        let pid = pid.as_raw_nonzero().get();
        let Stat { start_time, .. } = Stat::read(pid)?;
        Ok(Self { pid, start_time, boot: boot_id()? })
    }

    /// The process by descriptor, if it is alive and still the same; a zombie is not alive.
    pub(crate) fn open(&self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(self.pid)?;
        // The descriptor first: what is read after it is about this process or tells that it ended.
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let stat = Stat::read(self.pid).ok()?;
        let same = stat.start_time == self.start_time && boot_id().ok()? == self.boot;
        (same && !matches!(stat.state, b'Z' | b'X')).then_some(pidfd)
    }
}

fn boot_id() -> io::Result<String> {
    let id = read("/proc/sys/kernel/random/boot_id")?;
    Ok(String::from_utf8_lossy(id.trim_ascii_end()).into_owned())
}

/// The beginning of a file of the kernel's, which gives it at once.
fn read(path: &str) -> io::Result<Vec<u8>> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut beginning = vec![0; 1024];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut beginning[..]))?;
    beginning.truncate(length);
    Ok(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let text = b"7 (a) b (c)) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.state, stat.start_time), (b'S', 4242));
        assert!(Stat::parse(b"7 (x) S 1").is_none());
    }

    #[test]
    fn only_the_same_process_is_alive() {
        let own = Init::of(rustix::process::getpid()).unwrap();
        assert!(own.open().is_some());
        assert!(Init { start_time: own.start_time + 1, ..own.clone() }.open().is_none());
        assert!(Init { boot: "another".into(), ..own }.open().is_none());
    }
}
