//! The steps of a start as careless runtimes made them. Tests run these on the host, to see that an attack works where
//! nothing defends against it.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::mount::mount_bind;
use rustix::process::{Pid, PidfdFlags, chdir, chroot, pidfd_open};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use serde_json::{Value, json};

use super::Outcome;

/// chroot(2) and a working directory that nobody looks at, with all descriptors that are open. Becomes the program.
pub fn jail(root: &str, cwd: &str, program: &str, args: &[&str]) -> Outcome {
    chroot(root)?;
    chdir(cwd)?;
    Err(Command::new(program).args(args).exec().into())
}

/// Joins the container of a process and starts a program there, with all descriptors that are open. Waits for its end.
pub fn enter(pid: i32, program: &str, args: &[&str]) -> Outcome {
    join(pid, ThreadNameSpaceType::MOUNT | ThreadNameSpaceType::PROCESS_ID)?;
    chdir("/")?;
    let status = Command::new(program).args(args).status()?;
    Ok(json!({ "code": status.code() }))
}

/// Is in the pid namespace of a container for ever, as somebody who joins it and has not changed its root yet.
pub fn linger(pid: i32) -> Outcome {
    let this = std::env::current_exe()?;
    join(pid, ThreadNameSpaceType::USER | ThreadNameSpaceType::PROCESS_ID)?;
    Command::new(this).arg("sleep").status()?;
    Ok(Value::Null)
}

fn join(pid: i32, kinds: ThreadNameSpaceType) -> io::Result<()> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    Ok(move_into_thread_name_spaces(rustix::fd::AsFd::as_fd(&pidfd), kinds)?)
}

/// Mounts at a path that was a directory and no link when it was looked at, so many times, until a
/// mount ends up elsewhere. To be run in a mount namespace of its own.
pub fn mount(source: &str, path: &str, tries: u32) -> Outcome {
    let mut mounted = 0;
    while mounted < tries {
        if !fs::symlink_metadata(path).is_ok_and(|there| there.is_dir()) || mount_bind(source, path).is_err()
        {
            continue;
        }
        mounted += 1;
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let point = mounts.lines().last().and_then(|line| line.split(' ').nth(4)).unwrap_or_default();
        let around = Path::new(path).parent().unwrap_or(Path::new("/"));
        if !Path::new(point).starts_with(around) {
            return Ok(json!({ "mounted on": point, "after": mounted }));
        }
        // By the time that it is unmounted it may have another name.
        let _ = rustix::mount::unmount(point, rustix::mount::UnmountFlags::DETACH);
    }
    Err(io::Error::from(rustix::io::Errno::NOENT).into())
}
