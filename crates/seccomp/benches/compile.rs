//! How long profiles take to make and to compile, and what a filter costs a call, beside libseccomp's:
//! `cargo bench -p seccomp`.

#[path = "../tests/support/installed.rs"]
mod installed;
#[path = "../tests/libseccomp/oracle.rs"]
#[allow(dead_code, reason = "shared with the tests, which ask for more")]
mod oracle;
#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests, which use the rest")]
mod support;

use oracle::Oracle;
use rustix::process::getppid;
use seccomp::{Arch, Instruction, compile, default_profile, describe};
use spec::{CapabilitySet, Seccomp};
use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::{Data, audit, interpreter};

const ROUNDS: usize = 2000;
/// The C library is asked less often: each answer is a process.
const ANSWERS: usize = 51;
const CALLS: u32 = 1_000_000;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let profile = default_profile(CapabilitySet::EMPTY, arch);
        let filter = compile(&profile, arch)?;
        println!("{arch}: {}", describe(&filter));
        let make = time(|| drop(black_box(default_profile(black_box(CapabilitySet::EMPTY), arch))));
        let compile = time(|| drop(black_box(compile(black_box(&profile), arch))));
        println!("  made in {make}, compiled in {compile} (of {ROUNDS})");
    }
    match (installed::profile(Arch::X86_64), Oracle::build()) {
        (None, _) => println!("{} is not installed", installed::PATH),
        (_, Err(reason)) => println!("no comparison: {reason}"),
        (Some(profile), Ok(oracle)) => beside_libseccomp(&profile, &oracle)?,
    }
    Ok(())
}

/// The profile of containers-common, in both ways.
fn beside_libseccomp(profile: &Seccomp, oracle: &Oracle) -> Result<()> {
    for architectures in [&[][..], &profile.architectures[..]] {
        let rules = Seccomp { architectures: architectures.to_vec(), ..profile.clone() };
        let ours = compile(&rules, Arch::X86_64)?;
        let ours_takes = time(|| drop(black_box(compile(black_box(&rules), Arch::X86_64))));
        let theirs_takes = Times::of((0..ANSWERS).map(|_| oracle.ask(&rules, Arch::X86_64).taken).collect());
        let theirs = oracle.ask(&rules, Arch::X86_64).program;
        println!("{}: {}", installed::PATH, describe(&ours));
        println!("  compiled in {ours_takes}; libseccomp: {} instructions in {theirs_takes}", theirs.len());
        for name in ["getppid", "personality", "socket"] {
            let number = Arch::X86_64.number(name).ok_or("a call of x86_64")?;
            let data = Data { arch: audit(Arch::X86_64), number, args: [0; 6] };
            let steps = [&ours.program, &theirs].map(|program| interpreter::run(program, &data).1);
            println!("  {name}: {} instructions executed; libseccomp: {}", steps[0], steps[1]);
        }
        let cost = |program: Option<&[Instruction]>| getppid_under(program.map(<[_]>::to_vec));
        println!(
            "  getppid: {:?} without a filter, {:?} with ours, {:?} with libseccomp's",
            cost(None)?,
            cost(Some(&ours.program))?,
            cost(Some(&theirs))?
        );
    }
    Ok(())
}

/// What a call takes in a thread that has this filter.
fn getppid_under(program: Option<Vec<Instruction>>) -> Result<Duration> {
    let thread = std::thread::spawn(move || {
        if let Some(program) = program {
            rustix::thread::set_no_new_privs(true)?;
            let filter = |i: &Instruction| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k };
            let program: Vec<_> = program.iter().map(filter).collect();
            // SECCOMP_FILTER_FLAG_SPEC_ALLOW: the mitigation costs more than any filter.
            sys::seccomp::set_filter(1 << 2, &program)?;
        }
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let start = Instant::now();
            for _ in 0..CALLS {
                black_box(getppid());
            }
            best = best.min(start.elapsed());
        }
        Ok::<_, std::io::Error>(best / CALLS)
    });
    Ok(thread.join().map_err(|_| "the thread with the filter ended")??)
}

/// How long something took, many times. On a machine with much else to do the least says the most.
struct Times {
    least: Duration,
    median: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self { least: times[0], median: times[times.len() / 2] }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, median {:?}", self.least, self.median)
    }
}

fn time(mut work: impl FnMut()) -> Times {
    let measured = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    Times::of(measured.collect())
}
