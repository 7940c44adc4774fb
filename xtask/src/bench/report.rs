//! From times to a table and to JSON.

use std::time::Duration;

use serde_json::{Value, json};

/// The times of one peer, in the order they were taken.
pub struct Series {
    /// The peer's name.
    pub name: &'static str,
    /// One time per round.
    pub times: Vec<Duration>,
}

impl Series {
    /// The time below which `percent` of the times lie, in µs: the nearest rank, so a time that was measured.
    pub fn percentile(&self, percent: usize) -> u64 {
        let mut sorted: Vec<_> = self.times.iter().map(|time| time.as_micros() as u64).collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted[rank - 1]
    }
}

/// The peers whose median the others are divided by.
const REFERENCES: [&str; 2] = ["floor", "crun"];

fn ratio(series: &Series, all: &[Series], reference: &str) -> Option<f64> {
    let reference = all.iter().find(|other| other.name == reference)?;
    Some(series.percentile(50) as f64 / reference.percentile(50) as f64)
}

/// A table for people, in µs.
pub fn table(all: &[Series]) -> String {
    let mut text = format!("{:<10}{:>9}{:>9}{:>9}{:>9}", "µs", "min", "p10", "median", "p90");
    for reference in REFERENCES {
        text += &format!("{:>9}", format!("/{reference}"));
    }
    for series in all {
        text += &format!("\n{:<10}", series.name);
        for percent in [0, 10, 50, 90] {
            text += &format!("{:>9}", series.percentile(percent));
        }
        for reference in REFERENCES {
            text += &ratio(series, all, reference).map_or(format!("{:>9}", "-"), |r| format!("{r:>9.2}"));
        }
    }
    text
}

/// Whether it takes longer the more there are: the medians of the first and of the last tenth.
pub fn growth(series: &Series) -> String {
    let tenth = series.times.len().div_ceil(10);
    let part = |times: &[Duration]| Series { name: series.name, times: times.to_vec() }.percentile(50);
    let (first, last) = (part(&series.times[..tenth]), part(&series.times[series.times.len() - tenth..]));
    format!(
        "{}: the first {tenth} take {first} µs, the last {tenth} of {} {last} µs",
        series.name,
        series.times.len()
    )
}

/// The same as JSON, with every time, in µs.
pub fn json(bench: &str, all: &[Series]) -> Value {
    let peers = all.iter().map(|series| {
        json!({
            "name": series.name,
            "p10": series.percentile(10),
            "median": series.percentile(50),
            "p90": series.percentile(90),
            "over_floor": ratio(series, all, "floor"),
            "over_crun": ratio(series, all, "crun"),
            "times": series.times.iter().map(|time| time.as_micros() as u64).collect::<Vec<_>>(),
        })
    });
    json!({ "bench": bench, "unit": "us", "peers": peers.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &'static str, micros: &[u64]) -> Series {
        Series { name, times: micros.iter().copied().map(Duration::from_micros).collect() }
    }

    #[test]
    fn percentiles_are_measured_times() {
        let ten = series("ten", &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
        let cases = [(0, 1), (10, 1), (50, 5), (90, 9), (100, 10)];
        for (percent, expect) in cases {
            assert_eq!(ten.percentile(percent), expect, "p{percent}");
        }
        assert_eq!(series("one", &[7]).percentile(50), 7);
    }

    #[test]
    fn ratios_need_their_reference() {
        let all = [series("floor", &[100]), series("cuddy-oci", &[150])];
        assert_eq!(ratio(&all[1], &all, "floor"), Some(1.5));
        assert_eq!(ratio(&all[1], &all, "crun"), None);
    }
}
