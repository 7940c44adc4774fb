//! Control groups, as files.

use crate::Slots;
use crate::failure::Error;
use plan::Slot;
use plan::unit::{Property, Unit};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::Pid;
use std::path::{Path, PathBuf};

pub(crate) fn make(directory: &Path) -> Result<(), Error> {
    match rustix::fs::mkdir(directory, Mode::from_raw_mode(0o755)) {
        Ok(()) => Ok(()),
        Err(Errno::NOENT) => {
            let parent = directory.parent().ok_or(Errno::NOENT)?;
            make_above(parent)?;
            make(directory)
        }
        Err(Errno::EXIST) => empty(directory),
        Err(errno) => Err(errno.into()),
    }
}

fn make_above(directory: &Path) -> Result<(), Error> {
    match rustix::fs::mkdir(directory, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(Errno::NOENT) => {
            make_above(directory.parent().ok_or(Errno::NOENT)?)?;
            make_above(directory)
        }
        Err(errno) => Err(errno.into()),
    }
}

/// A group that is there already may be used when nobody is in it: its limits would be shared.
fn empty(directory: &Path) -> Result<(), Error> {
    let file = directory.join("cgroup.procs");
    let inhabited = std::fs::read(&file).is_ok_and(|pids| !pids.is_empty());
    if inhabited {
        return Err(Error::told(
            Errno::BUSY,
            "the group exists and has processes; another container uses it",
        ));
    }
    Ok(())
}

pub(crate) fn inherit(directory: &Path, mount: &Path) -> Result<(), Error> {
    cgroup::live::inherit_cpuset(directory, mount)
        .map_err(|error| Error::told(Errno::INVAL, error.to_string()))
}

pub(crate) fn write(file: &Path, value: &str, fallback: Option<&(PathBuf, String)>) -> Result<(), Error> {
    match (write_file(file, value), fallback) {
        (Err(error), Some((second, value))) if error.is(Errno::NOENT.raw_os_error()) => {
            write_file(second, value)
        }
        (result, _) => result,
    }
}

fn write_file(file: &Path, value: &str) -> Result<(), Error> {
    let file = rustix::fs::open(file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, value.as_bytes())?;
    Ok(())
}

pub(crate) fn join(file: &Path, pid: Pid) -> Result<(), Error> {
    write_file(file, &pid.as_raw_nonzero().to_string())
}

/// The process itself, which has one thread.
pub(crate) fn enter(file: &Path) -> Result<(), Error> {
    write_file(file, "0")
}

pub(crate) fn open(slots: &mut Slots, directory: &Path) -> Result<(), Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    slots.fill(Slot::Cgroup, rustix::fs::open(directory, flags, Mode::empty())?);
    Ok(())
}

pub(crate) fn start_unit(unit: &Unit, properties: &[Property], init: Option<Pid>) -> Result<(), Error> {
    let pid = init.map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    let started =
        systemd::Systemd::connect(unit.manager).and_then(|mut systemd| systemd.start(unit, properties, pid));
    started.map_err(|error| Error::Told {
        errno: Errno::IO.raw_os_error(),
        why: error.to_string(),
        hint: error.hint().to_owned(),
        kind: crate::Kind::Setup,
    })
}

pub(crate) fn filter_devices(directory: &Path, program: &[u64]) -> Result<(), Error> {
    let program = sys::bpf::load_device_program(program)?;
    let cgroup =
        rustix::fs::open(directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(sys::bpf::attach_device_program(cgroup, program)?)
}

/// The files that may be given to somebody with a group (cgroups(7), "Cgroups v2 delegation"). Which ones it has depends on
/// its controllers.
pub(crate) fn give(directory: &Path, uid: u32) -> Result<(), Error> {
    const LIST: &str = "/sys/kernel/cgroup/delegate";
    let list = std::fs::read_to_string(LIST)
        .map_err(|error| Error::told(Errno::NOENT, format!("{LIST} cannot be read: {error}")))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let group = rustix::fs::open(directory, flags, Mode::empty())?;
    let owner = Some(rustix::fs::Uid::from_raw(uid));
    rustix::fs::fchown(&group, owner, None)?;
    for file in list.lines() {
        match rustix::fs::chownat(&group, file, owner, None, rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
