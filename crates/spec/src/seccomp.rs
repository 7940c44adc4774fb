use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// System call filter (config-linux.md, "Seccomp").
///
/// Actions, operators, architectures and flags stay names here; the `seccomp` crate gives them their
/// meaning and refuses the ones it does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seccomp {
    /// `SCMP_ACT_...` for calls that no rule names.
    pub default_action: String,
    /// errno of the default action; left out: `EPERM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_errno_ret: Option<u32>,
    /// `SCMP_ARCH_...`; the native one is always there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<String>,
    /// `SECCOMP_FILTER_FLAG_...`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// Socket that gets the notification descriptor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener_path: Option<PathBuf>,
    /// Opaque data for that listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener_metadata: Option<String>,
    /// Rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub syscalls: Vec<SyscallRule>,
}

/// What is done for some system calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyscallRule {
    /// Names of system calls; ones the machine does not have are passed over.
    pub names: Vec<String>,
    /// `SCMP_ACT_...`.
    pub action: String,
    /// errno of the action; left out: `EPERM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno_ret: Option<u32>,
    /// All of them must hold, but entries for the same argument are alternatives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<SeccompArg>,
}

/// A comparison of one argument.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeccompArg {
    /// Argument, from 0 to 5.
    pub index: u32,
    /// Value compared with; the mask of `SCMP_CMP_MASKED_EQ`.
    pub value: u64,
    /// Value compared with under a mask.
    #[serde(default)]
    pub value_two: u64,
    /// `SCMP_CMP_...`.
    pub op: String,
}
