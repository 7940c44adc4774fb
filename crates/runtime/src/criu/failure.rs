use super::log::Errors;
use super::message::Response;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why criu failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    why: String,
    log: Option<PathBuf>,
    lines: Vec<String>,
}

impl Failure {
    /// The conversation broke off.
    pub(crate) fn talk(error: &io::Error) -> Self {
        Self { why: sys::words(error), ..Self::default() }
    }

    /// criu's own answer.
    pub(crate) fn answered(response: &Response) -> Self {
        let why = match (response.message.trim(), response.errno) {
            ("", 0) => "it does not say why".to_owned(),
            ("", errno) => Self::talk(&io::Error::from_raw_os_error(errno)).why,
            (message, _) => super::log::words(message).unwrap_or(message).to_owned(),
        };
        Self { why, ..Self::default() }
    }

    /// The same, with what the log says.
    pub(crate) fn with_log(self, log: &Path) -> Self {
        let Errors { first, lines } = Errors::read(log);
        Self { why: first.unwrap_or(self.why), log: log.is_file().then(|| log.to_owned()), lines }
    }

    /// The errors of its log, with their line numbers, and where the rest is.
    #[must_use]
    pub fn hint(&self) -> String {
        let Some(log) = &self.log else { return String::new() };
        let mut text = format!("{} has the whole story", log.display());
        for line in &self.lines {
            text.push_str("\n    ");
            text.push_str(line);
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "criu failed: {}", self.why)
    }
}
