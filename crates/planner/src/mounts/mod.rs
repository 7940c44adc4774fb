//! The mounts of the configuration (config.md, "Mounts"), in its order.

mod bind;
mod cgroup;
mod entry;
mod file_system;
mod id_map;
mod options;
mod points;

pub(crate) use bind::{id_maps, sources};
pub(crate) use entry::{binds_devices, binds_over, inside};
pub(crate) use file_system::{finish, label};
pub(crate) use id_map::make as make_id_map;
pub use options::names as option_names;
pub(crate) use options::parse_propagation;
pub(crate) use points::make_points;

use crate::{Draft, Error};

/// Tells that labels have no meaning where SELinux is off. There is nothing then that they would keep from
/// anybody, and configurations that were written for another machine start, as they do with crun.
pub(crate) fn note_label(draft: &mut Draft) {
    let label = draft.linux.mount_label.as_ref().filter(|label| !label.is_empty() && !draft.facts.selinux);
    let note =
        label.map(|label| format!("/linux/mountLabel: {label} has no effect: SELinux is not enabled here"));
    draft.notes.extend(note);
}

/// Makes the mounts of the configuration, in its order.
pub(crate) fn mount(draft: &mut Draft) -> Result<(), Error> {
    let mut bound = std::mem::take(&mut draft.carried.bound).into_iter();
    for (entry, mount) in entry::entries(draft)?.iter().zip(&draft.config.mounts) {
        draft.notes.extend(entry.notes(mount));
        if entry.is_bind() {
            let slot = match bind::in_root(draft, entry) {
                Some(path) => bind::source_in_root(draft, entry, path),
                None => {
                    bound.next().ok_or_else(|| Error::new(&*entry.field, "its source was not opened", ""))?
                }
            };
            bind::attach(draft, entry, slot);
        } else if entry.options.remount {
            file_system::remount(draft, entry);
        } else if entry.fstype == "cgroup" || entry.fstype == "cgroup2" {
            cgroup::mount(draft, entry)?;
        } else {
            file_system::make(draft, entry);
        }
    }
    Ok(())
}
