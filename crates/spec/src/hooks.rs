use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The six kinds of hooks, in the order they run (config.md, "POSIX-platform Hooks").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hooks {
    /// Runtime namespace, after the namespaces are made. Deprecated in favour of the next three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prestart: Vec<Hook>,
    /// Runtime namespace, during `create`, before `pivot_root`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub create_runtime: Vec<Hook>,
    /// Container namespace, during `create`, before `pivot_root`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub create_container: Vec<Hook>,
    /// Container namespace, during `start`, before the process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_container: Vec<Hook>,
    /// Runtime namespace, after the process started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub poststart: Vec<Hook>,
    /// Runtime namespace, after `delete`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub poststop: Vec<Hook>,
}

impl Hooks {
    /// The hooks of one kind, in the order in which they run.
    #[must_use]
    pub fn of(&self, kind: HookKind) -> &[Hook] {
        match kind {
            HookKind::Prestart => &self.prestart,
            HookKind::CreateRuntime => &self.create_runtime,
            HookKind::CreateContainer => &self.create_container,
            HookKind::StartContainer => &self.start_container,
            HookKind::Poststart => &self.poststart,
            HookKind::Poststop => &self.poststop,
        }
    }
}

/// When and where a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HookKind {
    /// Deprecated; as [`HookKind::CreateRuntime`], and before it.
    Prestart,
    /// During `create`, in the runtime's namespaces, before `pivot_root`.
    CreateRuntime,
    /// During `create`, in the container's namespaces, before `pivot_root`.
    CreateContainer,
    /// During `start`, in the container, before the program.
    StartContainer,
    /// During `start`, in the runtime's namespaces, after the program began.
    Poststart,
    /// During `delete`, in the runtime's namespaces, after the container is gone.
    Poststop,
}

impl HookKind {
    /// All kinds, in the order in which they run.
    pub const ALL: [Self; 6] = [
        Self::Prestart,
        Self::CreateRuntime,
        Self::CreateContainer,
        Self::StartContainer,
        Self::Poststart,
        Self::Poststop,
    ];

    /// Its name in `config.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prestart => "prestart",
            Self::CreateRuntime => "createRuntime",
            Self::CreateContainer => "createContainer",
            Self::StartContainer => "startContainer",
            Self::Poststart => "poststart",
            Self::Poststop => "poststop",
        }
    }
}

/// One hook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Absolute path of the program.
    pub path: PathBuf,
    /// As for execv(3), so the first is the program's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Environment, each entry `NAME=value`; left out: inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    /// Seconds after which the hook is ended; more than zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
}
