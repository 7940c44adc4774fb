//! The options of `update`, as limits.

use super::given::Given;
use super::{UpdateTo, decimal};
use lexopt::Error;
use spec::{BlockIo, Cpu, IntelRdt, Memory, Pids, Resources};
use std::str::FromStr;
use usage::{self as options, Opt};

pub(super) fn change(given: &mut Given) -> Result<UpdateTo, Error> {
    let limits = limits(given)?;
    Ok(match given.path(options::RESOURCES) {
        None => UpdateTo::Options(Box::new(limits)),
        Some(path) if path.as_os_str() == "-" => UpdateTo::Input,
        Some(path) => UpdateTo::File(path),
    })
}

/// Shares of caches and memory bandwidth, which are no limits of cgroups.
pub(super) fn shares(given: &mut Given) -> Result<Option<IntelRdt>, Error> {
    let l3_cache_schema = written(given, options::L3_CACHE_SCHEMA)?;
    let mem_bw_schema = written(given, options::MEM_BW_SCHEMA)?;
    let any = l3_cache_schema.is_some() || mem_bw_schema.is_some();
    Ok(any.then(|| IntelRdt { l3_cache_schema, mem_bw_schema, ..IntelRdt::default() }))
}

fn limits(given: &mut Given) -> Result<Resources, Error> {
    let cpu = Cpu {
        shares: number(given, options::CPU_SHARE)?,
        quota: number(given, options::CPU_QUOTA)?,
        burst: number(given, options::CPU_BURST)?,
        period: number(given, options::CPU_PERIOD)?,
        realtime_runtime: number(given, options::CPU_RT_RUNTIME)?,
        realtime_period: number(given, options::CPU_RT_PERIOD)?,
        cpus: written(given, options::CPUSET_CPUS)?,
        mems: written(given, options::CPUSET_MEMS)?,
        idle: number(given, options::CPU_IDLE)?,
    };
    let memory = Memory {
        limit: bytes(given, options::MEMORY)?,
        reservation: bytes(given, options::MEMORY_RESERVATION)?,
        swap: bytes(given, options::MEMORY_SWAP)?,
        // What no kernel limits any more; whether it is a number is still looked at.
        kernel: bytes(given, options::KERNEL_MEMORY)?.or(bytes(given, options::KERNEL_MEMORY_TCP)?),
        ..Memory::default()
    };
    let block_io = BlockIo { weight: number(given, options::BLKIO_WEIGHT)?, ..BlockIo::default() };
    let pids = Pids { limit: number(given, options::PIDS_LIMIT)? };
    Ok(Resources {
        cpu: Some(cpu),
        memory: Some(memory),
        block_io: Some(block_io),
        pids: Some(pids),
        ..Resources::default()
    })
}

/// A value that says something: callers of runc give empty ones for what they do not want to change.
fn written(given: &mut Given, option: Opt) -> Result<Option<String>, Error> {
    Ok(given.text(option)?.filter(|value| !value.is_empty()))
}

fn number<T: FromStr>(given: &mut Given, option: Opt) -> Result<Option<T>, Error> {
    let wrong = |value: &str| format!("--{} takes a number, not {value:?}", option.name).into();
    written(given, option)?.map(|value| value.parse().map_err(|_| wrong(&value))).transpose()
}

fn bytes(given: &mut Given, option: Opt) -> Result<Option<i64>, Error> {
    let wrong = |value: &str| {
        format!("--{} takes bytes, like 1048576, 200M or -1, not {value:?}", option.name).into()
    };
    written(given, option)?.map(|value| number_of_bytes(&value).ok_or_else(|| wrong(&value))).transpose()
}

/// `200M`, `1.5GiB`, `4096`, `-1`: units are powers of 1024, as in Docker and runc.
fn number_of_bytes(text: &str) -> Option<i64> {
    if text == "-1" {
        return Some(-1);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let power =
        match unit.strip_suffix('b').map(|unit| unit.strip_suffix('i').unwrap_or(unit)).unwrap_or(&unit) {
            "" => 0,
            "k" => 10,
            "m" => 20,
            "g" => 30,
            "t" => 40,
            "p" => 50,
            _ => return None,
        };
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(1 << power);
    }
    i64::try_from(decimal::parts(number)?.checked_mul(1 << power)? / decimal::PARTS).ok()
}

#[cfg(test)]
mod tests {
    use super::number_of_bytes;

    #[test]
    fn bytes_have_units() {
        let cases = [
            ("4096", Some(4096)),
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("200M", Some(200 << 20)),
            ("200 mb", Some(200 << 20)),
            ("1.5GiB", Some(3 << 29)),
            ("1k", Some(1024)),
            ("1b", Some(1)),
            ("2t", Some(2 << 40)),
            ("1p", Some(1 << 50)),
            ("-2", None),
            ("M", None),
            ("1x", None),
            ("1.2.3", None),
            ("9999999p", None),
            ("", None),
        ];
        for (text, expect) in cases {
            assert_eq!(number_of_bytes(text), expect, "{text:?}");
        }
    }
}
