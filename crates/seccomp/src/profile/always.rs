//! What every process may ask for.

use super::{Effect, Group, Masked, When};

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

pub(super) const GROUPS: &[Group] = &[
    Group {
        why: "Files, directories and links: checked against permissions, and within the container's mounts.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            access chdir chmod chown chown32 close close_range creat dup dup2 dup3 faccessat \
            faccessat2 fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 \
            file_getattr file_setattr flock fstat fstat64 fstatat64 fstatfs fstatfs64 ftruncate \
            ftruncate64 futimesat getcwd getdents getdents64 lchown lchown32 link linkat lstat \
            lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 \
            readlink readlinkat rename renameat renameat2 rmdir stat stat64 statfs statfs64 statx \
            symlink symlinkat truncate truncate64 umask unlink unlinkat utime utimensat \
            utimensat_time64 utimes",
    },
    Group {
        why: "Extended attributes: those of the security modules need capabilities of their own.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr \
            listxattrat llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr \
            setxattrat",
    },
    Group {
        why: "Reading, writing and what goes with it, on descriptors that are open already.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            _llseek arm_fadvise64_64 arm_sync_file_range copy_file_range fadvise64 fadvise64_64 \
            fallocate fdatasync fsync ioctl lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 \
            read readahead readv sendfile sendfile64 splice sync sync_file_range sync_file_range2 \
            syncfs tee vmsplice write writev",
    },
    Group {
        why: "Waiting for descriptors, and descriptors made to be waited for.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            _newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 \
            epoll_wait epoll_wait_old eventfd eventfd2 fanotify_mark inotify_add_watch \
            inotify_init inotify_init1 inotify_rm_watch pipe pipe2 poll ppoll ppoll_time64 \
            pselect6 pselect6_time64 select signalfd signalfd4 timerfd_create timerfd_gettime \
            timerfd_gettime64 timerfd_settime timerfd_settime64",
    },
    Group {
        why: "\
            The old asynchronous I/O. io_uring is not here: it does in the kernel what this filter is to \
            see.",
        when: When::Always,
        effect: Effect::Allow,
        names: "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit",
    },
    Group {
        why: "A process's own memory. userfaultfd is not here: it lets a process stop the kernel halfway.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore \
            mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap \
            pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages",
    },
    Group {
        why: "\
            Processes: making them, waiting for them, their relations. For `clone` and `clone3` see \
            those.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            arch_prctl execve execveat exit exit_group fork getpgid getpgrp getpid getppid getsid \
            gettid kill pidfd_open pidfd_send_signal prctl restart_syscall set_tid_address setpgid \
            setsid tgkill tkill vfork wait4 waitid waitpid",
    },
    Group {
        why: "Debugging one's own: since Linux 4.8 the filter is asked again after a tracer changed a call.",
        when: When::Always,
        effect: Effect::Allow,
        names: "process_vm_readv process_vm_writev ptrace uretprobe",
    },
    Group {
        why: "Threads and their locks; a process does this to itself.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            breakpoint cacheflush futex futex_requeue futex_time64 futex_wait futex_waitv \
            futex_wake get_robust_list get_thread_area modify_ldt rseq rseq_slice_yield \
            set_robust_list set_thread_area set_tls",
    },
    Group {
        why: "Signals: to processes that the container sees.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn \
            rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack \
            sigprocmask sigreturn",
    },
    Group {
        why: "Scheduling and limits: raising them needs capabilities of their own.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            getcpu getpriority getrlimit getrusage ioprio_get ioprio_set prlimit64 \
            sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr \
            sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 \
            sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield \
            setpriority setrlimit ugetrlimit",
    },
    Group {
        why: "Users, groups and capabilities: bounded by the capabilities that the process has.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups \
            getgroups32 getresgid getresgid32 getresuid getresuid32 getuid getuid32 setfsgid \
            setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid \
            setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid \
            setuid32",
    },
    Group {
        why: "\
            Reading clocks, sleeping, timers; `adjtimex` and its like read too, and check CAP_SYS_TIME \
            to write.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 \
            clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer \
            gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun \
            timer_gettime timer_gettime64 timer_settime timer_settime64 times",
    },
    Group {
        why: "\
            Sockets that exist already; for `socket` see there. On 32-bit x86 `socketcall` makes sockets \
            of any domain: its arguments are out of sight, and C libraries need it.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom \
            recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown \
            socketcall socketpair",
    },
    Group {
        why: "\
            System V and POSIX message queues, semaphores and shared memory: they live in the IPC \
            namespace.",
        when: When::Always,
        effect: Effect::Allow,
        names: "\
            ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 \
            mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget \
            semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget",
    },
    Group {
        why: "A process may bind itself further.",
        when: When::Always,
        effect: Effect::Allow,
        names: "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp",
    },
    Group {
        why: "What the system is, as far as namespaces show it; random numbers.",
        when: When::Always,
        effect: Effect::Allow,
        names: "getrandom listmount statmount sysinfo uname",
    },
    Group {
        why: "\
            Sockets of domains that are in use: 0 to 45, without AF_ALG (38), which runs cryptography of \
            ours in the kernel, AF_VSOCK (40), which talks past network namespaces, and those that are \
            dead or for other machines (12, 19, 20, 23, 25, 34, 37). The domain is compared as the `int` \
            that the kernel makes of it, so no bits above it hide one.",
        when: When::Always,
        effect: Effect::AllowIf(&DOMAINS),
        names: "socket",
    },
    Group {
        why: "\
            Linux (0), PER_LINUX32 and UNAME26, both, and the question what it is (0xffffffff); other \
            personalities switch protections off.",
        when: When::Always,
        effect: Effect::AllowIf(&PERSONALITIES),
        names: "personality",
    },
];
