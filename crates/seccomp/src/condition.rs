use crate::Error;

/// A comparison of one argument. All the operators of the specification come down to three, each
/// perhaps negated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Which argument, 0 to 5.
    pub(crate) argument: u8,
    pub(crate) comparison: Comparison,
    /// The condition holds when the comparison does not.
    pub(crate) negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// The bits of the argument that are in `mask` are those of `value`.
    Equal { mask: u64, value: u64 },
    /// The argument is greater, unsigned.
    Greater(u64),
    /// The argument is greater or equal, unsigned.
    GreaterOrEqual(u64),
}

/// The operators of the runtime specification (config-linux.md, "Seccomp").
pub const OPERATORS: [&str; 7] = [
    "SCMP_CMP_NE",
    "SCMP_CMP_LT",
    "SCMP_CMP_LE",
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_MASKED_EQ",
];

/// A system call has six arguments (syscall(2)).
const LAST_ARGUMENT: u32 = 5;

impl Condition {
    /// The meaning of `arg`, which stands at `pointer`.
    pub(crate) fn parse(arg: &spec::SeccompArg, pointer: impl Fn() -> String) -> Result<Self, Error> {
        if arg.index > LAST_ARGUMENT {
            return Err(Error::TooHigh {
                pointer: format!("{}/index", pointer()),
                what: "the index of an argument",
                value: arg.index,
                highest: LAST_ARGUMENT,
            });
        }
        let exactly = Comparison::Equal { mask: u64::MAX, value: arg.value };
        let (comparison, negated) = match arg.op.as_str() {
            "SCMP_CMP_NE" => (exactly, true),
            "SCMP_CMP_LT" => (Comparison::GreaterOrEqual(arg.value), true),
            "SCMP_CMP_LE" => (Comparison::Greater(arg.value), true),
            "SCMP_CMP_EQ" => (exactly, false),
            "SCMP_CMP_GE" => (Comparison::GreaterOrEqual(arg.value), false),
            "SCMP_CMP_GT" => (Comparison::Greater(arg.value), false),
            // The mask is applied to both sides, as libseccomp does.
            "SCMP_CMP_MASKED_EQ" => {
                (Comparison::Equal { mask: arg.value, value: arg.value_two & arg.value }, false)
            }
            _ => {
                return Err(Error::Unknown {
                    pointer: format!("{}/op", pointer()),
                    what: "operator",
                    value: arg.op.clone(),
                    allowed: OPERATORS.join(", "),
                });
            }
        };
        Ok(Self { argument: arg.index as u8, comparison, negated })
    }

    /// The condition that an argument has exactly this value.
    pub(crate) fn equals(argument: u8, value: u64) -> Self {
        Self { argument, comparison: Comparison::Equal { mask: u64::MAX, value }, negated: false }
    }

    /// What is left of it where arguments have 32 bits: the low half of every number.
    pub(crate) fn narrowed(&self) -> Self {
        const LOW: u64 = 0xffff_ffff;
        let comparison = match self.comparison {
            Comparison::Equal { mask, value } => Comparison::Equal { mask: mask & LOW, value: value & LOW },
            Comparison::Greater(value) => Comparison::Greater(value & LOW),
            Comparison::GreaterOrEqual(value) => Comparison::GreaterOrEqual(value & LOW),
        };
        Self { comparison, ..*self }
    }

    /// Whether it looks at no bit, and so holds for every argument.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.comparison, Comparison::Equal { mask: 0, .. }) && !self.negated
    }
}
