//! Control groups: files that a shell can write.

use super::{ShellLine, exact, nearly, none, quote};
use crate::Op;
use crate::unit::{Manager, Property, Unit};
use std::path::Path;

pub(super) fn shell(op: &Op) -> ShellLine {
    match op {
        Op::MakeCgroup { directory } => exact(format!("mkdir -p {}", quote(directory))),
        Op::InheritCpuset { directory, .. } => nearly(
            format!(
                "cd {} && cat ../cpuset.cpus > cpuset.cpus && cat ../cpuset.mems > cpuset.mems",
                quote(directory)
            ),
            "the groups above may be empty, too",
        ),
        Op::WriteCgroup { file, value, .. } => {
            exact(format!("echo {} > {}", quote(Path::new(value)), quote(file)))
        }
        Op::AssignResctrl { group, makes: true, schemata, monitor: None } => {
            let (lines, group) = (schemata.join("\n"), quote(group));
            exact(format!(
                "mkdir {group} && echo {} > {group}/schemata && echo $INIT > {group}/tasks",
                quote(Path::new(&lines))
            ))
        }
        Op::AssignResctrl { group, .. } => nearly(
            format!("echo $INIT > {}/tasks", quote(group)),
            "its schemata are compared, and it is counted alone",
        ),
        Op::JoinCgroup { file } => exact(format!("echo $INIT > {}", quote(file))),
        Op::EnterCgroup { file } => exact(format!("echo 0 > {}", quote(file))),
        Op::OpenCgroup { .. } => none("a shell holds no such descriptor"),
        Op::StartUnit { unit, properties, takes_init } => {
            nearly(start_unit(unit, properties, *takes_init), "busctl does not wait until the unit runs")
        }
        Op::FilterDevices { .. } => none("an eBPF program has to be loaded"),
        Op::GiveCgroup { directory, uid } => nearly(
            format!("cd {} && chown {uid} . $(cat /sys/kernel/cgroup/delegate)", quote(directory)),
            "files that this group lacks are passed over",
        ),
        _ => unreachable!("not about control groups"),
    }
}

/// `busctl call` with the arguments of `StartTransientUnit`; systemd-run(1) moves no process that exists.
fn start_unit(unit: &Unit, properties: &[Property], takes_init: bool) -> String {
    let whose = if unit.manager == Manager::User { " --user" } else { "" };
    let mut texts: Vec<_> = properties.iter().map(Property::to_string).collect();
    texts.extend(takes_init.then(|| "PIDs au 1 $INIT".to_owned()));
    format!(
        "busctl{whose} call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \
         StartTransientUnit 'ssa(sv)a(sa(sv))' {} replace {} {} 0",
        unit.name,
        texts.len(),
        texts.join(" "),
    )
}
