use crate::{CgroupManager, Draft, Error, Options, rootless};
use cgroup::UnitGroup;
use plan::facts::{CgroupLayout, HostFacts};
use plan::{Cause, Op, Rendezvous, Slot, Undo};
use spec::{Config, ContainerId, NamespaceKind, Resources};
use std::path::PathBuf;

/// The container's cgroups: where they are and what is written to them.
pub(crate) fn group(
    config: &Config,
    facts: &HostFacts,
    options: &Options,
    id: &ContainerId,
) -> Result<cgroup::Group, Error> {
    match options.cgroup_manager {
        CgroupManager::Disabled => Ok(cgroup::Group::default()),
        CgroupManager::Cgroupfs => of_files(config, facts, options, id),
        CgroupManager::Systemd => {
            let systemd = facts.systemd.as_ref();
            let systemd = systemd.ok_or_else(|| Error::new("", "nobody asked for systemd", ""))?;
            let make = |layout: &CgroupLayout| told(cgroup::group_of_unit(config, layout, systemd, id));
            let open = rootless::open_layout(facts);
            if open != facts.cgroups {
                rootless::refuse_limits(crate::draft::linux(config), &make(&facts.cgroups)?, &open)?;
            }
            make(&open)
        }
    }
}

fn told(group: Result<cgroup::Group, cgroup::Error>) -> Result<cgroup::Group, Error> {
    group.map_err(|error| Error::new("", error.to_string(), ""))
}

/// What is asked for and no kernel has any more. runc and crun ignore it, too; the specification calls it deprecated.
pub(crate) fn notes(linux: &spec::Linux) -> Vec<String> {
    let limit = linux.resources.as_ref().and_then(|resources| resources.memory.as_ref()?.kernel);
    let asked = limit.filter(|limit| *limit != 0);
    let note = |_| "the limit of kernel memory is ignored: since Linux 5.16 no kernel has one".to_owned();
    asked.map(note).into_iter().collect()
}

/// Groups that the runtime makes itself, where it may.
fn of_files(
    config: &Config,
    facts: &HostFacts,
    options: &Options,
    id: &ContainerId,
) -> Result<cgroup::Group, Error> {
    let linux = crate::draft::linux(config);
    let resources = linux.resources.clone().unwrap_or_default();
    let path = linux.cgroups_path.as_deref();
    let group =
        |resources: &Resources, layout: &CgroupLayout| told(cgroup::group(resources, layout, path, id));
    let open = rootless::open_layout(facts);
    if options.rootless == Some(false) || open == facts.cgroups {
        return group(&resources, &facts.cgroups);
    }
    // What is asked for is checked as for root; then whether it can be had.
    rootless::refuse_limits(linux, &group(&resources, &facts.cgroups)?, &open)?;
    match open.v1.is_empty() && open.v2.is_none() {
        true => Ok(cgroup::Group::default()),
        false => group(&Resources { devices: Vec::new(), ..resources }, &open),
    }
}

/// Where the container's groups would be: by this the machine is asked whether who is not root may make them.
///
/// # Errors
/// As for [`crate::plan()`], for what concerns groups.
pub fn group_directories(
    config: &Config,
    facts: &HostFacts,
    id: &ContainerId,
) -> Result<Vec<PathBuf>, Error> {
    if facts.cgroups == CgroupLayout::default() {
        return Ok(Vec::new());
    }
    let path = crate::draft::linux(config).cgroups_path.as_deref();
    told(cgroup::group(&Resources::default(), &facts.cgroups, path, id)).map(|group| group.directories)
}

const ITS_OWN: &str = "its own group in each hierarchy, so that it can be counted, limited and ended";
const FROM: &str = "/linux/cgroupsPath";

/// The v2 group, with its limits, before the process is born in it.
pub(crate) fn before_clone(draft: &mut Draft) {
    let group = draft.cgroup.clone();
    draft.plan.undo.extend(group.directories.iter().cloned().map(Undo::RemoveCgroup));
    if let Some(UnitGroup { unit, .. }) = &group.unit {
        // Its manager moves init there.
        draft.plan.undo.push(Undo::StopUnit(unit.clone()));
        return;
    }
    let Some(unified) = unified(draft) else { return };
    make(draft, &group, |directory| *directory == unified);
    write(draft, &group, |directory| *directory == unified);
    filter_devices(draft, &group);
    let why = "init is born in it: to move a process takes a lock against all forks of the machine";
    draft.host(Op::OpenCgroup { directory: unified }, FROM, why);
}

/// The slot of the v2 group, if there is one.
pub(crate) fn birthplace(draft: &Draft) -> Option<Slot> {
    unified(draft).filter(|_| draft.cgroup.unit.is_none()).map(|_| Slot::Cgroup)
}

/// The v1 groups, with their limits, beside init's mounts.
pub(crate) fn beside(draft: &mut Draft) -> Result<(), Error> {
    let group = draft.cgroup.clone();
    let unified = unified(draft);
    let is_v1 = |directory: &PathBuf| Some(directory) != unified.as_ref();
    match &group.unit {
        Some(unit) => start_unit(draft, &group, unit),
        None => {
            make(draft, &group, is_v1);
            write(draft, &group, is_v1);
        }
    }
    if draft.namespaces.has(NamespaceKind::User) {
        let tracking = tracking(draft).filter(|_| group.unit.is_some());
        let is_systemds =
            |directory: &PathBuf| tracking.as_ref().is_some_and(|mount| directory.starts_with(mount));
        let joined = group.directories.iter().filter(|directory| is_v1(directory) && !is_systemds(directory));
        for directory in joined {
            let why = "from here on its limits bite; init itself is nobody to the machine's groups";
            draft.host(Op::JoinCgroup { file: directory.join("cgroup.procs") }, FROM, why);
        }
    }
    give(draft)?;
    if !group.directories.is_empty() {
        let rendezvous = Rendezvous::CgroupsReady;
        draft.host(Op::Send { rendezvous }, FROM, "init waits before anything of the container runs");
    }
    Ok(())
}

/// A container that sees its own group on v2, and may write there, owns it: it can have groups of its own inside, as systemd
/// as pid 1 wants to. The owner is the user of its process, as in runc. In v1 hierarchies the kernel has no such rule.
fn give(draft: &mut Draft) -> Result<(), Error> {
    let Some(directory) = unified(draft).filter(|_| draft.facts.cgroups.is_unified()) else { return Ok(()) };
    let shows = |mount: &spec::Mount| {
        matches!(mount.kind.as_deref(), Some("cgroup" | "cgroup2"))
            && mount.destination == std::path::Path::new("/sys/fs/cgroup")
            && !mount.options.iter().any(|option| option == "ro")
    };
    let Some(at) = draft.config.mounts.iter().position(shows) else { return Ok(()) };
    if !draft.namespaces.makes(NamespaceKind::Cgroup) {
        return Ok(());
    }
    let user = draft.config.process.as_ref().map_or(0, |process| process.user.uid);
    let uid = match draft.linux.uid_mappings.is_empty() {
        true => user,
        false => crate::devices::mapped(&draft.linux.uid_mappings, user, "/process/user/uid", "uid")?,
    };
    // What an ordinary user makes is the user's anyway, and cannot be given to anybody.
    let may_give = draft.facts.rootless.is_none() || draft.facts.in_user_namespace();
    if uid != 0 && may_give {
        let why = "the container may have groups of its own inside; its own limits it cannot change";
        draft.host(Op::GiveCgroup { directory, uid }, format!("/mounts/{at}"), why);
    }
    Ok(())
}

/// The groups that a manager of systemd makes, with their limits; and those in hierarchies that it does not know.
fn start_unit(draft: &mut Draft, group: &cgroup::Group, unit: &UnitGroup) {
    let unified = unified(draft);
    let tracking = tracking(draft);
    let is_systemds = |directory: &PathBuf| {
        Some(directory) == unified.as_ref()
            || tracking.as_ref().is_some_and(|mount| directory.starts_with(mount))
    };
    // Before it is in them: a group that exists must have nobody in it.
    make(draft, group, |directory| !is_systemds(directory));
    let op = Op::StartUnit {
        unit: unit.unit.clone(),
        properties: unit.properties.clone(),
        takes_init: unit.takes_processes,
    };
    draft.host(op, "--cgroup-manager", "systemd makes the group and keeps its limits; nobody else should");
    write(draft, group, |_| true);
    filter_devices(draft, group);
    if let Some(unified) = unified.filter(|_| !unit.takes_processes) {
        let op = Op::JoinCgroup { file: unified.join("cgroup.procs") };
        draft.host(op, FROM, "a slice takes no process when it starts");
    }
}

/// The v1 hierarchy in which systemd keeps track of units.
fn tracking(draft: &Draft) -> Option<PathBuf> {
    draft.facts.cgroups.v1_with("name=systemd").map(|v1| v1.mount.clone())
}

fn filter_devices(draft: &mut Draft, group: &cgroup::Group) {
    if let Some(devices) = &group.devices {
        let op = Op::FilterDevices { directory: devices.directory.clone(), program: devices.program.words() };
        draft.host(op, devices.pointer.clone(), devices.why);
    }
}

/// init takes its place in the v1 groups.
pub(crate) fn enter(draft: &mut Draft) {
    let directories = draft.cgroup.directories.clone();
    if directories.is_empty() {
        return;
    }
    let rendezvous = Rendezvous::CgroupsReady;
    draft.init(Op::Await { rendezvous }, FROM, "nothing of the container runs outside its limits");
    if draft.namespaces.has(NamespaceKind::User) {
        return;
    }
    let unified = unified(draft);
    for directory in directories.iter().filter(|directory| Some(*directory) != unified.as_ref()) {
        let why = "from here on its limits bite; who moves itself waits for nobody";
        draft.init(Op::EnterCgroup { file: directory.join("tasks") }, FROM, why);
    }
}

/// The container's directory in the v2 hierarchy.
fn unified(draft: &Draft) -> Option<PathBuf> {
    let mount = &draft.facts.cgroups.v2.as_ref()?.mount;
    draft.cgroup.directories.iter().find(|directory| directory.starts_with(mount)).cloned()
}

/// Makes those of the groups that `wanted` picks.
fn make(draft: &mut Draft, group: &cgroup::Group, wanted: impl Fn(&PathBuf) -> bool) {
    for directory in group.directories.iter().filter(|directory| wanted(directory)) {
        draft.host(Op::MakeCgroup { directory: directory.clone() }, FROM, ITS_OWN);
    }
}

/// Writes the settings of those groups.
fn write(draft: &mut Draft, group: &cgroup::Group, wanted: impl Fn(&PathBuf) -> bool) {
    let directories: Vec<&PathBuf> = group.directories.iter().filter(|directory| wanted(directory)).collect();
    for inherit in group.inherit.iter().filter(|inherit| wanted(&inherit.directory)) {
        let op = Op::InheritCpuset { directory: inherit.directory.clone(), mount: inherit.mount.clone() };
        draft.host(op, inherit.pointer, inherit.why);
    }
    for setting in &group.settings {
        // A v2 setting may stand in a group above: there its controllers are passed on.
        let above = setting.file.parent().unwrap_or(&setting.file);
        if !directories.iter().any(|directory| directory.starts_with(above)) {
            continue;
        }
        let fallback = setting.fallback.clone().map(|second| (second.file, second.value));
        let op = Op::WriteCgroup { file: setting.file.clone(), value: setting.value.clone(), fallback };
        let cause = Cause::new(setting.pointer.clone(), setting.why);
        draft.plan.host.push_tolerant(op, cause, setting.ignore);
    }
}
