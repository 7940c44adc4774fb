//! Failures, as people and as programs read them.

use crate::args::{Command, Global};
use std::io::Write;

/// Prints a failure on standard error and, where `--log` names a file, there too, in runc's JSON form if
/// asked for: containerd and podman read it.
pub(crate) fn failure(global: &Global, error: &runtime::Error) -> i32 {
    let (doing, hint) = (doing(&global.command), error.hint());
    let message = if doing.is_empty() { error.to_string() } else { format!("cannot {doing}: {error}") };
    eprintln!("cuddy-oci: {message}");
    if !hint.is_empty() {
        eprintln!("  {hint}");
    }
    log(global, "error", &message);
    1
}

/// Prints something the user should know that is no failure.
pub(crate) fn note(global: &Global, message: &str) {
    eprintln!("cuddy-oci: {message}");
    log(global, "warning", message);
}

fn doing(command: &Command) -> String {
    let of = |word: &str, id: &dyn std::fmt::Display| format!("{word} {id}");
    match command {
        Command::Create(start) => start.id.as_ref().map_or_else(String::new, |id| of("create", id)),
        Command::Run(start) => start.id.as_ref().map_or_else(String::new, |id| of("start", id)),
        Command::Exec(exec) => exec.id.as_ref().map_or_else(String::new, |id| of("execute in", id)),
        Command::Start { id } => of("start", id),
        Command::Kill { id, .. } => of("signal", id),
        Command::Delete { id, .. } => of("delete", id),
        Command::State { id } => of("show", id),
        _ => String::new(),
    }
}

fn log(global: &Global, level: &str, message: &str) {
    let Some(path) = &global.log else { return };
    let line = if global.log_json {
        serde_json::json!({ "level": level, "msg": message, "time": now() }).to_string()
    } else {
        format!("time=\"{}\" level={level} msg={message:?}", now())
    };
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| writeln!(file, "{line}"));
    if let Err(error) = written {
        eprintln!("cuddy-oci: cannot write to log {}: {error}", path.display());
    }
}

/// The time in the form of RFC 3339, in UTC.
fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    rfc3339(since.as_secs())
}

/// Seconds since 1970 as a date. Days are counted in years that begin in March, so that the leap day is
/// the last of its year.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + carry;
    format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn seconds_become_dates() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, date) in cases {
            assert_eq!(rfc3339(seconds), date);
        }
    }
}
