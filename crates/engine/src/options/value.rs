//! What is wrong with a value that somebody typed.

/// Why a value is refused, and what to write in its place.
///
/// The parsers of this module do not know which option they serve; [`BadValue::of`] adds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct BadValue {
    /// What is wrong with it.
    pub cause: String,
    /// What to do about it; one line.
    pub hint: String,
}

impl BadValue {
    /// The cause and what to do about it.
    pub fn new(cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { cause: cause.into(), hint: hint.into() }
    }

    /// The same, as an error about `value` of `option`.
    #[must_use]
    pub fn of(self, option: &str, value: &str) -> OptionError {
        OptionError { object: format!("{option} {value:?}"), cause: self.cause, hint: self.hint }
    }
}

/// An option that is refused: which one, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {cause}")]
pub struct OptionError {
    /// The option, with its value if one value is at fault.
    pub object: String,
    /// What is wrong.
    pub cause: String,
    /// What to do about it; one line.
    pub hint: String,
}

impl OptionError {
    /// An error about `object`: an option, or two that contradict each other.
    pub fn new(object: impl Into<String>, cause: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { object: object.into(), cause: cause.into(), hint: hint.into() }
    }
}

/// Runs `parse` over a table of `(text, expectation)`: `Ok` is compared by its debug form, `Err` with the cause.
#[cfg(test)]
pub(crate) fn check<T: std::fmt::Debug>(
    parse: impl Fn(&str) -> Result<T, BadValue>,
    table: &[(&str, Result<&str, &str>)],
) {
    for (text, expect) in table {
        let got = parse(text);
        if let Err(bad) = &got {
            assert!(!bad.hint.is_empty(), "{text:?} is refused without a hint");
        }
        let got = got.map(|value| format!("{value:?}")).map_err(|bad| bad.cause);
        assert_eq!(got, expect.map(str::to_owned).map_err(str::to_owned), "for {text:?}");
    }
}
