//! Undoing what outlives a container.

use plan::Undo;
use std::io;
use std::path::Path;

/// Undoes everything, last to first. Goes on after an error and returns all of them; what was never made
/// is no error.
///
/// The groups of a container are undone as one and before the rest: what runs in them is ended, and then
/// nobody uses what is left.
#[must_use]
pub fn undo(list: &[Undo]) -> Vec<String> {
    let groups: Vec<&Path> = list.iter().filter_map(Undo::cgroup).collect();
    let ended = cgroup::live::end(&groups);
    let mut failures: Vec<String> = ended.err().map(|error| error.to_string()).into_iter().collect();
    let failed = |undo: &Undo| perform(undo).err().map(|error| format!("{undo}: {error}"));
    failures.extend(list.iter().rev().filter_map(failed));
    failures
}

fn perform(undo: &Undo) -> Result<(), String> {
    match undo {
        Undo::RemoveCgroup(_) => Ok(()),
        Undo::StopUnit(unit) => {
            let stopped = systemd::Systemd::connect(unit.manager).and_then(|mut systemd| systemd.stop(unit));
            stopped.map_err(|error| error.to_string())
        }
        Undo::Unmount { place, note } => {
            crate::noted::unmount(place, note).map_err(|error| sys::words(&error))
        }
        Undo::RemoveResctrlGroup(path) => gone(crate::resctrl::remove(path)),
        Undo::RemoveDirectory(path) => gone(std::fs::remove_dir_all(path)),
    }
}

/// What is not there needs no removing.
fn gone(removed: io::Result<()>) -> Result<(), String> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(sys::words(&error)),
        _ => Ok(()),
    }
}
