//! Resource limits and clocks.

use std::{fs, io};

use probe::{Report, Rlimit};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::malformed;

const RESOURCES: [(Resource, &str); 16] = [
    (Resource::As, "RLIMIT_AS"),
    (Resource::Core, "RLIMIT_CORE"),
    (Resource::Cpu, "RLIMIT_CPU"),
    (Resource::Data, "RLIMIT_DATA"),
    (Resource::Fsize, "RLIMIT_FSIZE"),
    (Resource::Locks, "RLIMIT_LOCKS"),
    (Resource::Memlock, "RLIMIT_MEMLOCK"),
    (Resource::Msgqueue, "RLIMIT_MSGQUEUE"),
    (Resource::Nice, "RLIMIT_NICE"),
    (Resource::Nofile, "RLIMIT_NOFILE"),
    (Resource::Nproc, "RLIMIT_NPROC"),
    (Resource::Rss, "RLIMIT_RSS"),
    (Resource::Rtprio, "RLIMIT_RTPRIO"),
    (Resource::Rttime, "RLIMIT_RTTIME"),
    (Resource::Sigpending, "RLIMIT_SIGPENDING"),
    (Resource::Stack, "RLIMIT_STACK"),
];

pub fn rlimits(report: &mut Report) -> io::Result<()> {
    for (resource, name) in RESOURCES {
        let limit = getrlimit(resource);
        report.rlimits.insert(name.to_owned(), Rlimit { soft: limit.current, hard: limit.maximum });
    }
    Ok(())
}

pub fn clocks(report: &mut Report) -> io::Result<()> {
    let seconds = |time: Timespec| time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    report.clocks.boottime = seconds(clock_gettime(ClockId::Boottime));
    report.clocks.monotonic = seconds(clock_gettime(ClockId::Monotonic));
    for line in fs::read_to_string("/proc/self/timens_offsets")?.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [clock, seconds, nanoseconds] = fields[..] else { return Err(malformed("timens_offsets")) };
        let number = |text: &str| text.parse::<i64>().map_err(|_| malformed("timens_offsets"));
        report.clocks.offsets.insert(clock.to_owned(), (number(seconds)?, number(nanoseconds)?));
    }
    Ok(())
}
