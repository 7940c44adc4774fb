//! The processes of a container without cgroups: those in its pid namespace, and in others below that.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

/// Pids of all processes in the pid namespace whose first process is `init`, and below, in the runtime's own.
///
/// `None`: it is not the first of its namespace, so that others than the container's are there.
pub(crate) fn of(init: i32) -> io::Result<Option<Vec<i32>>> {
    let status = std::fs::read_to_string(format!("/proc/{init}/status"))?;
    if !is_first(&status) {
        return Ok(None);
    }
    let own = namespace(init)?;
    let mut parents = BTreeMap::new();
    let mut members = BTreeSet::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        // One that has ended and was not reaped is in no group, either.
        if field(&status, "State:").is_none_or(|state| state.starts_with('Z')) {
            continue;
        }
        // Others' processes cannot be looked into, and any may end meanwhile.
        if namespace(pid).is_ok_and(|namespace| namespace == own) {
            members.insert(pid);
        }
        parents.insert(pid, field(&status, "PPid:").and_then(|ppid| ppid.parse::<i32>().ok()));
    }
    // A namespace below begins with a child of one of them.
    loop {
        let children: Vec<i32> = parents
            .iter()
            .filter(|(pid, parent)| {
                !members.contains(pid) && parent.is_some_and(|parent| members.contains(&parent))
            })
            .map(|(pid, _)| *pid)
            .collect();
        if children.is_empty() {
            return Ok(Some(members.into_iter().collect()));
        }
        members.extend(children);
    }
}

fn namespace(pid: i32) -> io::Result<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/pid"))
}

/// Whether a process has pid 1 in the innermost of its pid namespaces, which is not the runtime's own
/// (proc_pid_status(5), `NSpid`).
fn is_first(status: &str) -> bool {
    let pids: Vec<&str> = field(status, "NSpid:").into_iter().flat_map(str::split_whitespace).collect();
    pids.len() > 1 && pids.last() == Some(&"1")
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_namespace_has_pid_1_there() {
        for (status, first) in [
            ("Name:\tsh\nNSpid:\t4711\t1\n", true),
            ("NSpid:\t4711\t20\t1\n", true),
            ("NSpid:\t1\n", false),
            ("NSpid:\t4711\t2\n", false),
            ("", false),
        ] {
            assert_eq!(is_first(status), first, "{status:?}");
        }
    }
}
