//! Calls that 32-bit x86 makes through one number for all of them.
//!
//! C libraries there make socket and System V IPC calls through `socketcall(2)` and `ipc(2)`, whose
//! first argument selects the call. A rule for such a call, as in libseccomp, holds for that way too.
//! The call's own arguments lie in memory then, out of a filter's sight, so a condition on its first
//! argument is replaced by the selector.

/// How a call is made through another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Multiplexed {
    /// The number of the multiplexer.
    pub(crate) number: u32,
    /// Its first argument.
    pub(crate) selector: u8,
}

const fn socketcall(selector: u8) -> Multiplexed {
    Multiplexed { number: 102, selector }
}

const fn ipc(selector: u8) -> Multiplexed {
    Multiplexed { number: 117, selector }
}

/// The selectors of `linux/net.h` and `linux/ipc.h`.
pub(crate) const MULTIPLEXED: [(&str, Multiplexed); 32] = [
    ("socket", socketcall(1)),
    ("bind", socketcall(2)),
    ("connect", socketcall(3)),
    ("listen", socketcall(4)),
    ("accept", socketcall(5)),
    ("getsockname", socketcall(6)),
    ("getpeername", socketcall(7)),
    ("socketpair", socketcall(8)),
    ("send", socketcall(9)),
    ("recv", socketcall(10)),
    ("sendto", socketcall(11)),
    ("recvfrom", socketcall(12)),
    ("shutdown", socketcall(13)),
    ("setsockopt", socketcall(14)),
    ("getsockopt", socketcall(15)),
    ("sendmsg", socketcall(16)),
    ("recvmsg", socketcall(17)),
    ("accept4", socketcall(18)),
    ("recvmmsg", socketcall(19)),
    ("sendmmsg", socketcall(20)),
    ("semop", ipc(1)),
    ("semget", ipc(2)),
    ("semctl", ipc(3)),
    ("semtimedop", ipc(4)),
    ("msgsnd", ipc(11)),
    ("msgrcv", ipc(12)),
    ("msgget", ipc(13)),
    ("msgctl", ipc(14)),
    ("shmat", ipc(21)),
    ("shmdt", ipc(22)),
    ("shmget", ipc(23)),
    ("shmctl", ipc(24)),
];
