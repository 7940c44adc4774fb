//! The table as `--help` prints it, in the form of runc's.

use crate::{COMMANDS, Command, GLOBAL, HELP, Opt, PROGRAM, SUMMARY};
use std::fmt::Write;

/// How wide lines are at most.
const WIDTH: usize = 100;

/// The help of the program.
#[must_use]
pub fn program() -> String {
    let mut text = format!(
        "NAME:\n   {PROGRAM} - {SUMMARY}\n\nUSAGE:\n   {PROGRAM} [OPTION...] COMMAND [OPTION...] [OPERAND...]\n\nCOMMANDS:\n"
    );
    let width = COMMANDS.iter().map(|command| command.name.len()).max().unwrap_or_default();
    for Command { name, summary, .. } in COMMANDS {
        let _ = writeln!(text, "   {name:<width$}  {summary}");
    }
    options(&mut text, GLOBAL);
    let _ = write!(text, "\n`{PROGRAM} COMMAND --help` has more about a command.\n");
    text
}

/// The help of one command.
#[must_use]
pub fn command(command: &Command) -> String {
    let Command { name, operands, summary, about, .. } = command;
    let mut text =
        format!("NAME:\n   {PROGRAM} {name} - {summary}\n\nUSAGE:\n   {PROGRAM} {name} [OPTION...]");
    if !operands.is_empty() {
        let _ = write!(text, " {operands}");
    }
    text.push('\n');
    if !about.is_empty() {
        text.push_str("\nDESCRIPTION:\n");
        wrap(&mut text, about, 3);
    }
    options(&mut text, &[command.options, &[HELP]].concat());
    text
}

fn options(text: &mut String, options: &[Opt]) {
    text.push_str("\nOPTIONS:\n");
    let width = options.iter().map(|option| heading(option).len()).max().unwrap_or_default();
    for option in options {
        let _ = write!(text, "   {:<width$}  ", heading(option));
        let mut help = String::new();
        wrap(&mut help, option.help, width + 5);
        text.push_str(help.trim_start());
    }
}

/// `--bundle DIR, -b DIR`.
fn heading(option: &Opt) -> String {
    let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
    let short = option.short.map(|letter| format!(", -{letter}{value}")).unwrap_or_default();
    format!("--{}{value}{short}", option.name)
}

/// Adds words, indented, in lines that are not too long.
fn wrap(text: &mut String, words: &str, indent: usize) {
    let mut column = WIDTH;
    for word in words.split(' ') {
        if column + 1 + word.len() > WIDTH {
            if text.ends_with(|c: char| c != '\n') && !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_none_is_lost() {
        let words = "word ".repeat(50);
        let mut text = String::new();
        wrap(&mut text, words.trim_end(), 7);
        assert!(text.lines().all(|line| line.len() <= WIDTH && line.starts_with("       word")), "{text}");
        assert_eq!(text.matches("word").count(), 50);
        assert!(text.ends_with("word\n"));
    }

    #[test]
    fn all_that_is_in_the_table_is_in_the_help() {
        for listed in COMMANDS {
            assert!(program().contains(&format!("\n   {} ", listed.name)), "{}", listed.name);
            let help = command(listed);
            for option in listed.options {
                assert!(help.contains(&format!("--{}", option.name)), "{} {}", listed.name, option.name);
            }
            assert!(help.lines().all(|line| line.len() <= WIDTH + 20), "{help}");
        }
    }
}
