//! Groups of the resctrl file system (kernel documentation, "User Interface for Resource Control feature").

use crate::failure::Error;
use rustix::io::Errno;
use rustix::process::Pid;
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

pub(crate) fn assign(
    group: &Path,
    makes: bool,
    schemata: &[String],
    monitor: Option<&Path>,
    init: Pid,
) -> Result<(), Error> {
    if makes {
        fs::create_dir(group)?;
        write_schemata(group, schemata)?;
    } else {
        let present = fs::read_to_string(group.join("schemata"))?;
        if let Some(other) = schemata.iter().find(|line| !has(&present, line)) {
            let why = format!("the group exists and its schemata do not have {other:?}");
            return Err(Error::told(Errno::EXIST, why));
        }
    }
    let pid = init.as_raw_nonzero().to_string();
    fs::write(group.join("tasks"), &pid).map_err(|error| explained(group, error))?;
    if let Some(monitor) = monitor {
        fs::create_dir(monitor).map_err(|error| explained(group, error))?;
        fs::write(monitor.join("tasks"), &pid).map_err(|error| explained(group, error))?;
    }
    Ok(())
}

/// Changes the shares of a group, line by line.
///
/// # Errors
/// The kernel refuses one; its own words are told where it has some.
pub fn write_schemata(group: &Path, schemata: &[String]) -> io::Result<()> {
    if schemata.is_empty() {
        return Ok(());
    }
    let text = schemata.join("\n") + "\n";
    fs::write(group.join("schemata"), text).map_err(|error| explained(group, error))
}

/// Removes a group that nobody is in. The kernel would move who is, without asking, into the group above, and somebody
/// else may have joined a group with a name.
pub(crate) fn remove(group: &Path) -> io::Result<()> {
    if !fs::read_to_string(group.join("tasks"))?.trim().is_empty() {
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, "processes of others are in it"));
    }
    fs::remove_dir(group)
}

/// The kernel says in a file at the top what it did not like about the last write.
fn explained(group: &Path, error: io::Error) -> io::Error {
    let said = group.ancestors().find_map(|top| fs::read_to_string(top.join("info/last_cmd_status")).ok());
    match said.as_deref().map(str::trim) {
        None | Some("" | "ok") => error,
        Some(said) => io::Error::new(error.kind(), said),
    }
}

/// Whether each share of a line like `L3:0=ff;1=f0` is what the group has. The kernel pads what it shows.
fn has(present: &str, line: &str) -> bool {
    let Some((resource, wanted)) = shares(line) else { return false };
    let found = present.lines().filter_map(shares).find(|(name, _)| *name == resource);
    found.is_some_and(|(_, found)| wanted.iter().all(|(domain, share)| found.get(domain) == Some(share)))
}

fn shares(line: &str) -> Option<(&str, BTreeMap<&str, &str>)> {
    let (resource, shares) = line.trim().split_once(':')?;
    let pairs = shares.split(';').map(|pair| {
        let (domain, share) = pair.split_once('=')?;
        Some((domain.trim(), share.trim().trim_start_matches('0')))
    });
    Some((resource.trim(), pairs.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_somebody_is_in_stays() {
        let top = tempfile::tempdir().unwrap();
        let group = top.path().join("gold");
        fs::create_dir(&group).unwrap();
        fs::write(group.join("tasks"), "17\n").unwrap();
        assert_eq!(remove(&group).unwrap_err().to_string(), "processes of others are in it");
        assert!(group.is_dir());
        let missing = remove(&top.path().join("silver")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn shares_are_compared_and_not_text() {
        let present = "    MB:0= 10;1=100\n    L3:0=00fff;1=fffff\n";
        for (line, expect) in [
            ("L3:0=fff;1=fffff", true),
            ("L3:0=fff", true),
            ("L3:1=fffff;0=0fff", true),
            ("MB:0=10", true),
            ("MB:0=20", false),
            ("L3:2=fff", false),
            ("L2:0=f", false),
            ("L3", false),
            ("L3:0", false),
        ] {
            assert_eq!(has(present, line), expect, "{line}");
        }
    }
}
