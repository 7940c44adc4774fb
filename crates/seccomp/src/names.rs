//! System calls by name: one table for all architectures, made while compiling.
//!
//! A profile names some 400 calls and is compiled on the way of every container start, so a name is
//! looked up once, by hash, and the answer holds its number on each architecture; and the calls of
//! each architecture are in order here, so that nothing is left to sort. Names are kept in
//! one run of bytes, not as pointers that the loader would have to relocate at every start.

use crate::Arch;
use crate::multiplexed::{MULTIPLEXED, Multiplexed};
use std::fmt;

/// A system call that some architecture has.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// Its place among all of them.
    index: u16,
    /// Where in the text its name begins, and how long it is.
    start: u16,
    length: u16,
    /// By architecture, in the order of [`Arch::ALL`].
    numbers: [u32; Arch::ALL.len()],
    /// The other way to make it on 32-bit x86.
    multiplexed: Option<Multiplexed>,
}

const ABSENT: u32 = u32::MAX;

impl Call {
    /// The call of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        let mut slot = first_slot(name);
        loop {
            let index = usize::from(TABLE.slots[slot].checked_sub(1)?);
            let call = &TABLE.calls[index];
            if call.bytes() == name.as_bytes() {
                return Some(call);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// How many there are at most.
    pub(crate) const COUNT: usize = CALLS;

    /// Its place among all of them, below [`Call::COUNT`].
    pub(crate) fn index(&self) -> usize {
        self.index.into()
    }

    /// The calls of an architecture, by their numbers, the lowest first. Some have two names.
    pub(crate) fn by_number(arch: Arch) -> impl Iterator<Item = (u32, &'static Self)> {
        let calls = TABLE.by_number[arch as usize].iter().map(|index| &TABLE.calls[usize::from(*index)]);
        calls.map_while(move |call| Some((call.number(arch)?, call)))
    }

    /// Every call.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        TABLE.calls.iter().filter(|call| call.length > 0)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    fn bytes(&self) -> &'static [u8] {
        let start = usize::from(self.start);
        &TABLE.text[start..start + usize::from(self.length)]
    }

    /// Its number on `arch`, without the bit that marks x32.
    pub(crate) fn number(&self, arch: Arch) -> Option<u32> {
        let number = self.numbers[arch as usize];
        (number != ABSENT).then_some(number)
    }

    /// Its other number on `arch`, if there it can also be made through a multiplexer.
    pub(crate) fn multiplexed(&self, arch: Arch) -> Option<Multiplexed> {
        if arch == Arch::X86 { self.multiplexed } else { None }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// x32 gives these, whose arguments hold pointers to structures with other layouts, numbers of their
/// own from 512 on, in this order; all others have the number of x86_64 (`syscall_64.tbl`).
const X32_OWN: [&str; 36] = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

/// What x86_64 has and x32 has not.
const X32_LACKS: [&str; 11] = [
    "_sysctl",
    "create_module",
    "epoll_ctl_old",
    "epoll_wait_old",
    "get_kernel_syms",
    "get_thread_area",
    "nfsservctl",
    "query_module",
    "set_thread_area",
    "uselib",
    "vserver",
];

/// What the `syscalls` crate does not have: the newest calls, which have the same number everywhere;
/// ARM's private ones and another name (`asm/unistd.h`); and the name by which aarch64 calls its `fstatat`.
const NEWEST: [(&str, u32); 2] = [("listns", 470), ("rseq_slice_yield", 471)];
const ARM_OWN: [(&str, u32); 7] = [
    ("sync_file_range2", 341),
    ("breakpoint", 0x000f_0001),
    ("cacheflush", 0x000f_0002),
    ("usr26", 0x000f_0003),
    ("usr32", 0x000f_0004),
    ("set_tls", 0x000f_0005),
    ("get_tls", 0x000f_0006),
];
const AARCH64_FSTATAT: (&str, u32) = ("newfstatat", 79);

/// Past the highest number in the tables of the `syscalls` crate.
const NUMBERS: usize = 512;
const CALLS: usize = 500;
const TEXT: usize = 5000;
const SLOTS: usize = 2048;

struct Table {
    text: [u8; TEXT],
    used: usize,
    calls: [Call; CALLS],
    count: usize,
    /// The calls that each architecture has, in the order of their numbers, and then one that it has not.
    by_number: [[u16; CALLS]; Arch::ALL.len()],
    /// Open addressing by the hash of the name; zero is free, otherwise one more than the call.
    slots: [u16; SLOTS],
}

static TABLE: Table = Table::build();

impl Table {
    #[allow(long_running_const_eval, reason = "some 1700 names are hashed, once per build of this crate")]
    const fn build() -> Self {
        let numbers = [ABSENT; Arch::ALL.len()];
        let free = Call { index: 0, start: 0, length: 0, numbers, multiplexed: None };
        let mut table = Self {
            text: [0; TEXT],
            used: 0,
            calls: [free; CALLS],
            count: 0,
            by_number: [[0; CALLS]; Arch::ALL.len()],
            slots: [0; SLOTS],
        };
        let mut id = 0;
        while id < NUMBERS {
            let number = id as u32;
            if let Some(call) = syscalls::x86_64::Sysno::new(id) {
                table.add(call.name(), Arch::X86_64, number);
                table.add(call.name(), Arch::X32, x32_number(call.name(), number));
            }
            if let Some(call) = syscalls::x86::Sysno::new(id) {
                table.add(call.name(), Arch::X86, number);
            }
            if let Some(call) = syscalls::aarch64::Sysno::new(id)
                && !only_on_32_bits(number)
            {
                table.add(call.name(), Arch::Aarch64, number);
            }
            if let Some(call) = syscalls::arm::Sysno::new(id) {
                table.add(call.name(), Arch::Arm, number);
            }
            id += 1;
        }
        table.add(AARCH64_FSTATAT.0, Arch::Aarch64, AARCH64_FSTATAT.1);
        let mut i = 0;
        while i < ARM_OWN.len() {
            table.add(ARM_OWN[i].0, Arch::Arm, ARM_OWN[i].1);
            i += 1;
        }
        let mut i = 0;
        while i < NEWEST.len() * Arch::ALL.len() {
            let (name, number) = NEWEST[i / Arch::ALL.len()];
            table.add(name, Arch::ALL[i % Arch::ALL.len()], number);
            i += 1;
        }
        let mut i = 0;
        while i < MULTIPLEXED.len() {
            let call = table.entry(MULTIPLEXED[i].0);
            table.calls[call].multiplexed = Some(MULTIPLEXED[i].1);
            i += 1;
        }
        let mut arch = 0;
        while arch < Arch::ALL.len() {
            table.by_number[arch] = table.sorted(arch);
            arch += 1;
        }
        table
    }

    /// By insertion: most calls were added in the order of their numbers. What an architecture lacks has the highest.
    const fn sorted(&self, arch: usize) -> [u16; CALLS] {
        let mut sorted = [0; CALLS];
        let mut count = 0;
        while count < CALLS {
            let number = self.calls[count].numbers[arch];
            let mut at = count;
            while at > 0 && self.calls[sorted[at - 1] as usize].numbers[arch] > number {
                sorted[at] = sorted[at - 1];
                at -= 1;
            }
            sorted[at] = count as u16;
            count += 1;
        }
        sorted
    }

    const fn add(&mut self, name: &str, arch: Arch, number: u32) {
        // The tables have one name that is a keyword of Rust.
        let call = self.entry(if equal(name.as_bytes(), b"r#break") { "break" } else { name });
        self.calls[call].numbers[arch as usize] = number;
    }

    /// The index of the call of that name, which is made if there is none.
    const fn entry(&mut self, name: &str) -> usize {
        let mut slot = first_slot(name);
        while self.slots[slot] != 0 && !self.is_named(self.slots[slot] as usize - 1, name) {
            slot = (slot + 1) % SLOTS;
        }
        if self.slots[slot] == 0 {
            self.append(name);
            self.slots[slot] = self.count as u16;
        }
        self.slots[slot] as usize - 1
    }

    const fn append(&mut self, name: &str) {
        let call = &mut self.calls[self.count];
        call.index = self.count as u16;
        call.start = self.used as u16;
        call.length = name.len() as u16;
        self.count += 1;
        let mut i = 0;
        while i < name.len() {
            self.text[self.used] = name.as_bytes()[i];
            self.used += 1;
            i += 1;
        }
    }

    const fn is_named(&self, call: usize, name: &str) -> bool {
        let call = &self.calls[call];
        if call.length as usize != name.len() {
            return false;
        }
        let mut i = 0;
        while i < name.len() {
            if self.text[call.start as usize + i] != name.as_bytes()[i] {
                return false;
            }
            i += 1;
        }
        true
    }
}

const fn x32_number(name: &str, x86_64: u32) -> u32 {
    if position(&X32_LACKS, name).is_some() {
        return ABSENT;
    }
    match position(&X32_OWN, name) {
        Some(index) => 512 + index as u32,
        None => x86_64,
    }
}

/// 403 to 423 are the calls with a 64-bit time, which only 32-bit machines need. The generic list
/// that aarch64's is made from has their names nevertheless.
const fn only_on_32_bits(number: u32) -> bool {
    403 <= number && number <= 423
}

const fn position(names: &[&str], name: &str) -> Option<usize> {
    let mut i = 0;
    while i < names.len() {
        if equal(names[i].as_bytes(), name.as_bytes()) {
            return Some(i);
        }
        i += 1;
    }
    None
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// FNV-1a, folded to a slot.
const fn first_slot(name: &str) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut i = 0;
    while i < name.len() {
        hash = (hash ^ name.as_bytes()[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    (hash ^ (hash >> 15)) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_number_of_each_architecture() {
        let cases = [
            ("read", [Some(0), Some(0x4000_0000), Some(3), Some(63), Some(3)]),
            ("ioctl", [Some(16), Some(0x4000_0202), Some(54), Some(29), Some(54)]),
            ("newfstatat", [Some(262), Some(0x4000_0106), None, Some(79), None]),
            ("_llseek", [None, None, Some(140), None, Some(140)]),
            ("uselib", [Some(134), None, Some(86), None, Some(86)]),
            ("clock_gettime64", [None, None, Some(403), None, Some(403)]),
            ("set_tls", [None, None, None, None, Some(0xf0005)]),
            ("pwritev2", [Some(328), Some(0x4000_0223), Some(379), Some(287), Some(393)]),
            ("listns", [Some(470), Some(0x4000_01d6), Some(470), Some(470), Some(470)]),
            ("sendto", [Some(44), Some(0x4000_002c), Some(369), Some(206), Some(290)]),
            ("break", [None, None, Some(17), None, None]),
            ("no_such_call", [None; 5]),
            ("", [None; 5]),
        ];
        for (name, numbers) in cases {
            assert_eq!(Arch::ALL.map(|arch| arch.number(name)), numbers, "{name}");
        }
    }

    #[test]
    fn a_number_has_its_name_back() {
        for call in Call::all() {
            for arch in Arch::ALL {
                if let Some(number) = arch.number(call.name()) {
                    let back = arch.call_name(number).unwrap();
                    assert_eq!(arch.number(back), Some(number), "{call:?} on {arch}");
                }
            }
        }
        assert_eq!(Arch::X32.call_name(0x4000_0000 | 512), Some("rt_sigaction"));
        assert_eq!(Arch::X86_64.call_name(100_000), None);
    }

    #[test]
    fn calls_are_in_the_order_of_their_numbers() {
        for arch in Arch::ALL {
            let calls: Vec<_> = Call::by_number(arch).collect();
            assert!(calls.is_sorted_by_key(|(number, _)| *number));
            assert_eq!(calls.len(), Call::all().filter(|call| call.number(arch).is_some()).count());
        }
    }

    #[test]
    fn the_crates_tables_fit() {
        assert!(TABLE.count > 450 && TABLE.used > 4500, "{} calls, {} bytes", TABLE.count, TABLE.used);
        assert!(syscalls::x86::Sysno::last().id() < NUMBERS as i32);
        assert!(syscalls::x86_64::Sysno::last().id() < NUMBERS as i32);
        assert!(syscalls::aarch64::Sysno::last().id() < NUMBERS as i32);
        assert!(syscalls::arm::Sysno::last().id() < NUMBERS as i32);
    }
}
