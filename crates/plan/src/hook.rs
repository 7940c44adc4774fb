use serde::{Deserialize, Serialize};
use spec::HookKind;
use std::fmt;
use std::path::PathBuf;

/// A program that runs at one point of a container's life (config.md, "POSIX-platform Hooks").
///
/// Those that run during `create` and `start` are steps of the plan; those that run after the program has
/// started or ended are kept with the container's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// When and where it runs.
    pub kind: HookKind,
    /// Its place among the hooks of its kind, counted from zero.
    pub index: usize,
    /// Absolute path of the program.
    pub path: PathBuf,
    /// All arguments, the program's name first.
    pub args: Vec<String>,
    /// Its whole environment; `None`: that of the process that starts it.
    pub env: Option<Vec<String>>,
    /// Seconds after which it is killed.
    pub timeout: Option<u32>,
    /// Where it starts; `/` where that cannot be entered. `None`: where the process is that starts it.
    pub directory: Option<PathBuf>,
    /// Whether its environment gets the `HOME` that was looked up for the program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub home: bool,
    /// A file that its standard output is appended to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<PathBuf>,
    /// A file that its standard error is appended to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<PathBuf>,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hook #{}", self.kind.name(), self.index)
    }
}
