//! The default profile, as a container meets it.

use crate::support::{Data, audit, interpreter};
use seccomp::{Action, Arch, compile, default_profile};
use spec::{Capability, CapabilitySet};

const ALLOW: Action = Action::Allow;
const EPERM: Action = Action::Errno(1);
const ENOSYS: Action = Action::Errno(38);

/// Each call is `(name, first arguments, verdict)`.
fn check(capabilities: &[&str], arch: Arch, calls: &[(&str, &[u64], Action)]) {
    let capabilities: CapabilitySet =
        capabilities.iter().map(|name| name.parse::<Capability>().unwrap()).collect();
    let native = if matches!(arch, Arch::Aarch64 | Arch::Arm) { Arch::Aarch64 } else { Arch::X86_64 };
    let filter = compile(&default_profile(capabilities, native), native).unwrap();
    interpreter::load(&filter.program).unwrap();
    for (name, first, expected) in calls {
        let mut args = [0; 6];
        args[..first.len()].copy_from_slice(first);
        let data = Data { arch: audit(arch), number: arch.number(name).unwrap(), args };
        let verdict = Action::from_return(interpreter::run(&filter.program, &data).0);
        assert_eq!(verdict, *expected, "{name}{first:x?} on {arch}");
    }
}

#[test]
fn everyday_calls_are_allowed_everywhere() {
    for arch in Arch::ALL {
        let everyday =
            ["read", "write", "openat", "execve", "exit_group", "mmap", "futex", "statx", "ptrace"];
        let everyday = everyday.iter().filter(|name| arch.number(name).is_some());
        check(&[], arch, &everyday.map(|name| (*name, &[][..], ALLOW)).collect::<Vec<_>>());
    }
}

#[test]
fn what_reaches_beyond_the_container_is_not() {
    let denied = [
        "mount",
        "umount2",
        "pivot_root",
        "setns",
        "unshare",
        "chroot",
        "reboot",
        "init_module",
        "kexec_load",
        "swapon",
        "bpf",
        "perf_event_open",
        "keyctl",
        "add_key",
        "request_key",
        "userfaultfd",
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "open_by_handle_at",
        "settimeofday",
        "acct",
        "quotactl",
        "syslog",
        "fsopen",
        "open_tree",
        "move_mount",
        "mount_setattr",
        "move_pages",
        "vhangup",
        "kcmp",
    ];
    for arch in [Arch::X86_64, Arch::X32, Arch::X86, Arch::Aarch64, Arch::Arm] {
        let calls = denied.iter().filter(|name| arch.number(name).is_some());
        check(&[], arch, &calls.map(|name| (*name, &[][..], EPERM)).collect::<Vec<_>>());
    }
}

#[test]
fn a_capability_brings_its_calls() {
    for (capability, calls) in [
        ("CAP_SYS_ADMIN", &["mount", "setns", "unshare", "bpf", "perf_event_open", "clone3", "fsmount"][..]),
        ("CAP_SYS_CHROOT", &["chroot"]),
        ("CAP_SYS_PTRACE", &["kcmp", "pidfd_getfd", "process_madvise"]),
        ("CAP_BPF", &["bpf"]),
        ("CAP_PERFMON", &["perf_event_open"]),
        ("CAP_SYS_BOOT", &["reboot"]),
        ("CAP_SYS_MODULE", &["init_module", "finit_module", "delete_module"]),
        ("CAP_SYS_NICE", &["mbind", "set_mempolicy", "get_mempolicy"]),
        ("CAP_SYS_TIME", &["settimeofday", "clock_settime"]),
        ("CAP_SYS_PACCT", &["acct"]),
        ("CAP_SYS_RAWIO", &["iopl", "ioperm"]),
        ("CAP_SYS_TTY_CONFIG", &["vhangup"]),
        ("CAP_SYSLOG", &["syslog"]),
        ("CAP_DAC_READ_SEARCH", &["open_by_handle_at"]),
    ] {
        let calls: Vec<_> = calls.iter().map(|name| (*name, &[][..], ALLOW)).collect();
        check(&[capability], Arch::X86_64, &calls);
    }
    check(&["CAP_CHOWN"], Arch::X86_64, &[("mount", &[], EPERM)]);
}

#[test]
fn a_clone_makes_no_namespace() {
    const SIGCHLD: u64 = 17;
    for arch in [Arch::X86_64, Arch::X32, Arch::X86, Arch::Aarch64] {
        for namespace in
            [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
        {
            check(&[], arch, &[("clone", &[namespace | SIGCHLD], EPERM), ("clone", &[SIGCHLD], ALLOW)]);
            check(&["CAP_SYS_ADMIN"], arch, &[("clone", &[namespace | SIGCHLD], ALLOW)]);
        }
        check(&[], arch, &[("clone3", &[], ENOSYS)]);
    }
}

#[test]
fn a_socket_is_of_a_domain_that_is_in_use() {
    for arch in [Arch::X86_64, Arch::X32, Arch::X86, Arch::Aarch64] {
        for domain in 0..64 {
            let denied = [12, 19, 20, 23, 25, 34, 37, 38, 40].contains(&domain) || domain > 45;
            let expected = if denied { EPERM } else { ALLOW };
            check(&[], arch, &[("socket", &[domain], expected)]);
        }
        // The kernel takes an int: what is above it must not hide the domain.
        check(&[], arch, &[("socket", &[0xffff_ffff_0000_0000 | 38], EPERM)]);
        check(&[], arch, &[("socket", &[0x1_0000_0000 | 40], EPERM), ("socket", &[0x1_0000_0002], ALLOW)]);
    }
}

#[test]
fn a_personality_is_one_of_the_harmless() {
    for (value, expected) in [
        (0, ALLOW),
        (8, ALLOW),
        (0x20000, ALLOW),
        (0x20008, ALLOW),
        (0xffff_ffff, ALLOW),
        (0x40000, EPERM),
        (0x40_0000, EPERM),
        (0x1_0000_0000, EPERM),
    ] {
        check(&[], Arch::X86_64, &[("personality", &[value], expected)]);
    }
}

#[test]
fn calls_of_later_kernels_are_missing_rather_than_forbidden() {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let filter = compile(&default_profile(CapabilitySet::EMPTY, arch), arch).unwrap();
        for number in [472, 500, 100_000] {
            let data = Data { arch: audit(arch), number, args: [0; 6] };
            assert_eq!(Action::from_return(interpreter::run(&filter.program, &data).0), ENOSYS);
        }
    }
}

#[test]
fn the_program_is_short_and_shallow() {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        for capabilities in [CapabilitySet::EMPTY, CapabilitySet::from_bits(u64::MAX)] {
            let filter = compile(&default_profile(capabilities, arch), arch).unwrap();
            assert!(filter.program.len() < 450, "{}", seccomp::describe(&filter));
            for number in (0..600).chain([u32::MAX]) {
                let data = Data { arch: audit(arch), number, args: [0; 6] };
                let (verdict, steps) = interpreter::run(&filter.program, &data);
                let depends =
                    ["clone", "socket", "personality"].contains(&arch.call_name(number).unwrap_or(""));
                assert!(steps <= 16 || depends, "{number}: {steps} steps to {verdict:x}");
            }
        }
    }
}
