//! What to do about a failed step, where the errno alone would leave somebody puzzled.

use plan::{NamespaceKind, Op};
use rustix::io::Errno;

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const EAGAIN: i32 = 11;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const ENOTDIR: i32 = 20;
const EISDIR: i32 = 21;
const EINVAL: i32 = 22;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const ERANGE: i32 = 34;
const ENOSYS: i32 = 38;
const ELOOP: i32 = 40;
const ECONNREFUSED: i32 = 111;

/// A line of advice, or nothing.
pub(crate) fn hint(op: &Op, errno: i32) -> String {
    let text = match (op, errno) {
        (Op::NewMount { fstype, .. }, EPERM) if fstype == "proc" => {
            "the user namespace does not own the pid namespace it mounts, or procfs is masked here; add a pid \
             namespace or drop the mount"
        }
        (Op::NewMount { fstype, .. }, EPERM) if fstype == "sysfs" => {
            "the user namespace does not own the network namespace; add one, or bind /sys of the machine"
        }
        (Op::NewMount { .. }, ENODEV) => "the kernel has no such file system; /proc/filesystems has the list",
        (Op::NewMount { fstype, .. }, EINVAL) if fstype == "devpts" => {
            "the file system refuses one of the options; in a user namespace the id of gid= has to be mapped"
        }
        (Op::NewMount { fstype, .. }, EINVAL) if fstype == "overlay" => {
            "file systems are mounted below the tree, and a user namespace may not look beneath them; or it lies on too many \
             overlays. Name a directory that nothing is mounted in"
        }
        (Op::NewMount { .. }, EINVAL) => "the file system refuses one of the options",
        (Op::CloneTree { .. }, ENOENT) => {
            "the path does not exist on the machine; create it, or correct the source"
        }
        (Op::CloneTree { .. }, ENOTDIR) => "name the directory that shall be the root",
        (Op::CloneTree { .. }, EACCES) => "cuddy may not read the path",
        (Op::CloneTree { recursive: false, .. }, EINVAL) => {
            "file systems are mounted below it, and a user namespace may not look beneath them; use rbind"
        }
        (Op::Attach { .. } | Op::MakeDevice { .. } | Op::MakeDirectory { .. }, EROFS) => {
            "there is nothing at that path and the file system below is read-only; make the path in the root file \
             system"
        }
        (Op::Attach { .. }, EACCES) => {
            "nothing is there, and root of the user namespace may not make it; make the path yourself, or map the owners of \
             the mount that it is in (idmap)"
        }
        (Op::Attach { .. }, ELOOP) => {
            "it must be mounted on ordinary directory, and a symbolic link stands there; remove it from the root file \
             system"
        }
        (Op::Attach { .. } | Op::MakeDirectory { .. }, ENOTDIR) => {
            "choose another path, or remove the file from the root file system"
        }
        (Op::Attach { .. }, EISDIR) => {
            "mount a directory there, or name a path for the file in that directory"
        }
        (Op::SetHostname { .. } | Op::SetDomainname { .. }, EINVAL) => "a name has at most 64 bytes",
        (Op::WriteTimeOffsets { .. }, ERANGE) => {
            "the clocks of the container would begin below zero, or end too soon"
        }
        (Op::Clone { .. } | Op::Unshare { .. }, ENOSPC) => {
            "a limit on namespaces is reached; see /proc/sys/user/max_*_namespaces"
        }
        (Op::Clone { .. } | Op::Unshare { .. }, EINVAL) => "the kernel lacks one of these namespaces",
        (Op::Clone { namespaces, .. }, EPERM | EACCES) if namespaces.contains(&NamespaceKind::User) => {
            "this machine does not let users make user namespaces; see the sysctls kernel.unprivileged_userns_clone, \
             kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces"
        }
        (Op::Clone { .. } | Op::Unshare { .. } | Op::EnterNamespace { .. }, EPERM) => {
            "CAP_SYS_ADMIN over the namespace is needed; run as root"
        }
        (Op::SetRlimit { .. }, EPERM) => {
            "the hard limit is above cuddy's own and CAP_SYS_RESOURCE is missing; lower it, or raise cuddy's"
        }
        (Op::SetOomScoreAdj { .. }, EACCES | EPERM) => {
            "to lower the score takes CAP_SYS_RESOURCE; give a value that is not below cuddy's own"
        }
        (Op::SetScheduler { policy, .. }, EPERM) if policy.name == "SCHED_DEADLINE" => {
            "a deadline can only be kept with every processor of the machine: the process scheduler can't be used \
             together with AllowedCPUs; and it takes CAP_SYS_NICE"
        }
        (Op::SetScheduler { priority: 1.., .. }, EPERM) => {
            "CAP_SYS_NICE is missing, or the container's cpu group has no real-time budget; set \
             cpu.realtimeRuntime"
        }
        (Op::SetScheduler { .. }, EPERM) => "CAP_SYS_NICE is missing; ask for no more than cuddy itself has",
        (Op::SetScheduler { policy, .. }, EINVAL) if policy.name == "SCHED_DEADLINE" => {
            "each time is at least 1024 ns, runtime <= deadline <= period; sched(7) has the rules"
        }
        (Op::SetScheduler { .. }, EINVAL) => {
            "the kernel does not have this policy, or its priority is not in range; sched(7) has the list"
        }
        (Op::SetScheduler { .. }, EBUSY) => {
            "the processors cannot keep that many deadlines; lower the runtime"
        }
        (Op::SetIoPriority { .. }, EPERM) => "the real-time class takes CAP_SYS_NICE; use IOPRIO_CLASS_BE",
        (Op::SetAffinity { .. }, EINVAL) => {
            "none of these processors is there, or none is in the cpuset of the group"
        }
        (Op::SetMemoryPolicy { .. }, EINVAL) => {
            "the kernel does not take this mode with these nodes and flags, or the cpuset has none of the nodes; \
             set_mempolicy(2) has the rules"
        }
        (Op::SetMemoryPolicy { .. }, EPERM | ENOSYS) => {
            "an outer container's filter refuses set_mempolicy(2), or the kernel has no NUMA"
        }
        (Op::SetSecurityAttribute { value, .. }, ENOENT) if value.starts_with("exec ") => {
            "no such AppArmor profile is loaded; /sys/kernel/security/apparmor/profiles has the list"
        }
        (Op::SetSecurityAttribute { .. }, EINVAL) => "the policy of this machine does not know the label",
        (Op::SetSecurityAttribute { .. }, EACCES) => "the policy of this machine does not let cuddy set it",
        (Op::WriteCgroup { file, .. }, errno) => cgroup::advice(file, Errno::from_raw_os_error(errno)),
        (Op::JoinCgroup { .. } | Op::EnterCgroup { .. }, EBUSY) => {
            "cgroup v2 forbids processes in a group that gives controllers to groups below it"
        }
        (Op::JoinCgroup { .. } | Op::EnterCgroup { .. }, ENOSPC) => {
            "the cpuset of the group above has no processors or memory nodes"
        }
        (Op::WriteIdMap { .. }, EPERM) => "cuddy may not map these ids; as root every range is allowed",
        (Op::RunIdMapper { .. }, EPERM) => {
            "the ranges must be the user's own, in /etc/subuid and /etc/subgid (`usermod --add-subuids`), and the program \
             setuid root or with its file capability"
        }
        (Op::CopyUp { .. }, ENOSPC) => "give the tmpfs a greater size=, or leave tmpcopyup out",
        (Op::ChangeMount { .. }, EINVAL) => "nothing is mounted there; drop remount to make a mount",
        (Op::MoveNetDevice { .. }, EINVAL) => "the kernel ties some interfaces, like lo, to their namespace",
        (Op::MoveNetDevice { .. }, EEXIST) => {
            "give it another name in netDevices, or one with %d for the kernel to number"
        }
        (Op::SetSysctl { .. }, ENOENT) => "this kernel has no such parameter",
        (Op::SetSysctl { .. }, EINVAL) => "the kernel does not accept this value",
        (Op::SendListener { .. }, ENOENT | ECONNREFUSED) => "start the agent before the container",
        (Op::SendListener { .. }, EAGAIN) => "the agent does not take it; look what it waits for",
        (Op::TakeListener, EPERM) => "to take a descriptor of init takes CAP_SYS_PTRACE",
        (Op::Restrict { .. }, EPERM) => "it takes noNewPrivileges, or CAP_SYS_ADMIN in the user namespace",
        (Op::Restrict { .. }, ENOENT) => "make the path in the image, or drop its rule",
        (Op::SetSeccomp { .. }, EBUSY) => {
            "a filter with a listener is in force already, and the kernel allows one for each process"
        }
        (Op::SetSeccomp { .. }, EINVAL) => "the kernel refuses the filter or one of its flags",
        (Op::SetIdMap { .. }, EINVAL) => {
            "the file system or this kernel cannot show mapped owners, or it is mapped already; drop idmap, or keep \
             the source on another file system"
        }
        (Op::PivotRoot, EINVAL) => "the root is on a ramdisk or not a mount; try --no-pivot",
        (Op::SetCapabilities { .. }, EPERM) => "cuddy itself lacks one of these capabilities",
        (Op::SetUid { .. } | Op::SetGid { .. }, EINVAL) => {
            "the id has no mapping in the user namespace; extend uidMappings and gidMappings"
        }
        (Op::ChangeDirectory { .. }, ENOENT) => "it does not exist and cannot be made in a read-only root",
        _ => "",
    };
    text.to_owned()
}
