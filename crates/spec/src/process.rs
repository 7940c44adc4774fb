use crate::CapabilitySet;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The container's process (config.md, "Process").
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Whether standard input, output and error are a new terminal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub terminal: bool,
    /// First size of that terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<ConsoleSize>,
    /// Working directory: absolute, inside the container.
    pub cwd: PathBuf,
    /// Environment, each entry `NAME=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Command and its arguments, as for execvp(3). A number stands for its own text, as crun reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "words")]
    pub args: Vec<String>,
    /// Resource limits, getrlimit(2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rlimits: Vec<Rlimit>,
    /// AppArmor profile entered at exec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apparmor_profile: Option<String>,
    /// The five capability sets; left out: none in any set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// `PR_SET_NO_NEW_PRIVS`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_new_privileges: bool,
    /// `/proc/self/oom_score_adj`, from -1000 to 1000; left out: inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i32>,
    /// Scheduling policy, sched_setattr(2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<Scheduler>,
    /// SELinux label entered at exec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selinux_label: Option<String>,
    /// ioprio_set(2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_priority: Option<IoPriority>,
    /// CPUs for a process that `exec` starts.
    #[serde(rename = "execCPUAffinity", skip_serializing_if = "Option::is_none")]
    pub exec_cpu_affinity: Option<ExecCpuAffinity>,
    /// Ids the process runs with.
    #[serde(default)]
    pub user: User,
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<Word>::deserialize(deserializer)?;
    Ok(words.into_iter().map(|Word(word)| word).collect())
}

/// A text, or a number that somebody forgot to quote.
struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Word;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Word, E> {
                Ok(Word(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// Height and width in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSize {
    /// Rows.
    pub height: u16,
    /// Columns.
    pub width: u16,
}

/// Ids inside the container's user namespace (config.md, "User").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// User id; left out it is 0, as runc and crun read it.
    #[serde(default)]
    pub uid: u32,
    /// Primary group id; likewise.
    #[serde(default)]
    pub gid: u32,
    /// File mode creation mask; left out: 0022.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub umask: Option<u32>,
    /// Supplementary groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_gids: Vec<u32>,
}

/// One resource limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// `RLIMIT_...`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Soft limit, in the resource's own unit.
    pub soft: u64,
    /// Hard limit.
    pub hard: u64,
}

/// The five sets of capabilities(7), by `CAP_...` names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "CapabilityNames")]
pub struct Capabilities {
    /// What execve may ever give.
    pub bounding: CapabilitySet,
    /// What is checked.
    pub effective: CapabilitySet,
    /// What passes execve of files with inheritable capabilities.
    pub inheritable: CapabilitySet,
    /// What may be made effective.
    pub permitted: CapabilitySet,
    /// What passes execve of ordinary files.
    pub ambient: CapabilitySet,
    /// Names in any of the sets that are no capabilities: worth a warning and no error, as the specification
    /// has it.
    #[serde(skip)]
    pub unknown: BTreeSet<String>,
}

impl Capabilities {
    /// Whether no set has a capability that is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let sets = [self.bounding, self.effective, self.inheritable, self.permitted, self.ambient];
        sets.into_iter().all(CapabilitySet::is_empty)
    }
}

/// [`Capabilities`] as they are written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct CapabilityNames {
    bounding: Vec<String>,
    effective: Vec<String>,
    inheritable: Vec<String>,
    permitted: Vec<String>,
    ambient: Vec<String>,
}

impl From<CapabilityNames> for Capabilities {
    fn from(names: CapabilityNames) -> Self {
        let mut unknown = BTreeSet::new();
        let mut set = |names: Vec<String>| {
            names.into_iter().filter_map(|name| name.parse().map_err(|_| unknown.insert(name)).ok()).collect()
        };
        Self {
            bounding: set(names.bounding),
            effective: set(names.effective),
            inheritable: set(names.inheritable),
            permitted: set(names.permitted),
            ambient: set(names.ambient),
            unknown,
        }
    }
}

/// Scheduling attributes, sched_setattr(2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduler {
    /// `SCHED_...`.
    pub policy: String,
    /// Nice value, for `SCHED_OTHER` and `SCHED_BATCH`.
    #[serde(default)]
    pub nice: i32,
    /// Priority, for `SCHED_FIFO` and `SCHED_RR`.
    #[serde(default)]
    pub priority: i32,
    /// `SCHED_FLAG_...`.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    #[serde(default)]
    pub runtime: Option<u64>,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    #[serde(default)]
    pub deadline: Option<u64>,
    /// Nanoseconds, for `SCHED_DEADLINE`.
    #[serde(default)]
    pub period: u64,
}

/// I/O scheduling class and priority, ioprio_set(2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoPriority {
    /// `IOPRIO_CLASS_...`.
    pub class: String,
    /// From 0, the highest, to 7.
    #[serde(default)]
    pub priority: i32,
}

/// CPU lists in the form of cpuset(7), for `exec` before and after the join of the cgroup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecCpuAffinity {
    /// Before the process joins the cgroup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<String>,
    /// After it.
    #[serde(rename = "final", skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}
