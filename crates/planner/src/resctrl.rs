//! Classes of service of the processor's caches and of memory bandwidth (config-linux.md, "IntelRdt"): groups of the
//! resctrl file system.

use crate::{Draft, Error};
use plan::facts::Resctrl;
use plan::{Op, Undo};
use spec::{ContainerId, IntelRdt};
use std::path::PathBuf;

const FIELD: &str = "/linux/intelRdt";

/// Puts init into its group, which is made where the configuration describes one that is not there.
pub(crate) fn assign(draft: &mut Draft) -> Result<(), Error> {
    let Some(asked) = &draft.linux.intel_rdt else { return Ok(()) };
    let Some(resctrl) = &draft.facts.resctrl else {
        let message = "resctrl is not available: this machine has no such file system mounted";
        let hint = "drop it, or mount resctrl on /sys/fs/resctrl where the processor has such controls";
        return Err(Error::new(FIELD, message, hint));
    };
    let (name, schemata) = (name(asked, draft.id)?, schemata(asked));
    let exists = name == "/" || resctrl.groups.contains(&name);
    match &asked.clos_id {
        Some(_) if !exists && schemata.is_empty() => {
            let message = format!("there is no group {name} below {}", resctrl.mount.display());
            return Err(Error::new(format!("{FIELD}/closID"), message, "make it, or give its schemata"));
        }
        None if exists => {
            let message = format!("{} has a group {name} already", resctrl.mount.display());
            return Err(Error::new(FIELD, message, "name it as closID to use it, or choose another name"));
        }
        _ => {}
    }
    let group = group(resctrl, &name);
    let monitor = asked.enable_monitoring.then(|| group.join("mon_groups").join(draft.id.as_str()));
    let made = [(!exists).then(|| group.clone()), monitor.clone()];
    draft.plan.undo.extend(made.into_iter().flatten().map(Undo::RemoveResctrlGroup));
    let op = Op::AssignResctrl { group, makes: !exists, schemata, monitor };
    draft.host(op, FIELD, "what init starts inherits its share of caches and memory bandwidth");
    Ok(())
}

/// The group of a container.
///
/// # Errors
/// `closID` is no name of a group.
pub fn resctrl_group(asked: &IntelRdt, resctrl: &Resctrl, id: &ContainerId) -> Result<PathBuf, Error> {
    Ok(group(resctrl, &name(asked, id)?))
}

fn group(resctrl: &Resctrl, name: &str) -> PathBuf {
    // `/` is the group of all that are in no other.
    resctrl.mount.join(name.trim_start_matches('/'))
}

fn name(asked: &IntelRdt, id: &ContainerId) -> Result<String, Error> {
    let name = asked.clos_id.clone().unwrap_or_else(|| id.to_string());
    let refused = ["", ".", "..", "info", "mon_groups", "mon_data"];
    if name != "/" && (name.contains('/') || refused.contains(&name.as_str())) {
        let message = format!("{name:?} is no name of a group");
        return Err(Error::new(format!("{FIELD}/closID"), message, "give a name without slashes"));
    }
    Ok(name)
}

/// The lines that are written to `schemata`. Where both older fields are there, bandwidth is for `memBwSchema` to say.
#[must_use]
pub fn schemata(asked: &IntelRdt) -> Vec<String> {
    let bandwidth = |line: &&str| line.starts_with("MB:");
    let cache = asked.l3_cache_schema.iter().flat_map(|text| text.lines().map(str::trim));
    let cache = cache.filter(|line| asked.mem_bw_schema.is_none() || !bandwidth(line));
    let memory = asked.mem_bw_schema.iter().flat_map(|text| text.lines().map(str::trim));
    let all = asked.schemata.iter().map(|line| line.trim()).chain(cache).chain(memory);
    all.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_fields() {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let cases: [(&[&str], &str, &str, &[&str]); 5] = [
            (&[], "", "", &[]),
            (&[], "L3:0=f;1=f0", "", &["L3:0=f;1=f0"]),
            (&[], "L3:0=f\nMB:0=10\n", "", &["L3:0=f", "MB:0=10"]),
            (&[], "L3:0=f\nMB:0=10", "MB:0=20", &["L3:0=f", "MB:0=20"]),
            (&["L2:0=3", " "], "L3:0=f", "", &["L2:0=3", "L3:0=f"]),
        ];
        for (lines, cache, memory, expect) in cases {
            let asked = IntelRdt {
                schemata: lines.iter().map(|line| (*line).to_owned()).collect(),
                l3_cache_schema: text(cache),
                mem_bw_schema: text(memory),
                ..IntelRdt::default()
            };
            assert_eq!(schemata(&asked), expect, "{cache:?} and {memory:?}");
        }
    }

    #[test]
    fn names_of_groups() {
        let id: ContainerId = "web".parse().unwrap();
        let resctrl = Resctrl { mount: "/r".into(), groups: Vec::new() };
        for (clos_id, expect) in [
            (None, Some("/r/web")),
            (Some("gold"), Some("/r/gold")),
            (Some("/"), Some("/r/")),
            (Some(""), None),
            (Some(".."), None),
            (Some("a/b"), None),
            (Some("info"), None),
        ] {
            let asked = IntelRdt { clos_id: clos_id.map(str::to_owned), ..IntelRdt::default() };
            let found = resctrl_group(&asked, &resctrl, &id).ok();
            assert_eq!(found, expect.map(PathBuf::from), "{clos_id:?}");
        }
    }
}
