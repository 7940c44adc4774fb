//! Random rules and random calls, drawn from where mistakes would show: neighbouring numbers, both
//! sides of every bound, halves that are equal.

use super::{Data, audit};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use seccomp::Arch;
use spec::{SeccompArg, SyscallRule};

/// Runs of numbers and loners; calls that x32, 32-bit x86 or ARM treat specially; the highest that
/// libseccomp 2.5.4 knows; one that does not exist.
pub const NAMES: [&str; 36] = [
    "read",
    "write",
    "open",
    "close",
    "stat",
    "fstat",
    "lstat",
    "poll",
    "lseek",
    "mmap",
    "mprotect",
    "ioctl",
    "readv",
    "execve",
    "rt_sigaction",
    "personality",
    "clone",
    "socket",
    "socketcall",
    "accept",
    "sendto",
    "ipc",
    "semop",
    "shmat",
    "set_thread_area",
    "uselib",
    "openat",
    "openat2",
    "mount",
    "ptrace",
    "set_tls",
    "cacheflush",
    "clock_gettime64",
    "clone3",
    "set_mempolicy_home_node",
    "no_such_call",
];

const INTERESTING: [u64; 14] = [
    0,
    1,
    2,
    5,
    8,
    11,
    21,
    0x7e02_0000,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0xffff_ffff_0000_0000,
    u64::MAX,
];

const OPERATORS: [&str; 7] = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];

const ACTIONS: [&str; 8] = ["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG"];

pub fn number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => select(&INTERESTING[..]), 1 => any::<u64>(), 1 => any::<u32>().prop_map(u64::from)]
}

pub fn arguments(most: usize) -> impl Strategy<Value = Vec<SeccompArg>> {
    let argument =
        (0..6_u32, number(), number(), select(&OPERATORS[..])).prop_map(|(index, value, value_two, op)| {
            SeccompArg { index, value, value_two, op: format!("SCMP_CMP_{op}") }
        });
    prop_oneof![1 => Just(Vec::new()), 2 => vec(argument, 1..=most)]
}

pub fn names() -> impl Strategy<Value = Vec<String>> {
    subsequence(&NAMES[..], 1..6).prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

/// An action and its errno, below the highest, which libseccomp leaves out.
pub fn action() -> impl Strategy<Value = (String, Option<u32>)> {
    prop_oneof![
        4 => select(&ACTIONS[..]).prop_map(|name| (format!("SCMP_ACT_{name}"), None)),
        1 => (0..4095_u32).prop_map(|errno| ("SCMP_ACT_ERRNO".to_owned(), Some(errno))),
    ]
}

pub fn rule() -> impl Strategy<Value = SyscallRule> {
    let action = prop_oneof![9 => action(), 1 => Just(("SCMP_ACT_NOTIFY".to_owned(), None))];
    (names(), action, arguments(4)).prop_map(|(names, (action, errno_ret), args)| SyscallRule {
        names,
        action,
        errno_ret,
        args,
    })
}

pub fn architectures() -> impl Strategy<Value = Vec<String>> {
    subsequence(&Arch::ALL[..], 0..=Arch::ALL.len())
        .prop_map(|list| list.iter().map(|arch| arch.name().to_owned()).collect())
}

/// A call from anywhere: mostly one that the rules may name, or its neighbour.
fn call() -> impl Strategy<Value = Data> {
    let named = (select(&NAMES[..]), select(&Arch::ALL[..]), 0..3_u32).prop_map(|(name, arch, off)| {
        (audit(arch), arch.number(name).map_or(u32::MAX, |number| (number + off).saturating_sub(1)))
    });
    let any_number = prop_oneof![0..600_u32, 0x4000_0000..0x4000_0300_u32, Just(u32::MAX), any::<u32>()];
    let anywhere = (select(&Arch::ALL[..]), any_number).prop_map(|(arch, number)| (audit(arch), number));
    let foreign = Just((0x8000_0016_u32, 3_u32));
    let place = prop_oneof![8 => named, 4 => anywhere, 1 => foreign];
    (place, vec(number(), 6)).prop_map(|((arch, number), args)| Data {
        arch,
        number,
        args: args.try_into().expect("six were drawn"),
    })
}

/// Calls, many of them: none of them is to be printed but the one that fails, or to be made simpler.
#[derive(Clone)]
pub struct Calls(pub Vec<Data>);

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} calls", self.0.len())
    }
}

pub fn calls(count: usize) -> impl Strategy<Value = Calls> {
    vec(call(), count).prop_map(Calls).no_shrink()
}
