use crate::Error;
use std::fmt;

/// What the kernel does with a call (seccomp(2), "SECCOMP_RET_...").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Kill the thread. The OCI name `SCMP_ACT_KILL` means this too, as in libseccomp.
    KillThread,
    /// Kill the process, as by SIGSYS with a core dump.
    KillProcess,
    /// Send SIGSYS to the thread.
    Trap,
    /// Fail with this errno, at most 4095.
    Errno(u16),
    /// Ask the ptrace(2) tracer, giving it this number; ENOSYS where there is none.
    Trace(u16),
    /// Log and allow.
    Log,
    /// Ask the process that holds the listener.
    Notify,
    /// Allow.
    Allow,
}

/// The actions of the runtime specification (config-linux.md, "Seccomp").
pub const ACTIONS: [&str; 9] = [
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_LOG",
    "SCMP_ACT_NOTIFY",
];

/// The kernel's `MAX_ERRNO`: a higher value would not be an error to the caller.
const MAX_ERRNO: u32 = 4095;
const EPERM: u32 = 1;
pub(crate) const ENOSYS: u16 = 38;

impl Action {
    /// The action called `name` with the errno beside it, if any. `pointer` and `errno_pointer` are
    /// the places of the two, for errors.
    pub(crate) fn parse(
        name: &str,
        errno: Option<u32>,
        pointer: impl Fn() -> String,
        errno_pointer: impl Fn() -> String,
    ) -> Result<Self, Error> {
        let bounded = |what, highest: u32| match errno.unwrap_or(EPERM) {
            value if value > highest => {
                Err(Error::TooHigh { pointer: errno_pointer(), what, value, highest })
            }
            value => Ok(value as u16),
        };
        let action = match name {
            "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => Self::KillThread,
            "SCMP_ACT_KILL_PROCESS" => Self::KillProcess,
            "SCMP_ACT_TRAP" => Self::Trap,
            "SCMP_ACT_ERRNO" => return bounded("an errno", MAX_ERRNO).map(Self::Errno),
            "SCMP_ACT_TRACE" => return bounded("a message to the tracer", u16::MAX.into()).map(Self::Trace),
            "SCMP_ACT_ALLOW" => Self::Allow,
            "SCMP_ACT_LOG" => Self::Log,
            "SCMP_ACT_NOTIFY" => Self::Notify,
            _ => {
                return Err(Error::Unknown {
                    pointer: pointer(),
                    what: "action",
                    value: name.to_owned(),
                    allowed: ACTIONS.join(", "),
                });
            }
        };
        match errno {
            Some(_) => Err(Error::NoErrno { pointer: errno_pointer(), action: name.to_owned() }),
            None => Ok(action),
        }
    }

    /// The value that the program returns for it (`linux/seccomp.h`).
    #[must_use]
    pub const fn to_return(self) -> u32 {
        match self {
            Self::KillProcess => 0x8000_0000,
            Self::KillThread => 0,
            Self::Trap => 0x0003_0000,
            Self::Errno(errno) => 0x0005_0000 | errno as u32,
            Self::Notify => 0x7fc0_0000,
            Self::Trace(message) => 0x7ff0_0000 | message as u32,
            Self::Log => 0x7ffc_0000,
            Self::Allow => 0x7fff_0000,
        }
    }

    /// The action that a returned value stands for. Like the kernel, takes what it does not know for
    /// killing the process.
    #[must_use]
    pub const fn from_return(value: u32) -> Self {
        match value & 0xffff_0000 {
            0 => Self::KillThread,
            0x0003_0000 => Self::Trap,
            0x0005_0000 => Self::Errno(value as u16),
            0x7fc0_0000 => Self::Notify,
            0x7ff0_0000 => Self::Trace(value as u16),
            0x7ffc_0000 => Self::Log,
            0x7fff_0000 => Self::Allow,
            _ => Self::KillProcess,
        }
    }

    /// Whether the call is made, or somebody who knows more decides whether it is.
    pub(crate) const fn lets_pass(self) -> bool {
        matches!(self, Self::Allow | Self::Log | Self::Trace(_))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillThread => f.write_str("SCMP_ACT_KILL_THREAD"),
            Self::KillProcess => f.write_str("SCMP_ACT_KILL_PROCESS"),
            Self::Trap => f.write_str("SCMP_ACT_TRAP"),
            Self::Errno(1) => f.write_str("SCMP_ACT_ERRNO(EPERM)"),
            Self::Errno(ENOSYS) => f.write_str("SCMP_ACT_ERRNO(ENOSYS)"),
            Self::Errno(errno) => write!(f, "SCMP_ACT_ERRNO({errno})"),
            Self::Trace(message) => write!(f, "SCMP_ACT_TRACE({message})"),
            Self::Log => f.write_str("SCMP_ACT_LOG"),
            Self::Notify => f.write_str("SCMP_ACT_NOTIFY"),
            Self::Allow => f.write_str("SCMP_ACT_ALLOW"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, errno: Option<u32>) -> Result<Action, Error> {
        Action::parse(name, errno, || "/a".into(), || "/e".into())
    }

    #[test]
    fn an_errno_is_eperm_unless_given_and_only_where_it_is_returned() {
        assert_eq!(parse("SCMP_ACT_ERRNO", None), Ok(Action::Errno(1)));
        assert_eq!(parse("SCMP_ACT_ERRNO", Some(4095)), Ok(Action::Errno(4095)));
        assert_eq!(parse("SCMP_ACT_TRACE", Some(65535)), Ok(Action::Trace(65535)));
        for (name, errno, message) in [
            ("SCMP_ACT_ERRNO", 4096, "/e: 4096 is too high for an errno, which goes from 0 to 4095"),
            (
                "SCMP_ACT_ALLOW",
                1,
                "/e: SCMP_ACT_ALLOW takes no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do",
            ),
        ] {
            assert_eq!(parse(name, Some(errno)).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn every_action_survives_the_way_through_the_kernels_number() {
        for name in ACTIONS {
            let action = parse(name, None).unwrap();
            assert_eq!(Action::from_return(action.to_return()), action, "{name}");
        }
    }
}
