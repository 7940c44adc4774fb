//! What is made of the table of commands and options (`crates/usage`): manual pages and completions of shells.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

mod bash;
mod fish;
mod man;
mod zsh;

/// A file, by its name, and what is in it.
type Page = (String, String);

/// `cargo xtask man DIR`: cuddy-oci(8), and a page for each command.
pub fn man(mut args: lexopt::Parser) -> Result<()> {
    write(&directory(&mut args)?, &man::pages())
}

/// `cargo xtask completions DIR`: a file for each shell, by the name that the shell looks for.
pub fn completions(mut args: lexopt::Parser) -> Result<()> {
    let files = [
        (usage::PROGRAM.to_owned(), bash::script()),
        (format!("_{}", usage::PROGRAM), zsh::script()),
        (format!("{}.fish", usage::PROGRAM), fish::script()),
    ];
    write(&directory(&mut args)?, &files)
}

fn directory(args: &mut lexopt::Parser) -> Result<PathBuf> {
    Ok(args.value().context("which directory are they written to?")?.into())
}

fn write(directory: &Path, pages: &[Page]) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    for (name, text) in pages {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// What a shell offers for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    /// These words.
    Words(&'static [&'static str]),
    /// Names of directories.
    Directories,
    /// Names of files.
    Files,
    /// Nothing: it is to be typed.
    Nothing,
}

impl Offer {
    /// `None` for a switch, which has no value.
    fn of(option: &usage::Opt) -> Option<Offer> {
        Some(match option.value? {
            _ if !option.choices.is_empty() => Offer::Words(option.choices),
            "DIR" => Offer::Directories,
            "FILE" | "SOCKET" => Offer::Files,
            _ => Offer::Nothing,
        })
    }
}

/// A command's options, with the one that every command has.
fn options_of(command: &usage::Command) -> Vec<usage::Opt> {
    [command.options, &[usage::HELP]].concat()
}

/// Whether a command is about a container that exists, whose name can be offered.
fn takes_container(command: &usage::Command) -> bool {
    command.operands.starts_with("ID") && !matches!(command.name, "create" | "run" | "restore")
}

#[cfg(test)]
mod tests;
