//! Numbers as people write them: bytes, processors, plain integers in a range.

use super::BadValue;
use std::ops::RangeInclusive;

/// A decimal number without a sign: its whole part, and billionths.
///
/// Digits after the ninth are refused, not rounded: nothing that cuddy hands to the kernel is finer.
pub(super) fn decimal(text: &str) -> Option<(u64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) || fraction.len() > 9
    {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    Some((whole, format!("{fraction:0<9}").parse().ok()?))
}

const BYTES_HINT: &str = "write a number with b, k, m, g, t or p, like 200m or 1.5g";

/// Bytes: `200m`, `1.5G`, `64 KiB`, `4096`. Units are powers of 1024, in either case.
///
/// # Errors
/// No number, an unknown unit, or more than 2^63 bytes.
pub fn bytes(text: &str) -> Result<u64, BadValue> {
    if text.starts_with('-') {
        return Err(BadValue::new("a size cannot be negative", BYTES_HINT));
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let Some((whole, billionths)) = decimal(number) else {
        return Err(BadValue::new("this is no number of bytes", BYTES_HINT));
    };
    // One letter, then `i`, `b` or both may follow: k, kb, kib, ki.
    let bare = unit.strip_suffix('b').unwrap_or(&unit);
    let power = match bare.strip_suffix('i').filter(|letter| !letter.is_empty()).unwrap_or(bare) {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return Err(BadValue::new(format!("{unit:?} is no unit of bytes"), BYTES_HINT)),
    };
    let scale = 1u128 << (10 * power);
    let total = u128::from(whole) * scale + u128::from(billionths) * scale / 1_000_000_000;
    u64::try_from(total)
        .ok()
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(|| BadValue::new("this is more than 2^63 bytes", BYTES_HINT))
}

/// Smallest memory limit that a container can be started under: what the kernel charges a group for a
/// process, its page tables and its stacks. The kernel would take less, and kill the container at birth.
pub const SMALLEST_MEMORY: u64 = 512 << 10;

/// A limit of memory in bytes; `0` is none.
///
/// # Errors
/// As [`bytes`], or less than [`SMALLEST_MEMORY`].
pub fn memory(text: &str) -> Result<Option<u64>, BadValue> {
    match bytes(text)? {
        0 => Ok(None),
        limit if limit < SMALLEST_MEMORY => Err(BadValue::new(
            format!("no container can start in {limit} bytes"),
            format!("give at least {}k, or 0 for no limit", SMALLEST_MEMORY >> 10),
        )),
        limit => Ok(Some(limit)),
    }
}

/// A limit of memory and swap together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapLimit {
    /// As much swap as the machine has.
    Unlimited,
    /// Bytes of memory and swap.
    Total(u64),
}

/// Memory and swap together, in bytes: `-1` takes the limit away, `0` leaves the default.
///
/// # Errors
/// As [`bytes`].
pub fn memory_swap(text: &str) -> Result<Option<SwapLimit>, BadValue> {
    if text == "-1" {
        return Ok(Some(SwapLimit::Unlimited));
    }
    Ok(match bytes(text)? {
        0 => None,
        total => Some(SwapLimit::Total(total)),
    })
}

/// Length of a CPU period in microseconds, as Docker sets it for `--cpus`.
pub const CPU_PERIOD: u64 = 100_000;

/// Processor time in each [`CPU_PERIOD`], in microseconds, for a number of processors like `0.5`; `0` is no limit.
///
/// # Errors
/// No number, or less than 0.01: the kernel takes no quota under 1 ms
/// (`min_cfs_quota_period` in `kernel/sched/core.c`).
pub fn cpus(text: &str) -> Result<Option<i64>, BadValue> {
    let hint = "write a number of processors, like 0.5 or 2";
    let Some((whole, billionths)) = decimal(text) else {
        return Err(BadValue::new("this is no number of processors", hint));
    };
    let nanocpus = u128::from(whole) * 1_000_000_000 + u128::from(billionths);
    let quota = nanocpus * u128::from(CPU_PERIOD) / 1_000_000_000;
    match quota {
        0 if nanocpus == 0 => Ok(None),
        0..1000 => Err(BadValue::new("the kernel takes no share under 0.01 processors", hint)),
        // 2^44 µs is the kernel's own maximum (`max_cfs_runtime`).
        1000..=0xfff_ffff_ffff => Ok(Some(quota as i64)),
        _ => Err(BadValue::new("no machine has as many processors", hint)),
    }
}

/// An integer of a range.
///
/// # Errors
/// No integer, or one outside the range.
pub fn integer(text: &str, range: RangeInclusive<i64>) -> Result<i64, BadValue> {
    let hint = format!("write a number from {} to {}", range.start(), range.end());
    match text.parse::<i64>() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(number) => Err(BadValue::new(format!("{number} is out of range"), hint)),
        Err(_) => Err(BadValue::new("this is no whole number", hint)),
    }
}

/// An integer of a range, or `0` to leave the setting alone, as Docker has it for `--cpu-shares` and `--blkio-weight`.
///
/// # Errors
/// As [`integer`].
pub fn setting(text: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, BadValue> {
    if text == "0" { Ok(None) } else { integer(text, range).map(Some) }
}

/// A number of processes; `0` and `-1` are no limit.
///
/// # Errors
/// No integer, or one below -1.
pub fn pids_limit(text: &str) -> Result<Option<i64>, BadValue> {
    // The kernel's PID_MAX_LIMIT; more than that is no limit, and the controller refuses it.
    let limit = integer(text, -1..=1 << 22).map_err(|bad| {
        BadValue::new(bad.cause, "write a number of processes from 1 to 4194304, or -1 for no limit")
    })?;
    Ok(Some(limit).filter(|limit| *limit > 0))
}

/// A list like `0-3,7` in the form of cpuset(7), with numbers below 4096.
///
/// # Errors
/// Not such a list, or a range that runs backwards.
pub fn cpu_list(text: &str) -> Result<String, BadValue> {
    let hint = "write numbers and ranges, like 0-3,7";
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|n| *n < 4096 && text.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(|| BadValue::new(format!("{part:?} is no number or range"), hint))
        };
        if number(first)? > number(last)? {
            return Err(BadValue::new(format!("the range {part:?} runs backwards"), hint));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn bytes_are_read_as_docker_reads_them() {
        check(
            bytes,
            &[
                ("0", Ok("0")),
                ("4096", Ok("4096")),
                ("7b", Ok("7")),
                ("200m", Ok("209715200")),
                ("1g", Ok("1073741824")),
                ("1.5G", Ok("1610612736")),
                ("64 KiB", Ok("65536")),
                ("64kb", Ok("65536")),
                (".5k", Ok("512")),
                ("1p", Ok("1125899906842624")),
                ("", Err("this is no number of bytes")),
                ("m", Err("this is no number of bytes")),
                ("1..5m", Err("this is no number of bytes")),
                ("-1", Err("a size cannot be negative")),
                ("12q", Err("\"q\" is no unit of bytes")),
                ("12mm", Err("\"mm\" is no unit of bytes")),
                ("12ib", Err("\"ib\" is no unit of bytes")),
                ("9000p", Err("this is more than 2^63 bytes")),
                ("99999999999999999999", Err("this is no number of bytes")),
            ],
        );
    }

    #[test]
    fn memory_has_a_floor_and_zero_is_no_limit() {
        check(
            memory,
            &[
                ("0", Ok("None")),
                ("512k", Ok("Some(524288)")),
                ("4k", Err("no container can start in 4096 bytes")),
            ],
        );
        check(
            memory_swap,
            &[
                ("-1", Ok("Some(Unlimited)")),
                ("0", Ok("None")),
                ("1g", Ok("Some(Total(1073741824))")),
                ("-2", Err("a size cannot be negative")),
            ],
        );
    }

    #[test]
    fn processors_become_a_quota() {
        check(
            cpus,
            &[
                ("0", Ok("None")),
                ("0.5", Ok("Some(50000)")),
                (".25", Ok("Some(25000)")),
                ("2", Ok("Some(200000)")),
                ("0.01", Ok("Some(1000)")),
                ("0.009", Err("the kernel takes no share under 0.01 processors")),
                ("0.000000001", Err("the kernel takes no share under 0.01 processors")),
                ("1e3", Err("this is no number of processors")),
                ("half", Err("this is no number of processors")),
                ("-1", Err("this is no number of processors")),
                (".", Err("this is no number of processors")),
                ("999999999999", Err("no machine has as many processors")),
            ],
        );
    }

    #[test]
    fn integers_stay_in_their_range() {
        check(
            |text| integer(text, -1000..=1000),
            &[
                ("-1000", Ok("-1000")),
                ("1001", Err("1001 is out of range")),
                ("x", Err("this is no whole number")),
            ],
        );
        check(|text| setting(text, 10..=1000), &[("0", Ok("None")), ("9", Err("9 is out of range"))]);
        check(
            pids_limit,
            &[("5", Ok("Some(5)")), ("0", Ok("None")), ("-1", Ok("None")), ("-2", Err("-2 is out of range"))],
        );
    }

    #[test]
    fn lists_of_processors() {
        check(
            cpu_list,
            &[
                ("0", Ok("\"0\"")),
                ("0-3,7", Ok("\"0-3,7\"")),
                ("", Err("\"\" is no number or range")),
                ("0-", Err("\"0-\" is no number or range")),
                ("+1", Err("\"+1\" is no number or range")),
                ("3-1", Err("the range \"3-1\" runs backwards")),
                ("0,9999", Err("\"9999\" is no number or range")),
            ],
        );
    }
}
