//! Completion in fish (complete(1) of fish).

use std::fmt::Write;

use super::{Offer, options_of, takes_container};

/// What is sourced.
pub fn script() -> String {
    let program = usage::PROGRAM;
    let names: Vec<_> = usage::COMMANDS.iter().map(|command| command.name).collect();
    let mut text = format!(
        "# Completion of {program} in fish. Made by `cargo xtask completions`.\n\n\
         set -l commands {}\ncomplete -c {program} -f\n",
        names.join(" ")
    );
    for option in usage::GLOBAL {
        line(&mut text, "not __fish_seen_subcommand_from $commands", option);
    }
    for command in usage::COMMANDS {
        let _ = writeln!(
            text,
            "complete -c {program} -n \"not __fish_seen_subcommand_from $commands\" -a {} -d {}",
            command.name,
            quoted(command.summary)
        );
        let condition = format!("__fish_seen_subcommand_from {}", command.name);
        for option in options_of(command) {
            line(&mut text, &condition, &option);
        }
        if takes_container(command) {
            let _ = writeln!(
                text,
                "complete -c {program} -n \"{condition}\" -a \"({program} list --quiet 2>/dev/null)\""
            );
        }
    }
    text
}

fn line(text: &mut String, condition: &str, option: &usage::Opt) {
    let _ = write!(text, "complete -c {} -n \"{condition}\" -l {}", usage::PROGRAM, option.name);
    if let Some(letter) = option.short {
        let _ = write!(text, " -s {letter}");
    }
    text.push_str(&match Offer::of(option) {
        None => String::new(),
        Some(Offer::Words(words)) => format!(" -x -a {}", quoted(&words.join(" "))),
        Some(Offer::Directories) => " -x -a \"(__fish_complete_directories)\"".to_owned(),
        Some(Offer::Files) => " -r -F".to_owned(),
        Some(Offer::Nothing) => " -x".to_owned(),
    });
    let _ = writeln!(text, " -d {}", quoted(option.help));
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
