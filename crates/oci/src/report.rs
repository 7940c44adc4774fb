//! Failures and notes, as people and as programs read them.

use crate::args::{Command, Global};
use std::io::Write;

/// Where it is told what goes wrong, and with `--debug` what is done.
///
/// What people should know is on standard error. With `--log` it is in that file, too, in the form of runc's log: containerd
/// and podman read the last error from there. Without one, `--log-format json` and `--debug` put such lines on standard error,
/// as runc does.
#[derive(Debug)]
pub(crate) struct Log<'a> {
    global: &'a Global,
}

impl<'a> Log<'a> {
    pub(crate) fn new(global: &'a Global) -> Self {
        Self { global }
    }

    /// Proves that the log can be written, before anything is done that could not be told there.
    ///
    /// # Errors
    /// Why it cannot, for people.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Some(path) = &self.global.log else { return Ok(()) };
        let open = std::fs::OpenOptions::new().create(true).append(true).open(path);
        open.map(drop).map_err(|error| {
            format!("{}: error: cannot open log {}: {error}", usage::PROGRAM, path.display())
        })
    }

    /// A command that failed.
    pub(crate) fn failure(&self, command: &Command, error: &runtime::Error) {
        let (doing, hint) = (doing(command), error.hint());
        let message = if doing.is_empty() { error.to_string() } else { format!("cannot {doing}: {error}") };
        self.tell("error", &message, &hint);
    }

    /// A command line that is none.
    pub(crate) fn misuse(&self, message: &str) {
        self.tell("error", message, &format!("`{} --help` lists commands and options", usage::PROGRAM));
    }

    /// Something the user should know that is no failure.
    pub(crate) fn note(&self, message: &str) {
        self.tell("warning", message, "");
    }

    /// As [`Log::note`], for each.
    pub(crate) fn notes(&self, messages: &[String]) {
        messages.iter().for_each(|message| self.note(message));
    }

    /// Something that is told with `--debug` only.
    pub(crate) fn debug(&self, message: impl FnOnce() -> String) {
        if self.global.debug {
            self.write("debug", &message());
        }
    }

    fn tell(&self, level: &str, message: &str, hint: &str) {
        if self.global.log.is_some() || self.global.log_json {
            self.write(level, message);
        }
        if self.global.log.is_some() || !self.global.log_json {
            let hint = if hint.is_empty() { String::new() } else { format!("\n  {hint}") };
            // Callers of runc look for this word: it is in every error that runc prints.
            let level = if level == "error" { "error: " } else { "" };
            complain(&format!("{}: {level}{message}{hint}", usage::PROGRAM));
        }
    }

    /// Writes a line of the log.
    fn write(&self, level: &str, message: &str) {
        let line = self.line(level, message);
        let Some(path) = &self.global.log else { return complain(&line) };
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // In one call, so that the lines of programs that log to the same file are not mixed.
        let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        if let Err(error) = written {
            complain(&format!("{}: cannot write to log {}: {error}", usage::PROGRAM, path.display()));
        }
    }

    fn line(&self, level: &str, message: &str) -> String {
        match self.global.log_json {
            true => serde_json::json!({ "level": level, "msg": message, "time": now() }).to_string(),
            false => format!("time=\"{}\" level={level} msg={message:?}", now()),
        }
    }
}

/// Writes to standard error. When nobody reads that, there is nobody to tell.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn doing(command: &Command) -> String {
    let of = |word: &str, id: &spec::ContainerId| format!("{word} {id}");
    match command {
        Command::Create(start) => of("create", &start.id),
        Command::Run(start) => of("start", &start.id),
        Command::Exec(exec) => of("execute in", &exec.id),
        Command::Checkpoint(checkpoint) => of("checkpoint", &checkpoint.id),
        Command::Restore(restore) => of("restore", &restore.id),
        Command::Start { id } => of("start", id),
        Command::Kill { id, .. } => of("signal", id),
        Command::Delete { id, .. } => of("delete", id),
        Command::State { id } => of("show", id),
        Command::Pause { id } => of("pause", id),
        Command::Resume { id } => of("resume", id),
        Command::Update { id, .. } => of("update", id),
        Command::Events { id, .. } => of("watch", id),
        Command::Ps { id, .. } => of("list the processes of", id),
        _ => String::new(),
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
