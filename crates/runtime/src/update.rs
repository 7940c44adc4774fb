//! New limits for a container that lives, wholly or not at all.
//!
//! Where its group is a unit of systemd two keep them, and never differ: the kernel's files are written first, so that systemd
//! hears of nothing that the kernel refuses; then systemd is told; then the files are written again, as systemd writes them,
//! too. What is refused on the way is taken back in both.

use crate::{Error, Store};
use cgroup::live::{Cgroup, Change};
use plan::unit::{Property, Unit};
use spec::{ContainerId, DeviceRule, Resources};
use systemd::Systemd;

impl Store {
    /// Brings a container to new limits; what they do not mention stays. Where its group is a unit of systemd, that
    /// hears of them, too. Device rules, if there are any, take the place of all that hold.
    ///
    /// # Errors
    /// The container does not run, or a limit is wrong or refused. The old limits hold then.
    pub fn update(&self, id: &ContainerId, resources: &Resources) -> Result<(), Error> {
        let container = self.open_locked(id)?;
        let group = container.living("update")?;
        let devices = &resources.devices[..];
        let Some(unit) = container.record.unit() else {
            let change = group.change(resources)?;
            group.make(&change)?;
            let replaced = replace_devices(&group, id, devices);
            return replaced.map_err(|error| unclean(error, [group.take_back(&change).map_err(Error::from)]));
        };
        let mut keeper = Keeper { systemd: Systemd::connect(unit.manager)?, unit };
        let change = group.change_of_unit(resources, keeper.systemd.about()?.version)?;
        let before = keeper.properties(&change)?;
        group.make(&change)?;
        let made = keeper
            .tell(&group, &change.properties, !devices.is_empty())
            .and_then(|()| Ok(group.make(&change)?))
            .and_then(|()| replace_devices(&group, id, devices));
        made.map_err(|error| {
            let told = keeper.tell(&group, &before, !devices.is_empty());
            unclean(error, [told, group.take_back(&change).map_err(Error::from)])
        })
    }
}

/// A manager of systemd that keeps the limits of a unit.
struct Keeper<'a> {
    systemd: Systemd,
    unit: &'a Unit,
}

impl Keeper<'_> {
    /// What a change would change, as it is now.
    fn properties(&mut self, change: &Change) -> Result<Vec<Property>, Error> {
        let mut names: Vec<&str> = change.properties.iter().map(|property| &*property.name).collect();
        names.sort_unstable();
        names.dedup();
        Ok(self.systemd.properties(self.unit, &names)?)
    }

    /// Nothing is said where there is nothing to say: systemd would write all files anew.
    fn tell(&mut self, group: &Cgroup, properties: &[Property], devices: bool) -> Result<(), Error> {
        if properties.is_empty() {
            return Ok(());
        }
        let mut tell = || Ok(self.systemd.set_properties(self.unit, properties)?);
        // On v1 systemd denies all devices and then allows those of its list.
        if devices { group.with_devices_still(tell) } else { tell() }
    }
}

fn replace_devices(group: &Cgroup, id: &ContainerId, rules: &[DeviceRule]) -> Result<(), Error> {
    if rules.is_empty() {
        return Ok(());
    }
    let Some(new) = group.update_devices(rules)? else { return Ok(()) };
    let replaced = sys::bpf::load_device_program(&new.program.words())
        .and_then(|program| sys::bpf::replace_device_program(new.directory, program));
    replaced.map_err(|source| Error::Devices { id: id.to_string(), source })
}

/// An error after which all was taken back, or not.
fn unclean(error: Error, back: impl IntoIterator<Item = Result<(), Error>>) -> Error {
    let failed = back.into_iter().filter_map(Result::err);
    let failures: Vec<_> = failed.map(|error| format!("put back what was before: {error}")).collect();
    if failures.is_empty() { error } else { Error::Unclean { error: Box::new(error), failures } }
}
