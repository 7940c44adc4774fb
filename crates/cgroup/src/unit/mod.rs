//! A container's group as a unit of systemd.
//!
//! systemd makes the group and keeps its own idea of the limits: it writes them again when it reads its configuration
//! anew. So every setting that has a property there is given to systemd, and written to the kernel's file as well, with
//! one meaning ([`crate::table`]): what the two say never differs, and a limit that the kernel refuses is an error.

mod annotation;
mod devices;
mod name;
mod unified;

use crate::group::{Group, places_of_unit};
use crate::settings::Placed;
use crate::table::io_weight_of;
use crate::{Error, check};
use plan::facts::{CgroupLayout, Systemd};
use plan::unit::{Manager, Property, Unit, Value};
use spec::{Config, ContainerId, Resources};

pub(crate) use devices::changes as of_devices;
pub(crate) use unified::properties as of_unified;

/// The first version with all properties that are needed (`AllowedCPUs`); it is of 2019.
const OLDEST: u32 = 244;
/// The first version in which a weight of 0 is `cpu.idle`.
const WITH_IDLE: u32 = 252;
/// The first version in which a scope says what follows when memory is short (`memory.oom.group`).
const WITH_OOM_POLICY: u32 = 253;

/// The unit that a container's group is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitGroup {
    /// The unit.
    pub unit: Unit,
    /// What systemd is told about it, but for its first process.
    pub properties: Vec<Property>,
    /// Whether it takes processes when it starts. A slice does not.
    pub takes_processes: bool,
}

/// Says what the group of a container is that a manager of systemd makes, as [`crate::group()`] does for one that cuddy
/// makes. `cgroupsPath` is `SLICE:PREFIX:NAME`.
///
/// # Errors
/// As [`crate::group()`]; a path of another form; an annotation that is no property; a systemd that is too old.
pub fn group_of_unit(
    config: &Config,
    layout: &CgroupLayout,
    systemd: &Systemd,
    id: &ContainerId,
) -> Result<Group, Error> {
    if systemd.version < OLDEST {
        return Err(Error::OldSystemd { version: systemd.version, needed: OLDEST });
    }
    let linux = config.linux.as_ref();
    let named = name::read(linux.and_then(|linux| linux.cgroups_path.as_deref()), id, systemd)?;
    let resources =
        rounded(linux.and_then(|linux| linux.resources.as_ref()).unwrap_or(&Resources::default()));
    check::check(&resources)?;
    let (mut group, placed) = places_of_unit(&resources, layout, &named.unit.group)?;
    let mut properties = named.properties(id);
    let io = if layout.v1_with("blkio").is_some() { "BlockIOAccounting" } else { "IOAccounting" };
    let counted = ["MemoryAccounting", "CPUAccounting", io, "TasksAccounting"];
    properties.extend(counted.map(|name| Property::new(name, true)));
    properties.push(Property::new("DefaultDependencies", false));
    properties.extend(annotation::properties(&config.annotations)?);
    // A user's manager has no more capabilities than the user, and device programs take some.
    if systemd.manager == Manager::System {
        properties.extend(devices::properties(&resources.devices, layout.v1_with("devices").is_some())?);
    }
    properties.extend(merged(&placed, systemd.version));
    properties.extend(unified::at_start(&resources, systemd.version));
    group.unit = Some(UnitGroup { takes_processes: !named.is_slice(), unit: named.unit, properties });
    Ok(group)
}

/// Limits that systemd can keep.
pub(crate) fn rounded(resources: &Resources) -> Resources {
    let mut resources = resources.clone();
    resources.cpu.iter_mut().for_each(crate::table::whole_percent);
    resources
}

/// The properties of settings, each name once: of lists all elements, else what was asked for last.
pub(crate) fn merged<'a>(placed: impl IntoIterator<Item = &'a Placed>, version: u32) -> Vec<Property> {
    let mut all: Vec<Property> = Vec::new();
    for property in placed.into_iter().flat_map(|placed| placed.properties.clone()) {
        if version < WITH_IDLE && property.name == "CPUWeight" && property.value == Value::Uint64(0) {
            continue;
        }
        match (all.iter_mut().find(|known| known.name == property.name), property.value) {
            (Some(Property { value: Value::Array(kind, known), .. }), Value::Array(_, more))
                if kind != "y" =>
            {
                known.extend(more);
            }
            (Some(known), value) => known.value = value,
            (None, value) => all.push(Property { name: property.name, value }),
        }
    }
    all
}

/// The kernel may have `io.weight` and no `io.bfq.weight`. Of systemd's property both are made, and what is written by us
/// has to be the same.
pub(crate) fn agree(placed: &mut Placed) {
    let Some(second) = &mut placed.setting.fallback else { return };
    if let Some(weight) = placed.properties.iter().find_map(io_weight_of) {
        second.value = weight;
    }
}

#[cfg(test)]
mod tests;
