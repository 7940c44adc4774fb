//! Undoing what outlives a container.

use plan::Undo;
use rustix::io::Errno;
use std::io;
use std::path::Path;

/// Undoes everything, last to first. Goes on after an error and returns all of them; what was never made
/// is no error.
///
/// The groups of a container are undone as one and before the rest: what runs in them is ended, and then
/// nobody uses what is left.
#[must_use]
pub fn undo(list: &[Undo]) -> Vec<String> {
    let groups: Vec<&Path> = list
        .iter()
        .filter_map(|undo| match undo {
            Undo::RemoveCgroup(path) => Some(path.as_path()),
            _ => None,
        })
        .collect();
    let mut failures: Vec<String> = remove_groups(&groups).err().into_iter().collect();
    let failed = |undo: &Undo| perform(undo).err().map(|error| format!("{undo}: {error}"));
    failures.extend(list.iter().rev().filter_map(failed));
    failures
}

/// One rmdir(2) each where nobody is in them, which is how most containers end.
fn remove_groups(groups: &[&Path]) -> Result<(), String> {
    let gone = |group: &&Path| match rustix::fs::rmdir(*group) {
        Ok(()) | Err(Errno::NOENT) => true,
        Err(_) => false,
    };
    let left: Vec<&Path> = groups.iter().copied().filter(|group| !gone(group)).collect();
    if left.is_empty() {
        return Ok(());
    }
    let told = |error: cgroup::live::Error| error.to_string();
    cgroup::live::Cgroup::open(groups).and_then(|group| group.kill_all()).map_err(told)?;
    cgroup::live::remove(&left).map_err(told)
}

fn perform(undo: &Undo) -> Result<(), String> {
    match undo {
        Undo::RemoveCgroup(_) => Ok(()),
        Undo::RemoveEmptyCgroup(path) => {
            cgroup::live::remove_if_empty([path]).map_err(|error| error.to_string())
        }
        Undo::RemoveDirectory(path) => match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(crate::failure::words(&error)),
            _ => Ok(()),
        },
    }
}
