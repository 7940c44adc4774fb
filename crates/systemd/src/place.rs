//! Where managers listen.

use plan::unit::Manager;
use std::env;
use std::path::{Path, PathBuf};

/// The socket of the machine's bus (D-Bus specification, "System message bus").
const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";
/// The socket of the machine's manager itself, for root alone.
const SYSTEM_PRIVATE: &str = "/run/systemd/private";

/// A socket over which a manager can be spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A bus, to which others are connected, too.
    Bus(PathBuf),
    /// The manager itself.
    Private(PathBuf),
}

impl Place {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Bus(path) | Self::Private(path) => path,
        }
    }
}

/// Where a manager may listen, the best place first.
pub(crate) fn places(manager: Manager) -> Vec<Place> {
    match manager {
        Manager::System => {
            let address = env::var("DBUS_SYSTEM_BUS_ADDRESS").ok();
            let bus = address.as_deref().and_then(socket).unwrap_or_else(|| SYSTEM_BUS.into());
            vec![Place::Bus(bus), Place::Private(SYSTEM_PRIVATE.into())]
        }
        Manager::User => {
            let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
            of_user(env::var("DBUS_SESSION_BUS_ADDRESS").ok().as_deref(), runtime.as_deref())
        }
    }
}

fn of_user(address: Option<&str>, runtime: Option<&Path>) -> Vec<Place> {
    let usual = || runtime.map(|runtime| runtime.join("bus"));
    let bus = address.and_then(socket).or_else(usual).map(Place::Bus);
    let private = runtime.map(|runtime| Place::Private(runtime.join("systemd/private")));
    bus.into_iter().chain(private).collect()
}

/// The socket of the first address of a list that is a file: `unix:path=/run/user/1000/bus,guid=...;...`, in which bytes
/// may be written as `%2f` (D-Bus specification, "Server Addresses").
fn socket(addresses: &str) -> Option<PathBuf> {
    let unix = addresses.split(';').filter_map(|address| address.strip_prefix("unix:"));
    let path = unix.flat_map(|keys| keys.split(',')).find_map(|key| key.strip_prefix("path="))?;
    let mut parts = path.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = (part.get(..2)?, part.get(2..)?);
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    let path = PathBuf::from(String::from_utf8(bytes).ok()?);
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (address, path) in [
            ("unix:path=/run/bus", Some("/run/bus")),
            ("unix:path=/run/bus,guid=12", Some("/run/bus")),
            ("unix:guid=12,path=/run/bus", Some("/run/bus")),
            ("tcp:host=x;unix:path=/a%20b", Some("/a b")),
            ("unix:abstract=/tmp/x", None),
            ("unix:path=relative", None),
            ("unix:path=/a%2", None),
            ("unix:path=/a%zz", None),
            ("", None),
        ] {
            assert_eq!(socket(address), path.map(PathBuf::from), "{address}");
        }
    }

    #[test]
    fn a_user_has_a_bus_and_a_manager() {
        let private = Place::Private("/run/user/7/systemd/private".into());
        let runtime = Some(Path::new("/run/user/7"));
        let bus = |path: &str| Place::Bus(path.into());
        assert_eq!(of_user(None, runtime), [bus("/run/user/7/bus"), private.clone()]);
        assert_eq!(of_user(Some("unix:path=/b"), runtime), [bus("/b"), private]);
        assert_eq!(of_user(Some("unix:path=/b"), None), [bus("/b")]);
        assert_eq!(of_user(None, None), []);
    }
}
