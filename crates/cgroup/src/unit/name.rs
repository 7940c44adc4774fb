//! `cgroupsPath` as systemd names things: `SLICE:PREFIX:NAME`, of which runc makes the scope `PREFIX-NAME.scope` in that
//! slice. A name that is a slice itself stays as it is.

use crate::Error;
use plan::facts::Systemd;
use plan::unit::{Manager, Property, Unit};
use spec::ContainerId;
use std::path::{Path, PathBuf};

/// The prefix of containers that do not say where their group is.
const PREFIX: &str = "cuddy";
/// What a name may have at most, in bytes (systemd.unit(5)).
const LONGEST: usize = 255;

/// A unit, and where it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) unit: Unit,
    /// The slice that it is in.
    slice: String,
}

pub(super) fn read(path: Option<&str>, id: &ContainerId, systemd: &Systemd) -> Result<Named, Error> {
    let path = path.filter(|path| !path.is_empty());
    let refuse = |problem| Error::Path { path: path.unwrap_or_default().to_owned(), problem };
    let (slice, prefix, name) = match path {
        None => ("", PREFIX, id.as_str()),
        Some(path) => {
            let mut parts = path.split(':');
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(slice), Some(prefix), Some(name), None) => (slice, prefix, name),
                _ => {
                    return Err(refuse(
                        "is not of the form SLICE:PREFIX:NAME, as in system.slice:cuddy:web, by which systemd makes groups",
                    ));
                }
            }
        }
    };
    let slice = match (slice, systemd.manager) {
        ("", Manager::System) => "system.slice",
        ("", Manager::User) => "user.slice",
        (slice, _) => slice,
    };
    let is_slice = name.ends_with(SLICE);
    let unit = if is_slice { name.to_owned() } else { format!("{prefix}-{name}.scope") };
    if !is_name(&unit) {
        return Err(match path {
            Some(_) => {
                refuse("makes no name of a unit: it has at most 255 letters, digits and any of :-_.\\")
            }
            None => Error::Unit { unit },
        });
    }
    let no_slice = "has no slice in front, as system.slice; a-b.slice is the slice a-b in a";
    let above = expand(slice).ok_or_else(|| refuse(no_slice))?;
    let group = match is_slice {
        true => {
            expand(&unit).ok_or_else(|| refuse("is no name of a slice; a-b.slice is the slice a-b in a"))?
        }
        false => above.join(&unit),
    };
    let group = systemd.group.join(group);
    Ok(Named { unit: Unit { name: unit, manager: systemd.manager, group }, slice: slice.to_owned() })
}

impl Named {
    pub(super) fn is_slice(&self) -> bool {
        self.unit.name.ends_with(SLICE)
    }

    /// What makes it the unit of a container.
    pub(super) fn properties(&self, id: &ContainerId) -> Vec<Property> {
        let mut properties = vec![Property::new("Description", format!("cuddy container {id}").as_str())];
        if self.is_slice() {
            // Where it is its name says.
            let wanted = vec![self.slice.as_str().into()];
            properties.push(Property::new("Wants", plan::unit::Value::Array("s".into(), wanted)));
        } else {
            properties.push(Property::new("Slice", self.slice.as_str()));
            // What is below the group is the container's business.
            properties.push(Property::new("Delegate", true));
        }
        properties
    }
}

const SLICE: &str = ".slice";

/// Whether systemd takes a name (`unit_name_is_valid`).
fn is_name(unit: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || ":-_.\\".contains(c);
    unit.len() <= LONGEST && unit.chars().all(good)
}

/// Where a slice is, without the first `/`: `a-b.slice` is `a.slice/a-b.slice` (systemd.slice(5)).
fn expand(slice: &str) -> Option<PathBuf> {
    let name = slice.strip_suffix(SLICE).filter(|_| is_name(slice))?;
    if name == "-" {
        return Some(PathBuf::new());
    }
    let mut path = PathBuf::new();
    for (end, _) in name.match_indices('-').chain([(name.len(), "")]) {
        let above = &name[..end];
        if above.is_empty() || above.ends_with('-') {
            return None;
        }
        path.push(Path::new(&format!("{above}{SLICE}")));
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_in_slices() {
        for (slice, path) in [
            ("system.slice", Some("system.slice")),
            ("a-b-c.slice", Some("a.slice/a-b.slice/a-b-c.slice")),
            ("-.slice", Some("")),
            (".slice", None),
            ("a--b.slice", None),
            ("-a.slice", None),
            ("a-.slice", None),
            ("a/b.slice", None),
            ("..slice", Some("..slice")),
            ("a", None),
        ] {
            assert_eq!(expand(slice), path.map(PathBuf::from), "{slice}");
        }
    }

    #[test]
    fn paths_name_units() {
        let id: ContainerId = "web".parse().unwrap();
        let check = |path, group: &str, expected: Option<&str>| {
            let systemd = Systemd { group: group.into(), ..Systemd::default() };
            let named = read(path, &id, &systemd).ok();
            assert_eq!(named.map(|named| named.unit.group), expected.map(PathBuf::from), "{path:?}");
        };
        check(None, "/", Some("/system.slice/cuddy-web.scope"));
        check(Some(""), "/", Some("/system.slice/cuddy-web.scope"));
        check(Some(":docker:12"), "/", Some("/system.slice/docker-12.scope"));
        check(Some("machine.slice:libpod:12"), "/", Some("/machine.slice/libpod-12.scope"));
        check(Some("a-b.slice:x:y"), "/c", Some("/c/a.slice/a-b.slice/x-y.scope"));
        check(Some("-.slice:x:y"), "/", Some("/x-y.scope"));
        check(Some("system.slice:x:a-b.slice"), "/", Some("/a.slice/a-b.slice"));
        for bad in ["/a/b", "a", "a:b", "a:b:c:d", "a:b:c", "a.slice:b:c/d", "a.slice:b:..", "a.slice:b:c+"] {
            check(Some(bad), "/", (bad == "a.slice:b:..").then_some("/a.slice/b-...scope"));
        }
        let user = Systemd { manager: Manager::User, group: "/u".into(), version: 252 };
        let unit = read(None, &id, &user).unwrap().unit;
        assert_eq!((unit.manager, unit.group), (Manager::User, "/u/user.slice/cuddy-web.scope".into()));
    }
}
