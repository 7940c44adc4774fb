//! `--interval`.

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
    const UNITS: [(&str, f64); 7] =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let end = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = rest[digits..].split_at(end.unwrap_or(rest.len() - digits));
        seconds += number * UNITS.iter().find(|(name, _)| *name == unit)?.1;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok()
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
