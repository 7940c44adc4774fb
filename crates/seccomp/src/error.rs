/// Why rules cannot become a filter. Each names the place in `config.json` by JSON pointer
/// (RFC 6901) and says what it may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An action, operator, architecture or flag that does not exist.
    #[error("{pointer}: unknown {what} {value:?}; it is one of {allowed}")]
    Unknown {
        /// Where it stands.
        pointer: String,
        /// What it should have been.
        what: &'static str,
        /// What it is.
        value: String,
        /// The names that exist, separated by commas.
        allowed: String,
    },
    /// A number that is too high.
    #[error("{pointer}: {value} is too high for {what}, which goes from 0 to {highest}")]
    TooHigh {
        /// Where it stands.
        pointer: String,
        /// What the number is.
        what: &'static str,
        /// The number.
        value: u32,
        /// The highest allowed.
        highest: u32,
    },
    /// An errno for an action that returns none (config-linux.md: "the runtime MUST ... fail").
    #[error("{pointer}: {action} takes no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do")]
    NoErrno {
        /// Where the errno stands.
        pointer: String,
        /// The action beside it.
        action: String,
    },
    /// A listener for every call: nobody could hand it over, for that takes system calls too.
    #[error(
        "/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be the default, because handing over the \
         listener takes system calls; use it in rules"
    )]
    NotifyByDefault,
    /// More instructions than the kernel accepts.
    #[error(
        "/linux/seccomp: the rules need {0} BPF instructions and the kernel accepts {max}; compare fewer arguments",
        max = crate::MAX_INSTRUCTIONS
    )]
    TooLong(usize),
}
