//! The resctrl file system (kernel documentation, "User Interface for Resource Control feature").

use crate::{Error, kernel, mountinfo};
use plan::facts::Resctrl;
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// `RDTGROUP_SUPER_MAGIC` of `linux/magic.h`.
const RESCTRL_MAGIC: u64 = 0x0765_5821;

/// The kernel makes this directory where the processor has such controls; whether something is mounted on it is
/// the administrator's choice.
const USUAL: &str = "/sys/fs/resctrl";

/// Directories at the top that are no groups.
const NO_GROUPS: [&str; 3] = ["info", "mon_groups", "mon_data"];

/// Where it is mounted, and which groups there are; `None`: nowhere.
///
/// # Errors
/// The mount cannot be read.
pub fn resctrl() -> Result<Option<Resctrl>, Error> {
    let Some(mount) = mount()? else { return Ok(None) };
    let unreadable = |error: std::io::Error| Error::Read {
        path: mount.clone(),
        source: Errno::from_io_error(&error).unwrap_or(Errno::IO),
    };
    let mut groups = Vec::new();
    for entry in std::fs::read_dir(&mount).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory && !NO_GROUPS.contains(&name.as_str()) {
            groups.push(name);
        }
    }
    groups.sort_unstable();
    Ok(Some(Resctrl { mount, groups }))
}

fn mount() -> Result<Option<PathBuf>, Error> {
    match rustix::fs::statfs(USUAL) {
        Ok(fs) if fs.f_type as u64 == RESCTRL_MAGIC => Ok(Some(Path::new(USUAL).to_owned())),
        // The processor has it, so it may be mounted elsewhere.
        Ok(_) => Ok(mountinfo::find(&kernel::read("/proc/self/mountinfo")?, "resctrl")),
        Err(_) => Ok(None),
    }
}
