use crate::{Draft, Error};
use plan::facts::HostFacts;
use plan::{Cause, Op, Rendezvous, Undo};
use spec::{ContainerId, Linux};

/// The container's cgroups: where they are and what is written to them.
pub(crate) fn group(linux: &Linux, facts: &HostFacts, id: &ContainerId) -> Result<cgroup::Group, Error> {
    let resources = linux.resources.clone().unwrap_or_default();
    cgroup::group(&resources, &facts.cgroups, linux.cgroups_path.as_deref(), id)
        .map_err(|error| Error::new("", error.to_string(), ""))
}

/// The host makes the cgroups, sets the limits, and puts init into them.
pub(crate) fn join(draft: &mut Draft) {
    let group = std::mem::take(&mut draft.cgroup);
    draft.plan.undo.extend(group.parents.iter().cloned().map(Undo::RemoveEmptyCgroup));
    let from = "/linux/cgroupsPath";
    for directory in &group.directories {
        draft.plan.undo.push(Undo::RemoveCgroup(directory.clone()));
        let op = Op::MakeCgroup { directory: directory.clone() };
        draft.host(op, from, "its own group in each hierarchy, so that it can be counted, limited and ended");
    }
    for inherit in &group.inherit {
        let op = Op::InheritCpuset { directory: inherit.directory.clone(), mount: inherit.mount.clone() };
        draft.host(op, inherit.pointer, inherit.why);
    }
    for setting in &group.settings {
        let fallback = setting.fallback.clone().map(|second| (second.file, second.value));
        let op = Op::WriteCgroup { file: setting.file.clone(), value: setting.value.clone(), fallback };
        let cause = Cause::new(setting.pointer.clone(), setting.why);
        draft.plan.host.push_tolerant(op, cause, setting.ignore);
    }
    if let Some(devices) = &group.devices {
        let op = Op::FilterDevices { directory: devices.directory.clone(), program: devices.program.words() };
        draft.host(op, devices.pointer.clone(), devices.why);
    }
    for file in &group.joins {
        draft.host(Op::JoinCgroup { file: file.clone() }, from, "from here on its limits bite");
    }
    if !group.joins.is_empty() {
        let rendezvous = Rendezvous::CgroupsJoined;
        draft.host(Op::Send { rendezvous }, from, "init waits before anything of the container runs");
    }
    draft.cgroup = group;
}
