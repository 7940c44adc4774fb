use std::fmt;

/// Why a configuration cannot become a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// JSON pointer of the field at fault, like `/mounts/0/options`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
    /// What to do about it; empty where the message says it all.
    pub hint: String,
}

impl Error {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), hint: hint.into() }
    }

    pub(crate) fn planner_fault(fault: &plan::check::Fault) -> Self {
        Self::new(
            "",
            format!("the plan contradicts itself: {fault}"),
            "this is a mistake in cuddy; please report it",
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
