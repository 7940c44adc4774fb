//! The default profile: what a container may ask of the kernel unless told otherwise.
//!
//! Deny by default. The list agrees with the profile that Docker ships, which images are tested with,
//! but for these: a socket's domain is compared as the `int` that the kernel will make of it, so no
//! bits above it hide a domain that is denied; and calls of Linux 6.17 and later that only do
//! what an older allowed call does are allowed too (`file_getattr`, `file_setattr`,
//! `rseq_slice_yield`, and `open_tree_attr` with `open_tree`).
//!
//! Not allowed to anybody, and so on no list: `io_uring_*`, the keyrings (`add_key`, `keyctl`,
//! `request_key`: keys belong to a user, not to a container), `userfaultfd`, `kexec_*`, `swapon`,
//! `swapoff`, `pivot_root`, `move_pages`, `migrate_pages`, `vm86`, `uselib` and calls long dead.
//!
//! One hole is known: on 32-bit x86 `socketcall` makes sockets of any domain, its arguments are out of
//! sight, and C libraries need it.

use crate::Arch;
use spec::{Capability, CapabilitySet, Seccomp, SeccompArg, SyscallRule};

/// Calls of one topic.
struct Group {
    when: When,
    effect: Effect,
    /// One of these must hold, if there are any.
    only_if: &'static [Masked],
    /// Separated by spaces. An architecture passes over those that it does not have.
    names: &'static str,
}

enum When {
    Always,
    With(&'static str),
    Without(&'static str),
}

#[derive(Clone, Copy)]
enum Effect {
    Allow,
    Errno(u32),
}

const ALLOW: Effect = Effect::Allow;
const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

/// The first argument has the bits `value` where `mask` is set.
struct Masked {
    mask: u64,
    value: u64,
}

/// The bits that the kernel keeps of an `int`.
const INT: u64 = 0xffff_ffff;

/// The domains that are in use, in aligned blocks: 0 to 45 without DECnet (12), Econet (19), ATM's virtual circuits (20),
/// IrDA (23), WANPIPE (25), IUCV (34) and CAIF (37), which are dead or for other machines, and without AF_ALG (38) and
/// AF_VSOCK (40).
const DOMAINS: [Masked; 18] = [
    Masked { mask: INT & !7, value: 0 },
    Masked { mask: INT & !3, value: 8 },
    Masked { mask: INT & !1, value: 16 },
    Masked { mask: INT, value: 13 },
    Masked { mask: INT & !1, value: 14 },
    Masked { mask: INT, value: 18 },
    Masked { mask: INT, value: 21 },
    Masked { mask: INT, value: 22 },
    Masked { mask: INT, value: 24 },
    Masked { mask: INT & !1, value: 26 },
    Masked { mask: INT & !3, value: 28 },
    Masked { mask: INT & !1, value: 32 },
    Masked { mask: INT & !1, value: 42 },
    Masked { mask: INT & !1, value: 44 },
    Masked { mask: INT, value: 35 },
    Masked { mask: INT, value: 36 },
    Masked { mask: INT, value: 39 },
    Masked { mask: INT, value: 41 },
];

const UNAME26: u64 = 0x0002_0000;
const PER_LINUX32: u64 = 0x0008;
const PERSONALITIES: [Masked; 5] = [
    Masked { mask: u64::MAX, value: 0 },
    Masked { mask: u64::MAX, value: PER_LINUX32 },
    Masked { mask: u64::MAX, value: UNAME26 },
    Masked { mask: u64::MAX, value: UNAME26 | PER_LINUX32 },
    Masked { mask: u64::MAX, value: INT },
];

/// `CLONE_NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID` and `NEWNET` (clone(2)).
const NO_NEW_NAMESPACE: Masked = Masked { mask: 0x7e02_0000, value: 0 };

/// The default profile for a process that has `capabilities`, on `arch` and what else its kernel runs.
#[must_use]
pub fn default_profile(capabilities: CapabilitySet, arch: Arch) -> Seccomp {
    let architectures = [&[arch], arch.companions()].concat();
    Seccomp {
        default_action: "SCMP_ACT_ERRNO".into(),
        default_errno_ret: Some(EPERM),
        architectures: architectures.iter().map(|arch| arch.name().to_owned()).collect(),
        syscalls: GROUPS.iter().filter(|group| group.applies(capabilities)).flat_map(Group::rules).collect(),
        ..Seccomp::default()
    }
}

impl Group {
    fn applies(&self, capabilities: CapabilitySet) -> bool {
        let has = |name: &str| name.parse::<Capability>().is_ok_and(|one| capabilities.contains(one));
        match self.when {
            When::Always => true,
            When::With(name) => has(name),
            When::Without(name) => !has(name),
        }
    }

    fn rules(&self) -> Vec<SyscallRule> {
        let rule = |args| SyscallRule {
            names: self.names.split_whitespace().map(str::to_owned).collect(),
            action: match self.effect {
                Effect::Allow => "SCMP_ACT_ALLOW".into(),
                Effect::Errno(_) => "SCMP_ACT_ERRNO".into(),
            },
            errno_ret: match self.effect {
                Effect::Allow => None,
                Effect::Errno(errno) => Some(errno),
            },
            args,
        };
        if self.only_if.is_empty() {
            return vec![rule(Vec::new())];
        }
        self.only_if.iter().map(|masked| rule(vec![masked.on_first_argument()])).collect()
    }
}

impl Masked {
    fn on_first_argument(&self) -> SeccompArg {
        SeccompArg { index: 0, value: self.mask, value_two: self.value, op: "SCMP_CMP_MASKED_EQ".into() }
    }
}

const GROUPS: &[Group] = &[
    // Files, directories and links: checked against permissions, and within the container's mounts.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            access chdir chmod chown chown32 close close_range creat dup dup2 dup3 faccessat faccessat2 \
            fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 file_getattr \
            file_setattr flock fstat fstat64 fstatat64 fstatfs fstatfs64 ftruncate ftruncate64 futimesat \
            getcwd getdents getdents64 lchown lchown32 link linkat lstat lstat64 mkdir mkdirat mknod \
            mknodat name_to_handle_at newfstatat open openat openat2 readlink readlinkat rename renameat \
            renameat2 rmdir stat stat64 statfs statfs64 statx symlink symlinkat truncate truncate64 \
            umask unlink unlinkat utime utimensat utimensat_time64 utimes",
    },
    // Extended attributes: the security ones need capabilities of their own.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr \
            listxattrat llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat",
    },
    // Reading, writing and what goes with it, on descriptors that are open already.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            _llseek arm_fadvise64_64 arm_sync_file_range copy_file_range fadvise64 fadvise64_64 \
            fallocate fdatasync fsync ioctl lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read \
            readahead readv sendfile sendfile64 splice sync sync_file_range sync_file_range2 syncfs tee \
            vmsplice write writev",
    },
    // Waiting for descriptors, and descriptors made to be waited for.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            _newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 \
            epoll_wait epoll_wait_old eventfd eventfd2 fanotify_mark inotify_add_watch inotify_init \
            inotify_init1 inotify_rm_watch pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 \
            select signalfd signalfd4 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime \
            timerfd_settime64",
    },
    // The old asynchronous I/O. io_uring is not here: it does in the kernel what this filter is to see.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit",
    },
    // A process's own memory. userfaultfd is not here: it lets a process stop the kernel halfway.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock \
            mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc \
            pkey_free pkey_mprotect process_mrelease remap_file_pages",
    },
    // Processes: making them, waiting for them, their relations. For `clone` see below.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            arch_prctl execve execveat exit exit_group fork getpgid getpgrp getpid getppid getsid gettid \
            kill pidfd_open pidfd_send_signal prctl restart_syscall set_tid_address setpgid setsid \
            tgkill tkill vfork wait4 waitid waitpid",
    },
    // Debugging one's own: since Linux 4.8 the filter is asked again after a tracer changed a call.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "process_vm_readv process_vm_writev ptrace uretprobe",
    },
    // Threads and their locks.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            breakpoint cacheflush futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake \
            get_robust_list get_thread_area modify_ldt rseq rseq_slice_yield set_robust_list \
            set_thread_area set_tls",
    },
    // Signals.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend \
            rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn",
    },
    // Scheduling and limits: raising them needs capabilities of their own.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            getcpu getpriority getrlimit getrusage ioprio_get ioprio_set prlimit64 \
            sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam \
            sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity \
            sched_setattr sched_setparam sched_setscheduler sched_yield setpriority setrlimit ugetrlimit",
    },
    // Users, groups and capabilities: bounded by the capabilities that the process has.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 \
            getresgid getresgid32 getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid \
            setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 \
            setresuid setresuid32 setreuid setreuid32 setuid setuid32",
    },
    // Reading clocks, sleeping, timers; `adjtimex` and its like read too, and check CAP_SYS_TIME to write.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime \
            clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep \
            setitimer time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 \
            timer_settime timer_settime64 times",
    },
    // Sockets that exist already; for `socket` see below.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg \
            recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall \
            socketpair",
    },
    // System V and POSIX message queues, semaphores and shared memory: they live in the IPC namespace.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "\
            ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend \
            mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop \
            semtimedop_time64 shmat shmctl shmdt shmget",
    },
    // A process may bind itself further.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp",
    },
    // What the system is, as far as namespaces show it; random numbers.
    Group {
        when: When::Always,
        effect: ALLOW,
        only_if: &[],
        names: "getrandom listmount statmount sysinfo uname",
    },
    // Sockets of domains that are in use, without AF_ALG and AF_VSOCK: the one runs cryptography of ours in the kernel, the
    // other talks past network namespaces.
    Group { when: When::Always, effect: ALLOW, only_if: &DOMAINS, names: "socket" },
    // Linux and UNAME26, with or without a fixed address layout, and the question what it is; other
    // personalities switch protections off.
    Group { when: When::Always, effect: ALLOW, only_if: &PERSONALITIES, names: "personality" },
    // New threads and processes, but in no new namespace: that is most of the way to a kernel bug.
    Group {
        when: When::Without("CAP_SYS_ADMIN"),
        effect: ALLOW,
        only_if: &[NO_NEW_NAMESPACE],
        names: "clone",
    },
    // Its flags lie in memory, where a filter cannot see them; ENOSYS makes C libraries use `clone`.
    Group {
        when: When::Without("CAP_SYS_ADMIN"),
        effect: Effect::Errno(ENOSYS),
        only_if: &[],
        names: "clone3",
    },
    // Namespaces, mounts, quotas and what else this capability stands for.
    Group {
        when: When::With("CAP_SYS_ADMIN"),
        effect: ALLOW,
        only_if: &[],
        names: "\
            clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr \
            lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree open_tree_attr \
            quotactl quotactl_fd setdomainname sethostname setns umount umount2 unshare",
    },
    // What it stood for before parts of it got capabilities of their own.
    Group {
        when: When::With("CAP_SYS_ADMIN"),
        effect: ALLOW,
        only_if: &[],
        names: "bpf perf_event_open syslog",
    },
    // Programs and maps in the kernel.
    Group { when: When::With("CAP_BPF"), effect: ALLOW, only_if: &[], names: "bpf" },
    // Performance counters.
    Group { when: When::With("CAP_PERFMON"), effect: ALLOW, only_if: &[], names: "perf_event_open" },
    // The kernel's log.
    Group { when: When::With("CAP_SYSLOG"), effect: ALLOW, only_if: &[], names: "syslog" },
    // Opening by handle goes past every directory's permissions.
    Group {
        when: When::With("CAP_DAC_READ_SEARCH"),
        effect: ALLOW,
        only_if: &[],
        names: "open_by_handle_at",
    },
    // Restarting; in a pid namespace it ends that.
    Group { when: When::With("CAP_SYS_BOOT"), effect: ALLOW, only_if: &[], names: "reboot" },
    // Another root directory.
    Group { when: When::With("CAP_SYS_CHROOT"), effect: ALLOW, only_if: &[], names: "chroot" },
    // Kernel modules.
    Group {
        when: When::With("CAP_SYS_MODULE"),
        effect: ALLOW,
        only_if: &[],
        names: "delete_module finit_module init_module",
    },
    // Where memory lies among NUMA nodes.
    Group {
        when: When::With("CAP_SYS_NICE"),
        effect: ALLOW,
        only_if: &[],
        names: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    },
    // Process accounting.
    Group { when: When::With("CAP_SYS_PACCT"), effect: ALLOW, only_if: &[], names: "acct" },
    // Looking into other processes.
    Group {
        when: When::With("CAP_SYS_PTRACE"),
        effect: ALLOW,
        only_if: &[],
        names: "kcmp pidfd_getfd process_madvise",
    },
    // Input and output ports.
    Group { when: When::With("CAP_SYS_RAWIO"), effect: ALLOW, only_if: &[], names: "ioperm iopl" },
    // Setting clocks.
    Group {
        when: When::With("CAP_SYS_TIME"),
        effect: ALLOW,
        only_if: &[],
        names: "clock_settime clock_settime64 settimeofday stime",
    },
    // Hanging up terminals.
    Group { when: When::With("CAP_SYS_TTY_CONFIG"), effect: ALLOW, only_if: &[], names: "vhangup" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_a_call_somewhere_and_every_capability_exists() {
        for group in GROUPS {
            for name in group.names.split_whitespace() {
                assert!(Arch::ALL.iter().any(|arch| arch.number(name).is_some()), "{name}");
            }
            if let When::With(name) | When::Without(name) = group.when {
                assert!(name.parse::<Capability>().is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn no_group_repeats_what_is_always_allowed() {
        let mut seen = HashSet::new();
        for group in GROUPS.iter().filter(|group| matches!(group.when, When::Always)) {
            assert!(group.names.split_whitespace().all(|name| seen.insert(name)), "{}", group.names);
        }
        for group in GROUPS.iter().filter(|group| !matches!(group.when, When::Always)) {
            assert!(group.names.split_whitespace().all(|name| !seen.contains(name)), "{}", group.names);
        }
    }

    #[test]
    fn a_32_bit_program_in_the_image_may_run() {
        let of = |arch| default_profile(CapabilitySet::EMPTY, arch).architectures;
        assert_eq!(of(Arch::X86_64), ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
        assert_eq!(of(Arch::Aarch64), ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
    }
}
