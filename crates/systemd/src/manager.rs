//! What a manager is asked for (org.freedesktop.systemd1(5)).

use crate::Error;
use crate::bus::{Bus, SYSTEMD, malformed};
use crate::message::{Message, Method};
use crate::place::{Place, places};
use crate::read::Malformed;
use plan::unit::{Manager, Property, Unit, Value};
use std::path::PathBuf;

const OBJECT: &str = "/org/freedesktop/systemd1";
const MANAGER: Method =
    Method { destination: SYSTEMD, interface: "org.freedesktop.systemd1.Manager", name: "", takes: "" };
const GET: Method =
    Method { destination: SYSTEMD, interface: "org.freedesktop.DBus.Properties", name: "Get", takes: "ss" };
const PING: Method =
    Method { destination: SYSTEMD, interface: "org.freedesktop.DBus.Peer", name: "Ping", takes: "" };
/// What happens to a job of the same unit that is queued: it makes way.
const REPLACE: &str = "replace";

const EXISTS: &str = "org.freedesktop.systemd1.UnitExists";
const NO_SUCH_UNIT: &str = "org.freedesktop.systemd1.NoSuchUnit";

/// A connection to a manager.
#[derive(Debug)]
pub struct Systemd {
    bus: Bus,
}

/// What a plan may know of a manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its version, 252 of `252.39-1~deb12u2`.
    pub version: u32,
    /// The group below which all of its units are, from the root of each hierarchy.
    pub group: PathBuf,
}

impl Systemd {
    /// Connects to a manager: by its bus, and where there is none, or systemd is not on it, directly.
    ///
    /// # Errors
    /// It cannot be reached; says what was tried.
    pub fn connect(manager: Manager) -> Result<Self, Error> {
        let mut tried = Vec::new();
        let places = places(manager);
        for place in &places {
            match Bus::open(place) {
                Ok(bus) => return Ok(Self { bus }),
                Err(why) => tried.push(match place {
                    Place::Bus(path) => format!("the bus at {}: {why}", path.display()),
                    Place::Private(path) => format!("{}: {why}", path.display()),
                }),
            }
        }
        if places.is_empty() {
            tried.push("neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set".to_owned());
        }
        Err(Error::Unreachable { manager, tried })
    }

    /// Asks the manager about itself.
    ///
    /// # Errors
    /// It does not answer.
    pub fn about(&mut self) -> Result<About, Error> {
        let version = self.text(OBJECT, MANAGER.interface, "Version")?;
        let group = self.text(OBJECT, MANAGER.interface, "ControlGroup")?;
        Ok(About { version: number(&version), group: format!("/{}", group.trim_matches('/')).into() })
    }

    /// Starts a transient unit with these properties, and waits until it runs. A unit of that name which has failed is
    /// forgotten before. `pid` becomes its first process, and is moved into its group.
    ///
    /// # Errors
    /// It is refused, fails, or takes too long.
    pub fn start(&mut self, unit: &Unit, properties: &[Property], pid: Option<u32>) -> Result<(), Error> {
        let pids = pid.map(|pid| Property::new("PIDs", Value::Array("u".into(), vec![Value::Uint32(pid)])));
        let all = || properties.iter().chain(&pids);
        let job = match self.start_transient(unit, all()) {
            Err(error) if error.is(EXISTS) => {
                self.reset(unit);
                // One that had not failed is still there, and that is what has to be told.
                self.start_transient(unit, all())?
            }
            job => job?,
        };
        let ended = self.wait_for(&job, unit, "start");
        if ended.is_err() {
            self.reset(unit);
        }
        ended
    }

    fn start_transient<'a>(
        &mut self,
        unit: &Unit,
        properties: impl Iterator<Item = &'a Property>,
    ) -> Result<String, Error> {
        let method = Method { name: "StartTransientUnit", takes: "ssa(sv)a(sa(sv))", ..MANAGER };
        let answer = self.bus.call(method, OBJECT, |body| {
            body.text(&unit.name);
            body.text(REPLACE);
            body.properties(properties);
            // Units that come with it: none.
            body.array(8, |_| ());
        })?;
        job(&answer, method.name)
    }

    /// Stops a unit, if it is there and is the one that was started: another of its name has another group. Afterwards
    /// nothing is left of it, also if it has failed.
    ///
    /// # Errors
    /// It cannot be stopped, or takes too long.
    pub fn stop(&mut self, unit: &Unit) -> Result<(), Error> {
        if let Some(group) = self.group_of(unit)?
            && group != unit.group
        {
            return Ok(());
        }
        let method = Method { name: "StopUnit", takes: "ss", ..MANAGER };
        let stopped = self.bus.call(method, OBJECT, |body| {
            body.text(&unit.name);
            body.text(REPLACE);
        });
        let stopped = match stopped {
            Err(error) if error.is(NO_SUCH_UNIT) => return Ok(()),
            Err(error) => Err(error),
            Ok(answer) => {
                let job = job(&answer, method.name)?;
                self.wait_for(&job, unit, "stop")
            }
        };
        self.reset(unit);
        stopped
    }

    /// Changes properties of a unit until it ends. When this returns, systemd has written what it makes of them to the
    /// kernel's files.
    ///
    /// # Errors
    /// It is refused, and nothing has changed.
    pub fn set_properties(&mut self, unit: &Unit, properties: &[Property]) -> Result<(), Error> {
        let method = Method { name: "SetUnitProperties", takes: "sba(sv)", ..MANAGER };
        self.bus.call(method, OBJECT, |body| {
            body.text(&unit.name);
            // Not to be kept beyond its end.
            body.uint32(true.into());
            body.properties(properties);
        })?;
        // The files are written after the answer, and before the next message is read (`manager_loop`).
        self.bus.call(PING, OBJECT, |_| ()).map(drop)
    }

    /// What brings properties of a unit back to what they are now, to be given to [`Systemd::set_properties`].
    ///
    /// # Errors
    /// The unit has no such property.
    pub fn properties(&mut self, unit: &Unit, names: &[&str]) -> Result<Vec<Property>, Error> {
        let mut properties = Vec::new();
        for name in names {
            let answer = self.get(&object_of(&unit.name), &interface_of(unit), name)?;
            let value = answer.variant().map_err(|Malformed| malformed(GET.name))?;
            // A list of devices that is given adds to the one that is there, unless an empty one comes before.
            if let Value::Array(kind, _) = &value {
                properties.push(Property::new((*name).to_owned(), Value::Array(kind.clone(), Vec::new())));
            }
            properties.push(Property::new((*name).to_owned(), value));
        }
        Ok(properties)
    }

    /// The group of the unit that has this name now; `None`: there is none.
    fn group_of(&mut self, unit: &Unit) -> Result<Option<PathBuf>, Error> {
        match self.text(&object_of(&unit.name), &interface_of(unit), "ControlGroup") {
            // One that does not run has no group.
            Ok(group) if group.is_empty() => Ok(None),
            Ok(group) => Ok(Some(group.into())),
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A property that is a text.
    fn text(&mut self, object: &str, interface: &str, name: &str) -> Result<String, Error> {
        let answer = self.get(object, interface, name)?;
        answer.variant_text().map(str::to_owned).map_err(|Malformed| malformed(GET.name))
    }

    fn get(&mut self, object: &str, interface: &str, name: &str) -> Result<Message, Error> {
        self.bus.call(GET, object, |body| {
            body.text(interface);
            body.text(name);
        })
    }

    /// Lets systemd forget that a unit has failed. One that has not, or is not there, needs nothing.
    fn reset(&mut self, unit: &Unit) {
        let method = Method { name: "ResetFailedUnit", takes: "s", ..MANAGER };
        let _ = self.bus.call(method, OBJECT, |body| body.text(&unit.name));
    }

    /// Waits for the end of a job: `JobRemoved(id, job, unit, result)`.
    fn wait_for(&mut self, job: &str, unit: &Unit, what: &'static str) -> Result<(), Error> {
        let result = self.bus.job_removed(what, |signal| {
            let (of, result) = removed(signal).ok()?;
            (of == job).then_some(result)
        })?;
        match result.as_str() {
            "done" => Ok(()),
            _ => Err(Error::Job { what, unit: unit.name.clone(), result }),
        }
    }
}

/// The job and the result of a `JobRemoved`.
fn removed(signal: &Message) -> Result<(String, String), Malformed> {
    signal.read("uoss", |reader| {
        let (_id, job, _unit, result) = (reader.uint32()?, reader.text()?, reader.text()?, reader.text()?);
        Ok((job.to_owned(), result.to_owned()))
    })
}

fn job(answer: &Message, what: &'static str) -> Result<String, Error> {
    let job = answer.read("o", |reader| reader.text()).map_err(|Malformed| malformed(what))?;
    Ok(job.to_owned())
}

/// Where the properties of a unit with a group are.
fn interface_of(unit: &Unit) -> String {
    let kind = if unit.name.ends_with(".slice") { "Slice" } else { "Scope" };
    format!("{SYSTEMD}.{kind}")
}

/// The object of a unit: what is no letter or digit, or a digit in front, is written as `_2e` (systemd's
/// `bus_label_escape`).
fn object_of(unit: &str) -> String {
    let mut path = format!("{OBJECT}/unit/");
    for (index, byte) in unit.bytes().enumerate() {
        match byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit()) {
            true => path.push(byte.into()),
            false => path.push_str(&format!("_{byte:02x}")),
        }
    }
    path
}

/// The first number in a version: of `252.39-1`, `v245` and `249 (249.11-0ubuntu3)`. 0: there is none.
fn number(version: &str) -> u32 {
    let digits = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, version) in [
            ("252.39-1~deb12u2", 252),
            ("v245.4-4", 245),
            ("249 (249.11)", 249),
            ("258~rc1", 258),
            ("", 0),
            ("x", 0),
        ] {
            assert_eq!(number(text), version, "{text}");
        }
    }

    #[test]
    fn objects_of_units() {
        let start = "/org/freedesktop/systemd1/unit/";
        for (unit, object) in
            [("web.scope", "web_2escope"), ("a-1.slice", "a_2d1_2eslice"), ("7.scope", "_37_2escope")]
        {
            assert_eq!(object_of(unit), format!("{start}{object}"));
        }
    }
}
