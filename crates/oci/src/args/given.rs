//! What was typed, read by the table of options.

use lexopt::{Arg, Error, Parser};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use usage::Opt;

/// Options and operands as they were given, before they have a meaning.
///
/// Each option that was given has to be taken by whoever gives it one: [`Given::finish`] refuses what is left. So there is no
/// option in the table that does nothing, and none that is not in the table.
#[derive(Debug)]
pub(super) struct Given {
    known: &'static [Opt],
    options: Vec<(Opt, OsString)>,
    pub operands: Vec<OsString>,
    pub help: bool,
}

/// Where to stop reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Options and operands may come in any order.
    TheEnd,
    /// At the first operand; it and what follows are operands, whatever they look like.
    FirstOperand,
    /// At the first operand, and leave the rest: it is a command with options of its own.
    Command,
}

impl Given {
    pub(super) fn read(parser: &mut Parser, known: &'static [Opt], until: Until) -> Result<Self, Error> {
        let mut given = Self { known, options: Vec::new(), operands: Vec::new(), help: false };
        while let Some(arg) = parser.next()? {
            let option = match &arg {
                Arg::Long(name) => find(known, |option| option.name == *name),
                Arg::Short(letter) => find(known, |option| option.short == Some(*letter)),
                Arg::Value(_) => None,
            };
            match (option, arg) {
                (Some(option), arg) => {
                    let long = matches!(arg, Arg::Long(_));
                    let value = value(parser, &option, long)?;
                    given.help |= option == usage::HELP;
                    given.options.push((option, value));
                }
                (None, Arg::Value(operand)) => {
                    given.operands.push(operand);
                    match until {
                        Until::TheEnd => {}
                        Until::FirstOperand => given.operands.extend(parser.raw_args()?),
                        Until::Command => break,
                    }
                }
                (None, other) => return Err(other.unexpected()),
            }
        }
        Ok(given)
    }

    /// Every value of an option.
    fn take(&mut self, option: Opt) -> Vec<OsString> {
        debug_assert!(self.known.contains(&option), "--{} is not in the table of this command", option.name);
        let taken = self.options.extract_if(.., |(given, _)| *given == option);
        taken.map(|(_, value)| value).collect()
    }

    /// The last value of an option.
    fn last(&mut self, option: Opt) -> Option<OsString> {
        self.take(option).pop()
    }

    /// Whether a switch is on; `None`: it was not given.
    pub(super) fn switch(&mut self, option: Opt) -> Result<Option<bool>, Error> {
        self.last(option).map(|value| boolean(option, value)).transpose()
    }

    /// Whether a switch is on that is off if not given.
    pub(super) fn is_on(&mut self, option: Opt) -> Result<bool, Error> {
        Ok(self.switch(option)?.unwrap_or_default())
    }

    pub(super) fn path(&mut self, option: Opt) -> Option<PathBuf> {
        self.last(option).map(PathBuf::from)
    }

    pub(super) fn text(&mut self, option: Opt) -> Result<Option<String>, Error> {
        let Some(value) = self.last(option).map(text).transpose()? else { return Ok(None) };
        if !option.choices.is_empty() && !option.choices.contains(&value.as_str()) {
            let (last, others) = option.choices.split_last().unwrap_or((&"", &[]));
            let choices = format!("{} or {last}", others.join(", "));
            return Err(format!("--{} is {choices}, not {value:?}", option.name).into());
        }
        Ok(Some(value))
    }

    pub(super) fn texts(&mut self, option: Opt) -> Result<Vec<String>, Error> {
        self.take(option).into_iter().map(text).collect()
    }

    pub(super) fn number<T: FromStr>(&mut self, option: Opt) -> Result<Option<T>, Error> {
        self.text(option)?.map(|value| number(option, &value)).transpose()
    }

    pub(super) fn numbers<T: FromStr>(&mut self, option: Opt) -> Result<Vec<T>, Error> {
        self.texts(option)?.iter().map(|value| number(option, value)).collect()
    }

    /// The end of the reading.
    pub(super) fn finish(self) -> Result<(), Error> {
        if let Some((option, _)) = self.options.first() {
            return Err(format!("--{} has no meaning here", option.name).into());
        }
        match self.operands.into_iter().next() {
            Some(operand) => Err(Arg::Value(operand).unexpected()),
            None => Ok(()),
        }
    }
}

fn find(known: &[Opt], is: impl Fn(&Opt) -> bool) -> Option<Opt> {
    known.iter().copied().chain([usage::HELP]).find(is)
}

/// The value of an option; of a switch, what follows its `=`.
fn value(parser: &mut Parser, option: &Opt, long: bool) -> Result<OsString, Error> {
    match option.value {
        Some(_) => parser.value(),
        // -td is two switches, and not -t with the value d.
        None if long => Ok(parser.optional_value().unwrap_or_else(|| "true".into())),
        None => Ok("true".into()),
    }
}

/// As in Go, whose flags callers of runc write.
fn boolean(option: Opt, value: OsString) -> Result<bool, Error> {
    match value.to_str() {
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        _ => Err(format!("--{} is true or false, not {value:?}", option.name).into()),
    }
}

fn number<T: FromStr>(option: Opt, value: &str) -> Result<T, Error> {
    value.parse().map_err(|_| format!("--{} takes a number, not {value:?}", option.name).into())
}

pub(super) fn text(value: OsString) -> Result<String, Error> {
    value.into_string().map_err(|value| format!("{value:?} is not UTF-8").into())
}
