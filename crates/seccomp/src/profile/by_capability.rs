//! What a process may ask for that has a capability, or has it not.

use super::{Effect, Group, Masked, When};

const ENOSYS: u32 = 38;

/// `CLONE_NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID` and `NEWNET` (clone(2)).
const NO_NEW_NAMESPACE: Masked = Masked { mask: 0x7e02_0000, value: 0 };

pub(super) const GROUPS: &[Group] = &[
    Group {
        why: "New threads and processes, but in no new namespace: that is most of the way to a kernel bug.",
        when: When::Without("CAP_SYS_ADMIN"),
        effect: Effect::AllowIf(&[NO_NEW_NAMESPACE]),
        names: "clone",
    },
    Group {
        why: "\
            ENOSYS: its flags lie in memory, where a filter cannot see them, and with ENOSYS C libraries \
            use `clone`.",
        when: When::Without("CAP_SYS_ADMIN"),
        effect: Effect::Errno(ENOSYS),
        names: "clone3",
    },
    Group {
        why: "\
            Namespaces, mounts, quotas and what else this capability stands for. The kernel asks for it \
            where the container has the namespace, too.",
        when: When::With("CAP_SYS_ADMIN"),
        effect: Effect::Allow,
        names: "\
            clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie \
            lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount \
            open_tree open_tree_attr quotactl quotactl_fd setdomainname sethostname setns umount \
            umount2 unshare",
    },
    Group {
        why: "What the capability stood for before parts of it got capabilities of their own.",
        when: When::With("CAP_SYS_ADMIN"),
        effect: Effect::Allow,
        names: "bpf perf_event_open syslog",
    },
    Group {
        why: "Programs and maps in the kernel are what this capability is for.",
        when: When::With("CAP_BPF"),
        effect: Effect::Allow,
        names: "bpf",
    },
    Group {
        why: "Performance counters are what this capability is for.",
        when: When::With("CAP_PERFMON"),
        effect: Effect::Allow,
        names: "perf_event_open",
    },
    Group {
        why: "The kernel's log is what this capability is for.",
        when: When::With("CAP_SYSLOG"),
        effect: Effect::Allow,
        names: "syslog",
    },
    Group {
        why: "Opening by handle goes past every directory's permissions.",
        when: When::With("CAP_DAC_READ_SEARCH"),
        effect: Effect::Allow,
        names: "open_by_handle_at",
    },
    Group {
        why: "Restarting; in a pid namespace it ends that.",
        when: When::With("CAP_SYS_BOOT"),
        effect: Effect::Allow,
        names: "reboot",
    },
    Group {
        why: "Another root directory, as the capability says.",
        when: When::With("CAP_SYS_CHROOT"),
        effect: Effect::Allow,
        names: "chroot",
    },
    Group {
        why: "Kernel modules, as the capability says: who has it has the kernel.",
        when: When::With("CAP_SYS_MODULE"),
        effect: Effect::Allow,
        names: "delete_module finit_module init_module",
    },
    Group {
        why: "Where memory lies among NUMA nodes; it tells of the machine and changes what others get.",
        when: When::With("CAP_SYS_NICE"),
        effect: Effect::Allow,
        names: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    },
    Group {
        why: "Process accounting, of the pid namespace.",
        when: When::With("CAP_SYS_PACCT"),
        effect: Effect::Allow,
        names: "acct",
    },
    Group {
        why: "Looking into other processes, which the kernel allows with this capability.",
        when: When::With("CAP_SYS_PTRACE"),
        effect: Effect::Allow,
        names: "kcmp pidfd_getfd process_madvise",
    },
    Group {
        why: "Input and output ports, as the capability says: who has it has the hardware.",
        when: When::With("CAP_SYS_RAWIO"),
        effect: Effect::Allow,
        names: "ioperm iopl",
    },
    Group {
        why: "Setting clocks, which are those of the machine.",
        when: When::With("CAP_SYS_TIME"),
        effect: Effect::Allow,
        names: "clock_settime clock_settime64 settimeofday stime",
    },
    Group {
        why: "Hanging up terminals, as the capability says.",
        when: When::With("CAP_SYS_TTY_CONFIG"),
        effect: Effect::Allow,
        names: "vhangup",
    },
];
