//! Why cuddy failed, as people read it: the message, hints below it, and the exit code.

use clap::error::{ContextKind, ContextValue};
use engine::options::OptionError;
use engine::root::RootError;
use std::fmt;

/// The exit code when cuddy itself failed.
pub const OURS: u8 = 125;

/// A failure of a command.
#[derive(Debug)]
pub struct Failure {
    /// What failed: the object, and the cause.
    pub message: String,
    /// What to do about it, one line each.
    pub hints: Vec<String>,
    /// The exit code.
    pub code: u8,
}

impl Failure {
    /// A failure of cuddy's own, exit code 125.
    pub fn new(message: impl Into<String>, hints: Vec<String>) -> Self {
        Self { message: message.into(), hints, code: OURS }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cuddy: {}", self.message)?;
        for hint in &self.hints {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        Self { message: error.to_string(), hints: error.hints(), code: error.exit_code() }
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Self {
        engine::Error::from(error).into()
    }
}

impl From<RootError> for Failure {
    fn from(error: RootError) -> Self {
        engine::Error::from(error).into()
    }
}

impl From<clap::Error> for Failure {
    /// The first line is clap's, and so is a word that it thinks was meant; the rest is ours.
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let mut hints = Vec::new();
        for kind in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
        {
            match error.get(kind) {
                Some(ContextValue::String(meant)) => hints.push(format!("did you mean {meant}?")),
                Some(ContextValue::Strings(meant)) => {
                    hints.push(format!("did you mean {}?", meant.join(" or ")))
                }
                _ => {}
            }
        }
        if hints.is_empty() {
            hints.push("--help after the command lists its options".to_owned());
        }
        Self::new(message, hints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_message_and_indented_hints() {
        let error = OptionError::new("--cpus \"x\"", "this is no number", "write a number");
        assert_eq!(
            Failure::from(error).to_string(),
            "cuddy: --cpus \"x\": this is no number\n  write a number"
        );
    }
}
