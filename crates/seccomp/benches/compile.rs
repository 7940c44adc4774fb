//! How long the default profile takes to make and to compile: `cargo bench -p seccomp`.

use seccomp::{Arch, compile, default_profile, describe};
use spec::CapabilitySet;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 2000;

fn main() -> Result<(), seccomp::Error> {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let profile = default_profile(CapabilitySet::EMPTY, arch);
        let filter = compile(&profile, arch)?;
        println!("{arch}: {}", describe(&filter));
        let make = median(|| drop(black_box(default_profile(black_box(CapabilitySet::EMPTY), arch))));
        let compile = median(|| drop(black_box(compile(black_box(&profile), arch))));
        println!("  made in {make:?}, compiled in {compile:?} (medians of {ROUNDS})");
    }
    Ok(())
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}
