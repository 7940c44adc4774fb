//! From what a config asks for to files and texts.

use crate::table::{Ask, Place, Row, UnitProperty, rows};
use crate::{Error, RESOURCES};
use plan::Errno;
use plan::unit::Property;
use spec::Resources;
use std::path::PathBuf;

/// A file of the group that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Absolute path on the host.
    pub file: PathBuf,
    /// The text, without a newline.
    pub value: String,
    /// A JSON pointer into `config.json` to what asked for it.
    pub pointer: String,
    /// Why somebody asks for that.
    pub why: &'static str,
    /// Errors after which to go on.
    pub ignore: &'static [Errno],
    /// What is written in place of this when the file does not exist (ENOENT).
    pub fallback: Option<Fallback>,
}

/// The second choice of a [`Setting`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Absolute path on the host.
    pub file: PathBuf,
    /// The text, without a newline.
    pub value: String,
}

/// Which controllers there are, and where the group is in their hierarchies.
pub trait Controllers {
    /// The group's directory in the v1 hierarchy that has `controller`.
    fn v1(&self, controller: &str) -> Option<PathBuf>;
    /// The group's directory in the v2 hierarchy, if it has `controller`.
    fn v2(&self, controller: &str) -> Option<PathBuf>;
    /// The group's directory in the v2 hierarchy.
    fn unified(&self) -> Option<PathBuf>;
    /// Where the controllers were looked for, in words.
    fn looked(&self) -> String;
    /// The v2 group that was not given a controller of the machine, and those that it was.
    fn withheld(&self, controller: &str) -> Option<(PathBuf, Vec<String>)>;
}

fn withheld(pointer: &str, controller: &str, controllers: &dyn Controllers) -> Option<Error> {
    let (group, given) = controllers.withheld(controller)?;
    let given = if given.is_empty() { "none".to_owned() } else { given.join(", ") };
    Some(Error::Withheld { pointer: pointer.to_owned(), controller: controller.to_owned(), group, given })
}

/// A setting, and the v2 controller that it needs.
#[derive(Debug)]
pub struct Placed {
    /// The setting.
    pub setting: Setting,
    /// The controller to enable for it, in v2.
    pub v2_controller: Option<String>,
    /// What it is for systemd.
    pub properties: Vec<Property>,
}

/// Everything that `resources` asks for but for devices, in the order of the table; then `unified`, which has the
/// last word. A v1 hierarchy is preferred where it has the controller: the kernel then has taken it from v2.
pub fn settings(resources: &Resources, controllers: &dyn Controllers) -> Result<Vec<Placed>, Error> {
    let mut placed: Vec<Placed> = Vec::new();
    for row in rows() {
        for ask in (row.ask)(resources) {
            let Some(new) = place(row, &ask, resources, controllers)? else { continue };
            // Quota and period are one file in v2.
            let written = |old: &Placed| {
                (&old.setting.file, &old.setting.value) == (&new.setting.file, &new.setting.value)
            };
            match placed.iter().position(written) {
                Some(index) => placed[index].properties.extend(new.properties),
                None => placed.push(new),
            }
        }
    }
    for (file, value) in &resources.unified {
        placed.push(raw(file, value, controllers)?);
    }
    Ok(placed)
}

fn place(
    row: &Row,
    ask: &Ask,
    resources: &Resources,
    controllers: &dyn Controllers,
) -> Result<Option<Placed>, Error> {
    let v1 = row.v1.as_ref().and_then(|place| Some((place, controllers.v1(place.controller)?)));
    let v2 = || row.v2.as_ref().and_then(|place| Some((place, controllers.v2(place.controller)?)));
    let is_v1 = v1.is_some();
    let Some((place, directory)) = v1.or_else(v2) else {
        let harmless = row.default.is_some_and(|value| ask.value == crate::table::Value::Number(value));
        return if harmless { Ok(None) } else { Err(missing(row, ask, controllers)) };
    };
    let text = |place: &Place| {
        (place.text)(resources, ask).map_err(|problem| Error::Invalid {
            pointer: pointer(ask),
            value: ask.value.to_string(),
            problem,
        })
    };
    let fallback = match place.fallback {
        Some(second) => Some(Fallback { file: directory.join(second.file_for(ask)), value: text(second)? }),
        None => None,
    };
    let setting = Setting {
        file: directory.join(place.file_for(ask)),
        value: text(place)?,
        pointer: pointer(ask),
        why: row.why,
        ignore: if ask.implied { &[Errno::ENOENT] } else { &[] },
        fallback,
    };
    let property = |of: &UnitProperty| Some(Property::new(of.name, (of.value)(resources, ask)?));
    Ok(Some(Placed {
        setting,
        v2_controller: (!is_v1).then(|| place.controller.to_owned()),
        properties: place.unit.as_ref().and_then(property).into_iter().collect(),
    }))
}

fn missing(row: &Row, ask: &Ask, controllers: &dyn Controllers) -> Error {
    let pointer = pointer(ask);
    match (&row.v1, &row.v2) {
        (Some(v1), None) => Error::OnlyV1 { pointer, controller: v1.controller },
        (v1, v2) => {
            let place = v1.as_ref().or(v2.as_ref());
            let controller = place.map_or("", |place| place.controller);
            let on_v2 = v2.as_ref().and_then(|v2| withheld(&pointer, v2.controller, controllers));
            let missing = |pointer| Error::NoController { pointer, controller, looked: controllers.looked() };
            on_v2.unwrap_or_else(|| missing(pointer))
        }
    }
}

/// An entry of `unified`: a file of v2 and its text, as they are.
fn raw(file: &str, value: &str, controllers: &dyn Controllers) -> Result<Placed, Error> {
    let pointer = format!("{RESOURCES}/unified/{file}");
    let Some(directory) = controllers.unified() else { return Err(Error::OnlyV2 { pointer }) };
    let controller = file.split('.').next().unwrap_or_default();
    let core = controller == "cgroup" || file.ends_with(".pressure");
    if !core && controllers.v2(controller).is_none() {
        let looked = controllers.looked();
        return Err(withheld(&pointer, controller, controllers).unwrap_or_else(|| Error::NoUnified {
            pointer,
            controller: controller.to_owned(),
            looked,
        }));
    }
    let setting = Setting {
        file: directory.join(file),
        value: value.to_owned(),
        pointer,
        why: "a file of cgroup v2, written as the config has it",
        ignore: &[],
        fallback: None,
    };
    let properties = crate::unit::of_unified(file, value);
    Ok(Placed { setting, v2_controller: (!core).then(|| controller.to_owned()), properties })
}

fn pointer(ask: &Ask) -> String {
    format!("{RESOURCES}{}", ask.pointer)
}
