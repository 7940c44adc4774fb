//! Control groups.

use super::{Call, call, gives, write_file};
use crate::unit::{Manager, Property, Unit};
use crate::{Op, Slot};
use std::path::Path;

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::MakeCgroup { directory } => vec![call("mkdir", format!("{directory:?}, 0755"))],
        Op::InheritCpuset { directory, .. } => ["cpuset.cpus", "cpuset.mems"]
            .into_iter()
            .flat_map(|file| write_file(&directory.join(file), "value of the group above"))
            .collect(),
        Op::WriteCgroup { file, value, .. } => write_file(file, &format!("{value:?}")),
        Op::AssignResctrl { group, makes, schemata, monitor } => {
            resctrl(group, *makes, schemata, monitor.as_deref())
        }
        Op::JoinCgroup { file } => write_file(file, "$init_pid"),
        Op::EnterCgroup { file } => write_file(file, "\"0\""),
        Op::OpenCgroup { directory } => vec![gives(
            "openat",
            format!("AT_FDCWD, {directory:?}, O_PATH|O_DIRECTORY|O_CLOEXEC"),
            Slot::Cgroup,
        )],
        Op::StartUnit { unit, properties, takes_init } => start_unit(unit, properties, *takes_init),
        Op::FilterDevices { directory, program } => vec![
            gives(
                "bpf",
                format!(
                    "BPF_PROG_LOAD, {{prog_type=BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt={}}}",
                    program.len()
                ),
                "$program",
            ),
            gives("openat", format!("AT_FDCWD, {directory:?}, O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$cgroup"),
            call(
                "bpf",
                "BPF_PROG_ATTACH, {target_fd=$cgroup, attach_bpf_fd=$program, attach_type=BPF_CGROUP_DEVICE, \
                 attach_flags=BPF_F_ALLOW_MULTI}",
            ),
        ],
        Op::GiveCgroup { directory, uid } => vec![
            gives("openat", format!("AT_FDCWD, {directory:?}, O_RDONLY|O_DIRECTORY|O_CLOEXEC"), "$cgroup"),
            call("fchown", format!("$cgroup, {uid}, -1")),
            call(
                "fchownat",
                format!("$cgroup, each of /sys/kernel/cgroup/delegate, {uid}, -1, AT_SYMLINK_NOFOLLOW"),
            ),
        ],
        _ => unreachable!("not about cgroups"),
    }
}

/// What is said over the bus; where there is none it is said to the manager itself.
fn start_unit(unit: &Unit, properties: &[Property], takes_init: bool) -> Vec<Call> {
    let path = match unit.manager {
        Manager::System => "/run/dbus/system_bus_socket",
        Manager::User => "$XDG_RUNTIME_DIR/bus",
    };
    let mut texts: Vec<_> =
        properties.iter().map(|Property { name, value }| format!("{name}={value}")).collect();
    texts.extend(takes_init.then(|| "PIDs=1 $init_pid".to_owned()));
    let message = format!("StartTransientUnit({:?}, \"replace\", {{{}}})", unit.name, texts.join(", "));
    vec![
        gives("socket", "AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0", "$bus"),
        call("connect", format!("$bus, {{sa_family=AF_UNIX, sun_path={path:?}}}")),
        call("sendto", format!("$bus, {message}, MSG_NOSIGNAL")),
        gives("recvfrom", "$bus", "JobRemoved(..., \"done\")"),
    ]
}

fn resctrl(group: &Path, makes: bool, schemata: &[String], monitor: Option<&Path>) -> Vec<Call> {
    let make = |group: &Path| call("mkdir", format!("{group:?}, 0755"));
    let mut calls = Vec::new();
    if makes {
        calls.push(make(group));
        calls.extend(write_file(&group.join("schemata"), &format!("{:?}", schemata.join("\n"))));
    } else if !schemata.is_empty() {
        let file = group.join("schemata");
        calls.push(gives("openat", format!("AT_FDCWD, {file:?}, O_RDONLY|O_CLOEXEC"), "$file"));
        calls.push(call("read", format!("$file, {:?}", schemata.join("\n"))));
    }
    calls.extend(write_file(&group.join("tasks"), "$init_pid"));
    if let Some(monitor) = monitor {
        calls.push(make(monitor));
        calls.extend(write_file(&monitor.join("tasks"), "$init_pid"));
    }
    calls
}
