//! What the names in a configuration mean: [`spec::Seccomp`] read once, for all architectures.

use crate::condition::Condition;
use crate::names::Call;
use crate::{Action, Arch, Error, flags};

/// Rules in which nothing is left to look up or to refuse.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) default: Action,
    /// `SECCOMP_FILTER_FLAG_...` that were asked for.
    pub(crate) flags: u32,
    /// Architectures that the kernel can report and that calls are let in from; the native one first.
    pub(crate) architectures: Vec<Arch>,
    pub(crate) list: Vec<Rule>,
}

/// One action for some calls.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) action: Action,
    /// Those of its names that some architecture has.
    pub(crate) calls: Vec<&'static Call>,
    /// The rule applies if one of these holds; each is a list of conditions that must all hold.
    pub(crate) alternatives: Vec<Vec<Condition>>,
}

impl Rules {
    pub(crate) fn read(seccomp: &spec::Seccomp, native: Arch) -> Result<Self, Error> {
        let default = Action::parse(
            &seccomp.default_action,
            seccomp.default_errno_ret,
            || "/linux/seccomp/defaultAction".into(),
            || "/linux/seccomp/defaultErrnoRet".into(),
        )?;
        if default == Action::Notify {
            return Err(Error::NotifyByDefault);
        }
        Ok(Self {
            default,
            flags: flags::parse(&seccomp.flags)?,
            architectures: architectures(&seccomp.architectures, native)?,
            list: seccomp
                .syscalls
                .iter()
                .enumerate()
                .map(|(index, rule)| Rule::read(index, rule))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Whether a rule asks the listener.
    pub(crate) fn notify(&self) -> bool {
        self.list.iter().any(|rule| rule.action == Action::Notify)
    }
}

impl Rule {
    fn read(index: usize, rule: &spec::SyscallRule) -> Result<Self, Error> {
        let at = |field: &str| format!("/linux/seccomp/syscalls/{index}/{field}");
        let conditions = rule
            .args
            .iter()
            .enumerate()
            .map(|(position, arg)| Condition::parse(arg, || at(&format!("args/{position}"))))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            action: Action::parse(&rule.action, rule.errno_ret, || at("action"), || at("errnoRet"))?,
            // "Runtimes ... ignore ... system calls that the kernel does not know": profiles list them
            // for kernels and machines of every kind.
            calls: rule.names.iter().filter_map(|name| Call::named(name)).collect(),
            alternatives: alternatives(conditions),
        })
    }
}

/// All conditions must hold, unless two are on the same argument: then each is an alternative. That is
/// what runc makes of it, because old profiles meant `personality` to be 0 *or* 8.
fn alternatives(conditions: Vec<Condition>) -> Vec<Vec<Condition>> {
    let mut seen = 0_u8;
    let mut repeated = false;
    for condition in &conditions {
        let bit = 1 << condition.argument;
        repeated |= seen & bit != 0;
        seen |= bit;
    }
    if repeated {
        conditions.into_iter().map(|condition| vec![condition]).collect()
    } else {
        vec![conditions]
    }
}

/// The native architecture and those in the list that a kernel made for it can report. The others are
/// passed over: their calls cannot be made here.
fn architectures(names: &[String], native: Arch) -> Result<Vec<Arch>, Error> {
    let mut found = vec![native];
    for (index, name) in names.iter().enumerate() {
        match Arch::ALL.into_iter().find(|arch| arch.name() == name) {
            Some(arch) if arch.runs_on(native) && !found.contains(&arch) => found.push(arch),
            Some(_) => {}
            None if crate::ARCHITECTURES.contains(&name.as_str()) => {}
            None => {
                return Err(Error::Unknown {
                    pointer: format!("/linux/seccomp/architectures/{index}"),
                    what: "architecture",
                    value: name.clone(),
                    allowed: crate::ARCHITECTURES.join(", "),
                });
            }
        }
    }
    Ok(found)
}
