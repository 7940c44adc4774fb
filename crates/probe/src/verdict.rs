//! What came of an attempt.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The result of a subcommand. The probe exits with 0 when it has one, whatever it is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// The subcommand with its arguments.
    pub attempt: String,
    /// `ok`, or the name of the error, as `EPERM`.
    pub outcome: String,
    /// What else is worth knowing; its shape depends on the subcommand.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
}

impl Verdict {
    /// Whether the attempt succeeded. For an attack that means: the container failed.
    pub fn succeeded(&self) -> bool {
        self.outcome == "ok"
    }
}

/// The detail of `fork-many`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Forks {
    /// How many children could be made.
    pub made: u32,
    /// The error of the first that could not.
    pub first_error: Option<String>,
}

/// The detail of `burn`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Burn {
    /// Seconds that passed.
    pub wall: f64,
    /// Seconds of processor time that were used.
    pub cpu: f64,
}
