//! The command line of `cuddy-oci`, as data.
//!
//! There is one table ([`COMMANDS`] and [`GLOBAL`]), and everything else follows from it: which options are parsed and which
//! refused, `--help`, the manual pages and the completions of shells. What an option means is not here but
//! where it is read.
//!
//! Names and meanings are those of runc; where crun has more, those of crun.

mod commands;
mod help;
mod options;

pub use commands::COMMANDS;
pub use help::{command as help_of, program as help};
pub use options::*;

/// The program.
pub const PROGRAM: &str = "cuddy-oci";

/// What it is, in a line.
pub const SUMMARY: &str = "Open Container Initiative runtime";

/// An option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opt {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// The letter that means the same.
    pub short: Option<char>,
    /// What its value is called. `None`: it has none, it is a switch, though `--name=true` and `--name=false` are
    /// understood, as by all programs whose flags are Go's.
    pub value: Option<&'static str>,
    /// The only values there are; empty: any.
    pub choices: &'static [&'static str],
    /// Whether it may be given more than once.
    pub repeats: bool,
    /// What it does, in a line.
    pub help: &'static str,
}

/// A command.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// What follows the options.
    pub operands: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// What there is to know about it, in sentences.
    pub about: &'static str,
    /// Its options.
    pub options: &'static [Opt],
    /// Whether what follows the first operand is for another program: no options of ours are looked for there.
    pub passes_on: bool,
}

impl Opt {
    const fn switch(name: &'static str, help: &'static str) -> Self {
        Self { name, short: None, value: None, choices: &[], repeats: false, help }
    }

    const fn value(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { value: Some(value), ..Self::switch(name, help) }
    }

    const fn choice(
        name: &'static str,
        value: &'static str,
        choices: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { value: Some(value), choices, ..Self::switch(name, help) }
    }

    const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    const fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }
}

/// The command of this name.
#[must_use]
pub fn command(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// The option of this name among some.
#[must_use]
pub fn long<'a>(options: &'a [Opt], name: &str) -> Option<&'a Opt> {
    options.iter().find(|option| option.name == name)
}

/// The option of this letter among some.
#[must_use]
pub fn short(options: &[Opt], letter: char) -> Option<&Opt> {
    options.iter().find(|option| option.short == Some(letter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_is_in_the_table_twice() {
        let names: BTreeSet<_> = COMMANDS.iter().map(|command| command.name).collect();
        assert_eq!(names.len(), COMMANDS.len());
        for (whose, options) in COMMANDS.iter().map(|c| (c.name, c.options)).chain([("", GLOBAL)]) {
            let names: BTreeSet<_> = options.iter().map(|option| option.name).collect();
            assert_eq!(names.len(), options.len(), "{whose}");
            let with_letter = options.iter().filter(|option| option.short.is_some()).count();
            let letters: BTreeSet<_> = options.iter().filter_map(|option| option.short).collect();
            assert_eq!(letters.len(), with_letter, "{whose}");
        }
    }

    #[test]
    fn the_table_is_in_order_and_in_one_style() {
        assert!(COMMANDS.is_sorted_by_key(|command| command.name));
        for command in COMMANDS {
            assert!(!command.summary.ends_with('.'), "{}", command.name);
            assert!(command.about.is_empty() || command.about.ends_with('.'), "{}", command.name);
            for option in command.options {
                let help = option.help;
                assert!(!help.is_empty() && !help.ends_with('.'), "{} {}", command.name, option.name);
                assert!(option.choices.is_empty() || option.value.is_some(), "{}", option.name);
            }
        }
    }
}
