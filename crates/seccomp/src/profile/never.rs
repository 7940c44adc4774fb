//! What no process may ask for, whatever capabilities it has. These groups make no rules: the profile refuses what it does not
//! name. They are here to say why, and so that no call of any architecture is without a reason.

use super::{Effect, Group, When};

pub(super) const GROUPS: &[Group] = &[
    Group {
        why: "\
            I/O that the kernel does on its own: what is asked for lies in memory, out of a filter's \
            sight, and it has been the way to many a bug of the kernel.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "io_uring_enter io_uring_register io_uring_setup",
    },
    Group {
        why: "\
            Keys belong to a user and not to a container, so containers of one user would have each \
            other's.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "add_key keyctl request_key",
    },
    Group {
        why: "\
            It stops the kernel in the middle of its work, which makes races in it easy to win; who \
            needs it for memory of their own can open /dev/userfaultfd where an administrator gives \
            that.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "userfaultfd",
    },
    Group {
        why: "Starting another kernel.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "kexec_file_load kexec_load",
    },
    Group {
        why: "Swap is the machine's.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "swapoff swapon",
    },
    Group {
        why: "\
            The root of the mount namespace is where the container's walls are. A runtime in the \
            container that needs it is given a profile of its own.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "pivot_root",
    },
    Group {
        why: "\
            Moving memory of other processes among NUMA nodes: tells where it lies, and slows others \
            down.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "migrate_pages move_pages",
    },
    Group {
        why: "Which namespaces the machine has is not the container's to know.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "listns",
    },
    Group {
        why: "Emulation of the 8086 for DOS programs on 32-bit kernels.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "vm86 vm86old",
    },
    Group {
        why: "Loads a shared library, for programs from before ELF.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "uselib",
    },
    Group {
        why: "\
            The kernel itself puts it into programs that are probed, and then asks no filter; nobody \
            else has a use for it.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "uprobe",
    },
    Group {
        why: "\
            Information on file systems by number, which statfs(2) gives without; removed from many \
            kernels.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "sysfs ustat",
    },
    Group {
        why: "Registers of PCI devices, on old ARM machines.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "pciconfig_iobase pciconfig_read pciconfig_write",
    },
    Group {
        why: "Switches between ways to address memory of ARM before version 4; nothing since uses them.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "usr26 usr32",
    },
    Group {
        why: "What `set_tls` has set stands in a register that every program can read.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "get_tls",
    },
    Group {
        why: "\
            Forms of calls from before Linux 2.0 for 32-bit x86 and ARM. No C library of this century \
            makes them; the newer forms are allowed.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "\
            ftime nice oldfstat oldlstat oldolduname oldstat olduname readdir sgetmask sigaction \
            signal sigpending sigsuspend ssetmask",
    },
    Group {
        why: "Long gone from Linux, or never there: the kernel answers ENOSYS.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "\
            _sysctl afs_syscall bdflush break create_module get_kernel_syms getpmsg gtty idle lock mpx \
            nfsservctl prof profil putpmsg query_module security stty tuxcall ulimit vserver",
    },
    Group {
        why: "A name of `newfstatat` for aarch64 that no header has; that call is allowed.",
        when: When::Always,
        effect: Effect::Refuse,
        names: "fstatat",
    },
];
