//! What a group uses and has met.

use super::{Cgroup, Directory, Error, Version, read_at};
use crate::text::{self, devices_v1, devices_v2, field};
use std::fmt;
use std::path::PathBuf;

/// What a group has used since it was made. A part is `None` where no hierarchy of the group counts it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Processor time.
    pub cpu: Option<CpuStatistics>,
    /// Memory.
    pub memory: Option<MemoryStatistics>,
    /// Processes and threads.
    pub pids: Option<PidsStatistics>,
    /// Block devices that were used.
    pub devices: Option<Vec<DeviceStatistics>>,
}

/// Processor time, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuStatistics {
    /// All of it.
    pub usage_ns: u64,
    /// In programs.
    pub user_ns: u64,
    /// In the kernel.
    pub system_ns: u64,
    /// Periods of the quota that have passed while something wanted to run.
    pub periods: u64,
    /// How many of them used the quota up.
    pub throttled_periods: u64,
    /// Time spent waiting for the next period.
    pub throttled_ns: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryStatistics {
    /// In use, page cache included.
    pub current: u64,
    /// In use without the page cache that was not touched for some time and can be taken back at once.
    pub working_set: u64,
    /// Swap in use; `None` where swap is not counted.
    pub swap: Option<u64>,
    /// The most that ever was; `None` on v2 before Linux 5.19.
    pub peak: Option<u64>,
    /// `None`: no limit.
    pub limit: Option<u64>,
    /// How often the limit was hit.
    pub limit_hits: u64,
    /// Processes that the kernel killed for lack of memory, in this group and below.
    pub oom_kills: u64,
}

/// Processes and threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PidsStatistics {
    /// How many there are.
    pub current: u64,
    /// `None`: no limit.
    pub limit: Option<u64>,
}

/// One block device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceStatistics {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
}

/// What there is to say about processes killed for lack of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OomReport {
    /// The group's directory.
    pub cgroup: PathBuf,
    /// Its limit in bytes; `None`: it has none, the memory of a group above or of the machine was used up.
    pub limit: Option<u64>,
    /// The most that it had in use, in bytes, where the kernel tells.
    pub peak: Option<u64>,
    /// How many processes were killed. 0: none, there is nothing to report.
    pub kills: u64,
}

impl fmt::Display for OomReport {
    /// `memory limit 200 MiB reached, peak 200 MiB, cgroup /sys/fs/cgroup/memory/cuddy/web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            Some(limit) => write!(f, "memory limit {} reached", Bytes(limit))?,
            None => f.write_str("memory of the machine or of a cgroup above used up")?,
        }
        if let Some(peak) = self.peak {
            write!(f, ", peak {}", Bytes(peak))?;
        }
        write!(f, ", cgroup {}", self.cgroup.display())
    }
}

/// A number of bytes for people: whole where it is, else with one digit.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        let Some((shift, unit)) = units.into_iter().find(|(shift, _)| self.0 >= 1 << shift) else {
            return write!(f, "{} B", self.0);
        };
        let tenths = (u128::from(self.0) * 10) >> shift;
        match tenths % 10 {
            0 => write!(f, "{} {unit}", tenths / 10),
            tenth => write!(f, "{}.{tenth} {unit}", tenths / 10),
        }
    }
}

impl Cgroup {
    /// What the group has used.
    ///
    /// # Errors
    /// A file cannot be read or is not in its documented form.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        Ok(Statistics {
            cpu: self.cpu()?,
            memory: self.memory()?,
            pids: self.pids()?,
            devices: self.devices()?,
        })
    }

    /// What to tell about processes that the kernel killed for lack of memory; `None` where no hierarchy of the group
    /// counts memory.
    ///
    /// # Errors
    /// As [`Cgroup::statistics`].
    pub fn oom_report(&self) -> Result<Option<OomReport>, Error> {
        let Some(memory) = self.memory()? else { return Ok(None) };
        let directory = match self.find(Version::V1, "memory.usage_in_bytes")? {
            Some((directory, _)) => Some(directory),
            None => self.find(Version::V2, "memory.current")?.map(|(directory, _)| directory),
        };
        Ok(directory.map(|directory| OomReport {
            cgroup: directory.path.clone(),
            limit: memory.limit,
            peak: memory.peak,
            kills: memory.oom_kills,
        }))
    }

    fn cpu(&self) -> Result<Option<CpuStatistics>, Error> {
        if let Some(usage_ns) = self.number(Version::V1, "cpuacct.usage")? {
            let stat = self.find(Version::V1, "cpu.stat")?.map(|(_, text)| text).unwrap_or_default();
            return Ok(Some(CpuStatistics {
                usage_ns,
                user_ns: self.number(Version::V1, "cpuacct.usage_user")?.unwrap_or_default(),
                system_ns: self.number(Version::V1, "cpuacct.usage_sys")?.unwrap_or_default(),
                periods: field(&stat, "nr_periods"),
                throttled_periods: field(&stat, "nr_throttled"),
                throttled_ns: field(&stat, "throttled_time"),
            }));
        }
        let Some((_, stat)) = self.find(Version::V2, "cpu.stat")? else { return Ok(None) };
        let nanoseconds = |name| field(&stat, name).saturating_mul(1000);
        Ok(Some(CpuStatistics {
            usage_ns: nanoseconds("usage_usec"),
            user_ns: nanoseconds("user_usec"),
            system_ns: nanoseconds("system_usec"),
            periods: field(&stat, "nr_periods"),
            throttled_periods: field(&stat, "nr_throttled"),
            throttled_ns: nanoseconds("throttled_usec"),
        }))
    }

    fn memory(&self) -> Result<Option<MemoryStatistics>, Error> {
        if let Some((directory, text)) = self.find(Version::V1, "memory.usage_in_bytes")? {
            let current = parse(directory, "memory.usage_in_bytes", &text)?;
            let sum = self.number(Version::V1, "memory.memsw.usage_in_bytes")?;
            let stat = self.find(Version::V1, "memory.stat")?.map(|(_, text)| text).unwrap_or_default();
            return Ok(Some(MemoryStatistics {
                current,
                working_set: current.saturating_sub(field(&stat, "total_inactive_file")),
                swap: sum.map(|sum| sum.saturating_sub(current)),
                peak: self.number(Version::V1, "memory.max_usage_in_bytes")?,
                limit: self.limit(Version::V1, "memory.limit_in_bytes")?,
                limit_hits: self.number(Version::V1, "memory.failcnt")?.unwrap_or_default(),
                oom_kills: oom_kills_v1(directory)?,
            }));
        }
        let Some(current) = self.number(Version::V2, "memory.current")? else { return Ok(None) };
        let events = self.find(Version::V2, "memory.events")?.map(|(_, text)| text).unwrap_or_default();
        let stat = self.find(Version::V2, "memory.stat")?.map(|(_, text)| text).unwrap_or_default();
        Ok(Some(MemoryStatistics {
            current,
            working_set: current.saturating_sub(field(&stat, "inactive_file")),
            swap: self.number(Version::V2, "memory.swap.current")?,
            peak: self.number(Version::V2, "memory.peak")?,
            limit: self.limit(Version::V2, "memory.max")?,
            limit_hits: field(&events, "max"),
            oom_kills: field(&events, "oom_kill"),
        }))
    }

    fn pids(&self) -> Result<Option<PidsStatistics>, Error> {
        for version in [Version::V1, Version::V2] {
            if let Some(current) = self.number(version, "pids.current")? {
                return Ok(Some(PidsStatistics { current, limit: self.limit(version, "pids.max")? }));
            }
        }
        Ok(None)
    }

    fn devices(&self) -> Result<Option<Vec<DeviceStatistics>>, Error> {
        if let Some((_, bytes)) = self.find(Version::V1, "blkio.throttle.io_service_bytes_recursive")? {
            let operations = self.find(Version::V1, "blkio.throttle.io_serviced_recursive")?;
            let operations = operations.map(|(_, text)| text).unwrap_or_default();
            return Ok(Some(devices_v1(&bytes, &operations)));
        }
        Ok(self.find(Version::V2, "io.stat")?.map(|(_, text)| devices_v2(&text)))
    }

    fn number(&self, version: Version, file: &str) -> Result<Option<u64>, Error> {
        let found = self.find(version, file)?;
        found.map(|(directory, text)| parse(directory, file, &text)).transpose()
    }

    /// `None`: no limit, or no such file.
    fn limit(&self, version: Version, file: &str) -> Result<Option<u64>, Error> {
        let Some((directory, text)) = self.find(version, file)? else { return Ok(None) };
        text::limit(&text).ok_or_else(|| directory.malformed(file, &text))
    }
}

fn parse(directory: &Directory, file: &str, text: &str) -> Result<u64, Error> {
    text.trim().parse().map_err(|_| directory.malformed(file, text))
}

/// The kills of a v1 group and of those below: v1 counts each for the victim's own group alone.
fn oom_kills_v1(directory: &Directory) -> Result<u64, Error> {
    let mut kills = 0;
    directory.each(&mut |group| {
        kills += field(&read_at(group, "memory.oom_control")?, "oom_kill");
        Ok(())
    })?;
    Ok(kills)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_is_told_in_one_line() {
        let report = |limit, peak| OomReport { cgroup: "/cg/web".into(), limit, peak, kills: 1 };
        for (report, expect) in [
            (
                report(Some(200 << 20), Some(200 << 20)),
                "memory limit 200 MiB reached, peak 200 MiB, cgroup /cg/web",
            ),
            (report(Some(1536 << 20), None), "memory limit 1.5 GiB reached, cgroup /cg/web"),
            (report(Some(1000), Some(0)), "memory limit 1000 B reached, peak 0 B, cgroup /cg/web"),
            (report(None, None), "memory of the machine or of a cgroup above used up, cgroup /cg/web"),
        ] {
            assert_eq!(report.to_string(), expect);
        }
    }
}
