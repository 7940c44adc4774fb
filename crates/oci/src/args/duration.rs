//! `--interval`.

use super::decimal;
use super::given::Given;
use lexopt::Error;
use std::time::Duration;

/// The time between two statistics.
pub(super) fn interval(given: &mut Given) -> Result<Duration, Error> {
    let Some(text) = given.text(usage::INTERVAL)? else { return Ok(Duration::from_secs(5)) };
    match duration(&text) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("--interval takes a time, like 500ms, 5s or 1m30s, not {text:?}").into()),
    }
}

/// Numbers with units, as Go writes them: `1h2m3.5s`.
fn duration(text: &str) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    const UNITS: [(&str, u128); 7] = [
        ("ns", 1),
        ("us", 1000),
        ("µs", 1000),
        ("ms", 1_000_000),
        ("s", SECOND),
        ("m", 60 * SECOND),
        ("h", 3600 * SECOND),
    ];
    let (mut rest, mut nanoseconds) = (text, 0_u128);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = decimal::parts(&rest[..digits])?;
        let end = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = rest[digits..].split_at(end.unwrap_or(rest.len() - digits));
        let unit = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        nanoseconds = nanoseconds.checked_add(number.checked_mul(unit)? / decimal::PARTS)?;
        rest = after;
    }
    Some(Duration::from_nanos(nanoseconds.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_are_written_as_in_go() {
        let cases = [
            ("5s", Some(5000)),
            ("100ms", Some(100)),
            ("1m30s", Some(90_000)),
            ("1h", Some(3_600_000)),
            ("1.5s", Some(1500)),
            ("", Some(0)),
            ("5", None),
            ("s", None),
            ("-1s", None),
            ("1y", None),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(duration(text).map(|time| time.as_millis()), milliseconds, "{text:?}");
        }
    }
}
