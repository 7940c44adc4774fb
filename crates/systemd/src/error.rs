use plan::unit::Manager;
use std::time::Duration;

/// Why a manager of systemd did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody answers where one could be.
    #[error("{manager} cannot be reached: tried {}", tried.join(", and "))]
    Unreachable {
        /// Which manager.
        manager: Manager,
        /// Where it could have been, and what came of it.
        tried: Vec<String>,
    },
    /// The connection broke.
    #[error("systemd does not answer {what}: {why}")]
    Broken {
        /// What was asked.
        what: &'static str,
        /// What happened.
        why: String,
    },
    /// It refused, in its own words.
    #[error("systemd refuses {what}: {message} ({name})")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// The name of the error, like `org.freedesktop.systemd1.UnitExists`.
        name: String,
        /// What it says.
        message: String,
    },
    /// It tried, and the job did not end well.
    #[error("systemd's job to {what} {unit} ended as {result:?}")]
    Job {
        /// What was to be done.
        what: &'static str,
        /// The unit.
        unit: String,
        /// `failed`, `canceled`, `timeout`, `dependency` or `skipped`.
        result: String,
    },
    /// It takes too long.
    #[error("systemd has not answered {what} within {after:?}")]
    Late {
        /// What was asked.
        what: &'static str,
        /// How long was waited.
        after: Duration,
    },
}

impl Error {
    /// Whether it refused with the error of this name.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { name, .. } if name == wanted)
    }

    /// What to do about it; empty where there is nothing better to say.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { manager: Manager::System, .. } => {
                "systemd has to run this machine; where it does not, let cuddy make the groups with --cgroup-manager=cgroupfs"
            }
            Self::Unreachable { manager: Manager::User, .. } => {
                "log in so that systemd starts a manager for you (loginctl enable-linger keeps it), or use \
                 --cgroup-manager=cgroupfs"
            }
            Self::Refused { name, .. } if name.ends_with(".UnitExists") => {
                "another container uses the unit; give another name or linux.cgroupsPath"
            }
            Self::Job { .. } => "`systemctl status` and `journalctl` with the name of the unit say more",
            _ => "",
        }
    }
}
