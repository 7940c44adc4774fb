use crate::{Draft, Error};
use plan::{NetworkPlace, Op};
use spec::{NamespaceKind, NetDevice};

/// Refuses what cannot be moved (config-linux.md, "Network Devices").
pub(crate) fn check(draft: &Draft) -> Result<(), Error> {
    let mut taken = Vec::new();
    for (name, device) in &draft.linux.net_devices {
        let field = field(name);
        if !draft.namespaces.has(NamespaceKind::Network) {
            let hint = "add {\"type\": \"network\"} to /linux/namespaces";
            return Err(Error::new(field, "the container has no network namespace to move it into", hint));
        }
        let new = name_inside(name, device);
        for (name, template) in [(name.as_str(), false), (new, true)] {
            if !is_name(name, template) {
                let message = format!("{name:?} is no name of an interface");
                let hint = "it has up to 15 characters, without slashes, colons and spaces";
                return Err(Error::new(field, message, hint));
            }
        }
        if taken.contains(&new) && !new.contains('%') {
            let message = format!("a second interface that shall be {new} in the container");
            return Err(Error::new(field, message, "give it another name"));
        }
        taken.push(new);
    }
    Ok(())
}

fn field(name: &str) -> String {
    format!("/linux/netDevices/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn name_inside<'a>(name: &'a str, device: &'a NetDevice) -> &'a str {
    device.name.as_deref().filter(|new| !new.is_empty()).unwrap_or(name)
}

/// `dev_valid_name` of the kernel. A new name may have one `%d`, for which the kernel finds a number.
fn is_name(name: &str, template: bool) -> bool {
    let bare = if template { name.replacen("%d", "", 1) } else { name.to_owned() };
    let sound = |c: char| !c.is_whitespace() && !c.is_control() && !"/:%".contains(c);
    !name.is_empty() && name.len() < 16 && name != "." && name != ".." && bare.chars().all(sound)
}

/// Opens the way back to the machine's interfaces, before any namespace is changed.
pub(crate) fn open(draft: &mut Draft) {
    if !draft.linux.net_devices.is_empty() {
        let why = "interfaces are moved by a socket of the network that they are in";
        draft.host(Op::OpenNetlink, "/linux/netDevices", why);
    }
}

/// Moves the interfaces, once the container's network namespace is there. What is in the namespace when it ends
/// is the kernel's to end or to give back, so there is nothing to undo.
pub(crate) fn take(draft: &mut Draft, into: NetworkPlace) {
    for (name, device) in &draft.linux.net_devices {
        let new_name = name_inside(name, device).to_owned();
        let op = Op::MoveNetDevice { name: name.clone(), new_name, into };
        draft.host(op, field(name), "with its permanent addresses of global scope, and up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_the_kernel_takes() {
        let cases = [
            ("eth0", true, true),
            ("eth%d", false, true),
            ("eth%d%d", false, false),
            ("%s", false, false),
            ("", false, false),
            ("..", false, false),
            ("a/b", false, false),
            ("a:1", false, false),
            ("a b", false, false),
            ("fifteen-letters", true, true),
            ("sixteen-letters!", false, false),
        ];
        for (name, old, new) in cases {
            assert_eq!((is_name(name, false), is_name(name, true)), (old, new), "{name}");
        }
    }
}
