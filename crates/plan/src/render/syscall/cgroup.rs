//! Control groups.

use super::{Call, call, gives, write_file};
use crate::{Op, Slot};

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::MakeCgroup { directory } => vec![call("mkdir", format!("{directory:?}, 0755"))],
        Op::InheritCpuset { directory, .. } => ["cpuset.cpus", "cpuset.mems"]
            .into_iter()
            .flat_map(|file| write_file(&directory.join(file), "value of the group above"))
            .collect(),
        Op::WriteCgroup { file, value, .. } => write_file(file, &format!("{value:?}")),
        Op::JoinCgroup { file } => write_file(file, "$init_pid"),
        Op::EnterCgroup { file } => write_file(file, "\"0\""),
        Op::OpenCgroup { directory } => vec![gives(
            "openat",
            format!("AT_FDCWD, {directory:?}, O_PATH|O_DIRECTORY|O_CLOEXEC"),
            Slot::Cgroup,
        )],
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
        _ => unreachable!("not about cgroups"),
    }
}
