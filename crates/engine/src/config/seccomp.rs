//! The system call filter: cuddy's own, none, or a file of the user's.
//!
//! Docker's form of a profile is that of the OCI and conditions: `archMap` in place of `architectures`,
//! and rules that are `includes`d or `excludes`d by capability, architecture or kernel. They are resolved
//! here; what stays is a plain OCI filter.

use crate::facts::Facts;
use crate::options::security::SeccompChoice;
use crate::options::{OptionError, RunOptions};
use ::seccomp::Arch;
use serde::Deserialize;
use spec::{Capability, CapabilitySet, Seccomp, SeccompArg, SyscallRule};
use std::path::Path;

/// The filter for a container with these capabilities.
pub(super) fn profile(
    options: &RunOptions,
    capabilities: CapabilitySet,
    facts: &Facts,
) -> Result<Option<Seccomp>, OptionError> {
    let arch = Arch::host().unwrap_or(Arch::X86_64);
    match options.privileges.seccomp() {
        SeccompChoice::Unconfined => Ok(None),
        SeccompChoice::Default => Ok(Some(::seccomp::default_profile(capabilities, arch))),
        SeccompChoice::File(path) => {
            let text = facts.seccomp_profile.as_deref().unwrap_or_default();
            let machine = Machine { capabilities, arch, kernel: facts.host.kernel };
            resolve(text, &machine).map(Some).map_err(|cause| refused(&path, cause))
        }
    }
}

fn refused(path: &Path, cause: String) -> OptionError {
    OptionError::new(
        format!("--security-opt seccomp={}", path.display()),
        cause,
        "the form is that of Docker's profiles or of `linux.seccomp` in the OCI runtime specification",
    )
}

/// What the conditions of a profile are about.
struct Machine {
    capabilities: CapabilitySet,
    arch: Arch,
    kernel: (u32, u32),
}

/// A profile in Docker's form; one in the OCI's is such a profile without conditions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: String,
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Vec<String>,
    #[serde(default)]
    arch_map: Vec<ArchEntry>,
    #[serde(default)]
    flags: Vec<String>,
    listener_path: Option<std::path::PathBuf>,
    listener_metadata: Option<String>,
    #[serde(default)]
    syscalls: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchEntry {
    architecture: String,
    #[serde(default)]
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    /// The form of old profiles, for one call.
    name: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    action: String,
    errno_ret: Option<u32>,
    #[serde(default)]
    args: Option<Vec<SeccompArg>>,
    #[serde(default)]
    includes: Conditions,
    #[serde(default)]
    excludes: Conditions,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Conditions {
    caps: Vec<String>,
    arches: Vec<String>,
    min_kernel: Option<String>,
}

impl Rule {
    /// Whether the rule is for this machine: every condition of `includes` holds, none of `excludes`.
    fn applies(&self, machine: &Machine) -> Result<bool, String> {
        let arch = arch_name(machine.arch);
        let (includes, excludes) = (&self.includes, &self.excludes);
        for capability in &excludes.caps {
            if machine.has(capability)? {
                return Ok(false);
            }
        }
        for capability in &includes.caps {
            if !machine.has(capability)? {
                return Ok(false);
            }
        }
        let kernel = |version: &Option<String>| -> Result<Option<bool>, String> {
            version.as_deref().map(|text| Ok(machine.kernel >= kernel_version(text)?)).transpose()
        };
        Ok(kernel(&includes.min_kernel)? != Some(false)
            && kernel(&excludes.min_kernel)? != Some(true)
            && (includes.arches.is_empty() || includes.arches.iter().any(|name| name == arch))
            && !excludes.arches.iter().any(|name| name == arch))
    }
}

impl Machine {
    fn has(&self, capability: &str) -> Result<bool, String> {
        let capability: Capability =
            capability.parse().map_err(|error: spec::UnknownCapability| error.to_string())?;
        Ok(self.capabilities.contains(capability))
    }
}

/// The name of an architecture in `includes.arches`: that of the Go toolchain.
fn arch_name(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "amd64",
        Arch::X32 => "x32",
        Arch::X86 => "x86",
        Arch::Aarch64 => "arm64",
        Arch::Arm => "arm",
    }
}

fn kernel_version(text: &str) -> Result<(u32, u32), String> {
    let parsed = text
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?)));
    parsed.ok_or_else(|| format!("minKernel {text:?} is no kernel version like 4.8"))
}

fn resolve(text: &str, machine: &Machine) -> Result<Seccomp, String> {
    let profile: Profile =
        serde_json::from_str(text).map_err(|error| format!("the profile cannot be read: {error}"))?;
    if !profile.architectures.is_empty() && !profile.arch_map.is_empty() {
        return Err("it has both architectures and archMap, which say the same".to_owned());
    }
    let native = machine.arch.name();
    let mut architectures = profile.architectures;
    for entry in profile.arch_map.into_iter().filter(|entry| entry.architecture == native) {
        architectures.push(entry.architecture);
        architectures.extend(entry.sub_architectures.unwrap_or_default());
    }
    let mut syscalls = Vec::new();
    for rule in profile.syscalls {
        if !rule.applies(machine)? {
            continue;
        }
        let names = match rule.name {
            Some(_) if !rule.names.is_empty() => return Err("a rule has both name and names".to_owned()),
            Some(name) => vec![name],
            None if rule.names.is_empty() => return Err("a rule names no system call".to_owned()),
            None => rule.names,
        };
        syscalls.push(SyscallRule {
            names,
            action: rule.action,
            errno_ret: rule.errno_ret,
            args: rule.args.unwrap_or_default(),
        });
    }
    let resolved = Seccomp {
        default_action: profile.default_action,
        default_errno_ret: profile.default_errno_ret,
        architectures,
        flags: profile.flags,
        listener_path: profile.listener_path,
        listener_metadata: profile.listener_metadata,
        syscalls,
    };
    // What the compiler refuses is found now, where the option can be named.
    ::seccomp::compile(&resolved, machine.arch).map_err(|error| error.to_string())?;
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, capabilities: &[&str]) -> String {
        let capabilities = capabilities.iter().map(|name| name.parse::<Capability>().unwrap()).collect();
        let machine = Machine { capabilities, arch: Arch::X86_64, kernel: (5, 15) };
        match resolve(text, &machine) {
            Ok(seccomp) => {
                let names: Vec<String> = seccomp.syscalls.iter().map(|rule| rule.names.join("+")).collect();
                format!("{} | {}", seccomp.architectures.join(" "), names.join(" "))
            }
            Err(error) => error,
        }
    }

    const CONDITIONS: &str = r#"{
        "defaultAction": "SCMP_ACT_ERRNO",
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": null}
        ],
        "syscalls": [
            {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "comment": "ours"},
            {"name": "chroot", "action": "SCMP_ACT_ALLOW", "args": null, "includes": {"caps": ["CAP_SYS_CHROOT"]}},
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
            {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
            {"names": ["mmap"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64"]}},
            {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
            {"names": ["futex"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.1"}},
            {"names": ["kill"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "5.15"}}
        ]
    }"#;

    #[test]
    fn conditions_are_resolved_for_the_container_and_the_machine() {
        let arches = "SCMP_ARCH_X86_64 SCMP_ARCH_X86 SCMP_ARCH_X32";
        assert_eq!(lines(CONDITIONS, &[]), format!("{arches} | read+write clone arch_prctl ptrace"));
        assert_eq!(
            lines(CONDITIONS, &["SYS_CHROOT", "SYS_ADMIN"]),
            format!("{arches} | read+write chroot arch_prctl ptrace")
        );
    }

    #[test]
    fn a_profile_of_the_oci_stays_as_it_is() {
        let text = r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                       "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}"#;
        assert_eq!(lines(text, &[]), "SCMP_ARCH_X86_64 | mkdir");
    }

    #[test]
    fn what_is_no_profile_is_refused() {
        let check = |text: &str, expect: &str| {
            let got = lines(text, &[]);
            assert!(got.contains(expect), "{text}: {got}");
        };
        check("", "the profile cannot be read: EOF");
        check("{}", "missing field `defaultAction`");
        check(r#"{"defaultAction": "SCMP_ACT_MOO"}"#, "SCMP_ACT_MOO");
        let rule = |rule: &str| format!(r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{rule}]}}"#);
        check(&rule(r#"{"action": "SCMP_ACT_ALLOW"}"#), "a rule names no system call");
        check(&rule(r#"{"action": "SCMP_ACT_ALLOW", "name": "a", "names": ["b"]}"#), "both name and names");
        check(
            &rule(r#"{"action": "SCMP_ACT_ALLOW", "names": ["b"], "includes": {"caps": ["CAP_MOO"]}}"#),
            "unknown capability \"CAP_MOO\"",
        );
        check(
            &rule(r#"{"action": "SCMP_ACT_ALLOW", "names": ["b"], "includes": {"minKernel": "new"}}"#),
            "minKernel \"new\" is no kernel version",
        );
        check(
            r#"{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"], "archMap": [
                {"architecture": "SCMP_ARCH_X86_64"}]}"#,
            "both architectures and archMap",
        );
    }
}
