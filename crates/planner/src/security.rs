use crate::{Draft, Error, mounts, rootless};
use plan::{Attr, Cause, Errno, Op, Slot};
use spec::{Capabilities, Capability, CapabilitySet, NamespaceKind, Process};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Opens what masks are made of.
pub(crate) fn sources(draft: &mut Draft) {
    if draft.linux.masked_paths.is_empty() {
        return;
    }
    let from = "/linux/maskedPaths";
    draft.init(Op::OpenNull, from, "files are hidden behind it, so it is proven to be it (CVE-2025-31133)");
    let (fstype, source) = ("tmpfs".to_owned(), Some("tmpfs".to_owned()));
    let mut options = vec![("nr_blocks".to_owned(), Some("1".to_owned()))];
    options.extend(mounts::label(draft));
    let op = Op::NewMount { fstype, source, options, attr: Attr::RDONLY, slot: Slot::Empty };
    draft.init(op, from, "directories are hidden behind one empty directory");
}

/// Hides and write-protects what of the kernel's own files a container has no business with.
///
/// A path that is none is refused: what was to be hidden would be seen.
pub(crate) fn paths(draft: &mut Draft) -> Result<(), Error> {
    let cause = |name, index| Cause::new(format!("/linux/{name}/{index}"), "");
    for (index, path) in draft.linux.readonly_paths.iter().enumerate() {
        let path = plain("readonlyPaths", index, path)?;
        let why = "readable, but a write would change the machine";
        let cause = Cause { why, ..cause("readonlyPaths", index) };
        draft.plan.init.push_tolerant(Op::MakeReadOnly { path }, cause, &[Errno::ENOENT]);
    }
    let mut masked = BTreeSet::new();
    for (index, path) in draft.linux.masked_paths.iter().enumerate() {
        let path = plain("maskedPaths", index, path)?;
        // A second mask would cover the first.
        if !masked.insert(path.clone()) {
            continue;
        }
        let cause = Cause { why: "tells about the machine, or acts on it", ..cause("maskedPaths", index) };
        draft.plan.init.push_tolerant(Op::Mask { path }, cause, &[Errno::ENOENT]);
    }
    Ok(())
}

fn plain(list: &str, index: usize, path: &Path) -> Result<PathBuf, Error> {
    // The specification wants absolute paths; like runc, one that is not begins at the root.
    mounts::inside(path).ok_or_else(|| {
        let message = format!("{} is no path below the root", path.display());
        let hint = "give an absolute path without \"..\"";
        Error::new(format!("/linux/{list}/{index}"), message, hint)
    })
}

/// Ids and capabilities, in the order in which each step can still be done.
pub(crate) fn privileges(draft: &mut Draft) -> Result<(), Error> {
    let process = crate::process::of(draft)?;
    let capabilities = capabilities(draft, process)?;
    let known = CapabilitySet::from_bits(u64::MAX >> (63 - draft.facts.last_capability.min(63)));
    let from = "/process/capabilities";
    let drop = known.difference(capabilities.bounding);
    if !drop.is_empty() {
        draft.init(Op::DropBounding { drop }, from, "what is not in this set can never be gained again");
    }
    if process.user.uid != 0 {
        draft.init(Op::KeepCapabilities, from, "else they would be lost with user id 0");
    }
    let denied = rootless::denies_setgroups(draft);
    if denied && process.user.additional_gids.iter().any(|gid| *gid != process.user.gid) {
        let hint = "drop them, or map more groups than the own one, which newgidmap(1) does";
        let message = "setgroups(2) is denied in the user namespace, so no groups can be added";
        return Err(Error::new("/process/user/additionalGids", message, hint));
    }
    if !denied && !keeps_groups(draft) {
        let groups = process.user.additional_gids.clone();
        let op = Op::SetGroups { groups };
        draft.init(op, "/process/user/additionalGids", "the groups of the caller are not the container's");
    }
    draft.init(
        Op::SetGid { gid: process.user.gid },
        "/process/user/gid",
        "the group before the user, who may not",
    );
    draft.init(
        Op::SetUid { uid: process.user.uid },
        "/process/user/uid",
        "real, effective and saved: no way back",
    );
    let confines = draft.linux.seccomp.is_some() || crate::landlock::is_wanted(draft);
    let needed = if confines && !process.no_new_privileges {
        // seccomp(2) and landlock_restrict_self(2) want CAP_SYS_ADMIN or no_new_privs. It is in no set that execve(2) takes it from
        // (capabilities(7), "Transformation of capabilities during execve()"), so it ends there.
        capabilities.permitted.with(Capability::SYS_ADMIN)
    } else {
        capabilities.permitted
    };
    let extra = needed.difference(capabilities.permitted);
    let op = Op::SetCapabilities {
        effective: CapabilitySet::from_bits(capabilities.effective.bits() | extra.bits()),
        permitted: needed,
        inheritable: capabilities.inheritable,
    };
    let why = if extra.is_empty() {
        "only what the container may do"
    } else {
        "only what the container may do, and CAP_SYS_ADMIN for the filter, which ends at execve(2)"
    };
    draft.init(op, from, why);
    if !capabilities.ambient.is_empty() {
        draft.init(
            Op::SetAmbient { raise: capabilities.ambient },
            from,
            "what programs without file capabilities keep",
        );
    }
    if process.no_new_privileges {
        draft.init(
            Op::SetNoNewPrivileges,
            "/process/noNewPrivileges",
            "no setuid program gives more than there is",
        );
    }
    Ok(())
}

/// crun's annotation for directories that only the caller's supplementary groups may read (crun(1)).
fn keeps_groups(draft: &Draft) -> bool {
    draft.config.annotations.get("run.oci.keep_original_groups").is_some_and(|value| value != "0")
}

/// The sets asked for, without what this machine cannot give; the user is told.
fn capabilities(draft: &mut Draft, process: &Process) -> Result<Capabilities, Error> {
    let mut sets = process.capabilities.clone().unwrap_or_default();
    name_unknown(draft, &sets)?;
    // A new user namespace gives all capabilities over what it owns.
    if draft.namespaces.has(NamespaceKind::User) {
        return consistent(draft, sets);
    }
    let had = draft.facts.capabilities;
    let missing = sets.permitted.difference(had);
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(Capability::name).collect();
        draft.notes.push(format!("{} cannot be given: cuddy itself does not have it", names.join(", ")));
    }
    for set in [
        &mut sets.bounding,
        &mut sets.effective,
        &mut sets.inheritable,
        &mut sets.permitted,
        &mut sets.ambient,
    ] {
        *set = set.intersection(had);
    }
    consistent(draft, sets)
}

/// What cannot be mapped to the kernel "MUST be logged as a warning" (config.md, "Linux Process"). Where no
/// name at all is known the list was not meant for capabilities.
fn name_unknown(draft: &mut Draft, sets: &Capabilities) -> Result<(), Error> {
    if sets.unknown.is_empty() {
        return Ok(());
    }
    let names = some_of(&sets.unknown);
    if sets.is_empty() {
        let message = format!("not one of these is a capability: {names}");
        return Err(Error::new("/process/capabilities", message, "capabilities(7) has the list"));
    }
    draft.notes.push(format!("ignoring unknown or unavailable capabilities: [{names}]"));
    Ok(())
}

/// The first few names, as long as names of capabilities are.
fn some_of(names: &BTreeSet<String>) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|name| name.chars().take(32).collect()).collect();
    let more = names.len().saturating_sub(shown.len());
    shown.join(", ") + &if more == 0 { String::new() } else { format!(" and {more} more") }
}

/// The sets without what capset(2) would refuse as a whole (capabilities(7)): only what is permitted can be effective,
/// only what is in the bounding set can become inheritable, and only what is permitted and inheritable can be ambient.
fn consistent(draft: &mut Draft, mut sets: Capabilities) -> Result<Capabilities, Error> {
    let names = |set: CapabilitySet| set.iter().map(Capability::name).collect::<Vec<_>>().join(", ");
    let beyond = sets.inheritable.difference(sets.bounding);
    // Where names were passed over, sets that do not fit are no mistake of the configuration's.
    if !beyond.is_empty() && sets.unknown.is_empty() {
        let message = format!("operation not permitted: {} not in the bounding set", names(beyond));
        return Err(Error::new(
            "/process/capabilities/inheritable",
            message,
            "add it there, or drop it here",
        ));
    }
    sets.inheritable = sets.inheritable.intersection(sets.bounding);
    let beyond = sets.effective.difference(sets.permitted);
    if !beyond.is_empty() {
        draft.notes.push(format!("{} cannot be effective: not permitted", names(beyond)));
        sets.effective = sets.effective.intersection(sets.permitted);
    }
    let ambient = sets.ambient.intersection(sets.inheritable).intersection(sets.permitted);
    for lost in sets.ambient.difference(ambient).iter() {
        let why = "it is not both permitted and inheritable";
        draft.notes.push(format!("can't raise ambient capability {}: {why}", lost.name()));
    }
    sets.ambient = ambient;
    Ok(sets)
}
