//! Capabilities: Docker's fourteen, and what is added and dropped.

use crate::options::security::CapabilityName;
use crate::options::{OptionError, Privileges};
use spec::{Capabilities, Capability, CapabilitySet};

/// What a container has when nothing is said, as Docker grants it.
pub const DEFAULT: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// What the container gets of what is `available`.
///
/// Docker's rules: `ALL` added gives all but those dropped, `ALL` dropped leaves those added, else it is
/// the default without those dropped and with those added. A default that is not available is left out
/// with a note; one asked for by name is an error.
pub(super) fn granted(
    privileges: &Privileges,
    available: CapabilitySet,
    notes: &mut Vec<String>,
) -> Result<CapabilitySet, OptionError> {
    let named = |names: &[CapabilityName]| -> CapabilitySet {
        let one = |name: &CapabilityName| match name {
            CapabilityName::One(capability) => Some(*capability),
            CapabilityName::All => None,
        };
        names.iter().filter_map(one).collect()
    };
    let (added, dropped) = (named(&privileges.cap_add), named(&privileges.cap_drop));
    if let Some(missing) = added.difference(available).iter().next() {
        return Err(OptionError::new(
            format!("--cap-add {}", missing.name().trim_start_matches("CAP_")),
            "cuddy does not have this capability itself and cannot give it",
            "run cuddy as root with it, or give the container a user namespace with --userns auto",
        ));
    }
    let mut without = |missing: CapabilitySet| {
        let names: Vec<_> = missing.iter().map(Capability::name).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            notes.push(format!("the container goes without {names}, which cuddy does not have itself"));
        }
    };
    if privileges.privileged || privileges.cap_add.contains(&CapabilityName::All) {
        let all: CapabilitySet = Capability::all().collect();
        without(all.difference(dropped).difference(available));
        return Ok(available.difference(dropped));
    }
    if privileges.cap_drop.contains(&CapabilityName::All) {
        return Ok(added);
    }
    let default: CapabilitySet = DEFAULT.iter().filter_map(|name| name.parse::<Capability>().ok()).collect();
    let wanted = default.difference(dropped);
    without(wanted.difference(available));
    Ok(union(wanted.intersection(available), added))
}

fn union(a: CapabilitySet, b: CapabilitySet) -> CapabilitySet {
    CapabilitySet::from_bits(a.bits() | b.bits())
}

/// The five sets. Nothing is inheritable or ambient: a program that runs as another user than root has
/// only what its file gives (capabilities(7); CVE-2022-24769). execve(2) would take the rest from such a
/// user; that it is gone before keeps it from finding and opening the program with root's rights.
pub(super) fn sets(granted: CapabilitySet, uid: u32) -> Capabilities {
    let own = if uid == 0 { granted } else { CapabilitySet::EMPTY };
    Capabilities { bounding: granted, effective: own, permitted: own, ..Capabilities::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::security::capability;

    fn check(add: &[&str], drop: &[&str], available: CapabilitySet, expect: &str) {
        let read = |names: &[&str]| names.iter().map(|name| capability(name).unwrap()).collect();
        let privileges = Privileges { cap_add: read(add), cap_drop: read(drop), ..Privileges::default() };
        let mut notes = Vec::new();
        let got = match granted(&privileges, available, &mut notes) {
            Ok(set) => format!("{} capabilities, {} notes", set.iter().count(), notes.len()),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect, "--cap-add {add:?} --cap-drop {drop:?}");
    }

    #[test]
    fn capabilities_are_added_and_dropped_as_docker_does() {
        let all: CapabilitySet = Capability::all().collect();
        let without_chown = all.without("CHOWN".parse().unwrap());
        check(&[], &[], all, "14 capabilities, 0 notes");
        check(&["NET_ADMIN"], &["CHOWN", "KILL"], all, "13 capabilities, 0 notes");
        check(&["CHOWN"], &["CHOWN"], all, "14 capabilities, 0 notes");
        check(&[], &["ALL"], all, "0 capabilities, 0 notes");
        check(&["NET_RAW"], &["ALL"], all, "1 capabilities, 0 notes");
        check(&["ALL"], &["NET_RAW"], all, "40 capabilities, 0 notes");
        check(&["ALL"], &[], without_chown, "40 capabilities, 1 notes");
        check(&[], &[], without_chown, "13 capabilities, 1 notes");
        check(&[], &["CHOWN"], without_chown, "13 capabilities, 0 notes");
        check(
            &["CHOWN"],
            &[],
            without_chown,
            "--cap-add CHOWN: cuddy does not have this capability itself and cannot give it",
        );
    }
}
