//! The default profile: what a container may ask of the kernel unless told otherwise.
//!
//! Deny by default. Every call that any architecture has is in a group that says why it is allowed, when, or why it is not
//! ([`always`], [`by_capability`], [`never`]); `docs/seccomp.md` shows the groups as a table, and names every difference
//! from Docker's profile, which images are tested with.

mod always;
mod by_capability;
mod never;
#[cfg(test)]
mod tests;

use crate::Arch;
use spec::{Capability, CapabilitySet, Seccomp, SeccompArg, SyscallRule};

/// Calls of one topic.
struct Group {
    /// Why they are allowed, or are not: a sentence for `docs/seccomp.md`.
    #[cfg_attr(not(test), expect(dead_code, reason = "for who reads this, and for the page"))]
    why: &'static str,
    when: When,
    effect: Effect,
    /// Separated by spaces. An architecture passes over those that it does not have.
    names: &'static str,
}

enum When {
    Always,
    With(&'static str),
    Without(&'static str),
}

enum Effect {
    Allow,
    /// If one of these holds.
    AllowIf(&'static [Masked]),
    Errno(u32),
    /// What becomes of calls that no rule names: EPERM.
    Refuse,
}

const EPERM: u32 = 1;

/// The first argument has the bits `value` where `mask` is set.
struct Masked {
    mask: u64,
    value: u64,
}

fn groups() -> impl Iterator<Item = &'static Group> {
    always::GROUPS.iter().chain(by_capability::GROUPS).chain(never::GROUPS)
}

/// The default profile for a process that has `capabilities`, on `arch` and what else its kernel runs.
#[must_use]
pub fn default_profile(capabilities: CapabilitySet, arch: Arch) -> Seccomp {
    let architectures = [&[arch], arch.companions()].concat();
    Seccomp {
        default_action: "SCMP_ACT_ERRNO".into(),
        default_errno_ret: Some(EPERM),
        architectures: architectures.iter().map(|arch| arch.name().to_owned()).collect(),
        syscalls: groups().filter(|group| group.applies(capabilities)).flat_map(Group::rules).collect(),
        ..Seccomp::default()
    }
}

impl Group {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.split_whitespace()
    }

    fn applies(&self, capabilities: CapabilitySet) -> bool {
        let has = |name: &str| name.parse::<Capability>().is_ok_and(|one| capabilities.contains(one));
        match self.when {
            When::Always => true,
            When::With(name) => has(name),
            When::Without(name) => !has(name),
        }
    }

    fn rules(&self) -> Vec<SyscallRule> {
        let rule = |action: &str, errno_ret, args| SyscallRule {
            names: self.names().map(str::to_owned).collect(),
            action: action.into(),
            errno_ret,
            args,
        };
        let allow = |args| rule("SCMP_ACT_ALLOW", None, args);
        match self.effect {
            Effect::Allow => vec![allow(Vec::new())],
            Effect::AllowIf(one_of) => {
                one_of.iter().map(|masked| allow(vec![masked.on_first_argument()])).collect()
            }
            Effect::Errno(errno) => vec![rule("SCMP_ACT_ERRNO", Some(errno), Vec::new())],
            Effect::Refuse => Vec::new(),
        }
    }
}

impl Masked {
    fn on_first_argument(&self) -> SeccompArg {
        SeccompArg { index: 0, value: self.mask, value_two: self.value, op: "SCMP_CMP_MASKED_EQ".into() }
    }
}
