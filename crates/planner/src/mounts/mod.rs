//! The mounts of the configuration (config.md, "Mounts"), in its order.

mod bind;
mod cgroup;
mod entry;
mod file_system;
mod id_map;
mod options;

pub(crate) use bind::{id_maps, sources};
pub(crate) use entry::{binds_devices, binds_over, inside};
pub(crate) use file_system::{finish, label};
pub(crate) use id_map::make as make_id_map;
pub use options::names as option_names;
pub(crate) use options::parse_propagation;

use crate::{Draft, Error};

/// Refuses labels where there is no SELinux to give them a meaning.
pub(crate) fn check_label(draft: &Draft) -> Result<(), Error> {
    match label(draft).and_then(|(_, label)| label).filter(|_| !draft.facts.selinux) {
        None => Ok(()),
        Some(label) => {
            let message = format!("mounts cannot be labelled as {label}: SELinux is not enabled here");
            Err(Error::new("/linux/mountLabel", message, "drop the label, or enable SELinux"))
        }
    }
}

/// Makes the mounts of the configuration, in its order.
pub(crate) fn mount(draft: &mut Draft) -> Result<(), Error> {
    let mut bound = std::mem::take(&mut draft.bound).into_iter();
    for (entry, mount) in entry::entries(draft)?.iter().zip(&draft.config.mounts) {
        draft.notes.extend(entry.notes(mount));
        if entry.is_bind() {
            let slot =
                bound.next().ok_or_else(|| Error::new(&*entry.field, "its source was not opened", ""))?;
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
