//! What may be written where.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Findings;
use crate::workspace;

/// Crates whose sources may not touch the machine.
const PURE: [&str; 5] = ["plan", "planner", "seccomp", "spec", "usage"];

/// Modules of the standard library that do, and the types of `std::net` that are more than an address.
const IMPURE: [&str; 12] = [
    "std::env",
    "std::fs",
    "std::os::fd",
    "std::os::unix::fs",
    "std::os::unix::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
];

/// A file is read in one sitting.
const LINES: usize = 700;

/// Checks all files that git knows.
pub fn check(findings: &mut Findings) -> Result<()> {
    let secrets = machine_paths();
    let listed = workspace::output(Command::new("git").arg("ls-files").current_dir(workspace::root()))?;
    for name in listed.lines() {
        // Not text, or removed and not yet committed: nothing to read.
        let Ok(text) = fs::read_to_string(workspace::root().join(name)) else { continue };
        for path in secrets.iter().filter(|path| text.contains(path.as_str())) {
            findings.errors.push(format!("{name}: has a path of this machine in it, {path}"));
        }
        if name.ends_with(".rs") {
            check_rust(name, &text, findings);
        }
        if name.ends_with("Cargo.lock") {
            findings.errors.extend(foreign_sources(name, &text));
        }
        if name.ends_with("/Cargo.toml")
            && !text.contains("[lints]\nworkspace = true")
            && krate(name) != "sys"
        {
            findings.errors.push(format!("{name}: does not take the lints of the workspace"));
        }
    }
    Ok(())
}

fn check_rust(name: &str, text: &str, findings: &mut Findings) {
    let lines = text.lines().count();
    if lines >= LINES {
        findings.warnings.push(format!("{name}: {lines} lines"));
    }
    if krate(name) != "sys" {
        let lines = code(text).filter(|(_, line)| is_unsafe(line));
        findings.errors.extend(lines.map(|(number, _)| format!("{name}:{number}: unsafe outside of sys")));
    }
    if PURE.contains(&krate(name)) && name.contains("/src/") && !is_test(name) {
        let production = text.split("#[cfg(test)]").next().unwrap_or_default();
        for module in IMPURE.iter().filter(|module| uses(production, module)) {
            findings.errors.push(format!("{name}: uses {module}; {} touches nothing", krate(name)));
        }
    }
}

/// The directory below `crates`, which is also how the design names the crate.
fn krate(name: &str) -> &str {
    name.strip_prefix("crates/").and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

/// A module of tests in a file of its own.
fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

/// Lines with their numbers, without those that are comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_start()));
    lines.filter(|(_, line)| !line.starts_with("//"))
}

/// The keyword, and not the word in a text or in the name of a lint.
fn is_unsafe(line: &str) -> bool {
    const NEXT: [&str; 5] = ["{", "fn ", "impl ", "extern ", "trait "];
    line.split("unsafe ").skip(1).any(|rest| NEXT.iter().any(|next| rest.starts_with(next)))
}

/// Whether a path such as `std::fs` is used, also as `use std::{fs, io}` or `use std::os::{fd::OwnedFd}`.
fn uses(text: &str, path: &str) -> bool {
    let (parent, name) = path.rsplit_once("::").unwrap_or(("", path));
    let lines: Vec<_> = code(text).map(|(_, line)| line).collect();
    let text = lines.join(" ");
    let whole = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    let direct = text.match_indices(path).any(|(at, _)| whole(&text[at + path.len()..]));
    let group = format!("{parent}::{{");
    direct
        || text.match_indices(&group).any(|(at, _)| {
            let list = text[at + group.len()..].split(';').next().unwrap_or_default();
            list.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .any(|item| item == name || item.starts_with(&format!("{name}::")))
        })
}

/// Dependencies come from one registry and from nowhere else.
fn foreign_sources(name: &str, lock: &str) -> Vec<String> {
    let sources = || lock.lines().filter(|line| line.starts_with("source = "));
    let registry = sources().find(|line| line.starts_with("source = \"registry+"));
    let foreign = sources().filter(|line| Some(*line) != registry);
    foreign.map(|line| format!("{name}: {line} is not where the others come from")).collect()
}

/// Paths that nobody else has: where this tree lies, and where this user's tools are.
fn machine_paths() -> Vec<String> {
    let tools =
        ["CARGO_HOME", "RUSTUP_HOME", "CARGO_TARGET_DIR"].map(|name| env::var(name).unwrap_or_default());
    let home = env::var("HOME").unwrap_or_default();
    let mut paths = vec![workspace::root().display().to_string()];
    paths.extend(tools);
    paths.extend([".cargo", ".rustup"].map(|dir| Path::new(&home).join(dir).display().to_string()));
    // Shorter ones, such as `/src`, may stand for something else.
    paths.retain(|path| path.starts_with('/') && path.matches('/').count() > 1);
    paths.sort();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_found_however_it_is_written() {
        let cases = [
            ("use std::fs;", true),
            ("use std::fs::File;", true),
            ("let file = std::fs::File::open(path);", true),
            ("use std::{fmt, fs};", true),
            ("use std::{\n    fmt,\n    fs::File,\n};", true),
            ("use std::{fmt, io};", false),
            ("use std::fsx;", false),
            ("// std::fs would read it", false),
            ("use plan::fs;", false),
        ];
        for (text, expect) in cases {
            assert_eq!(uses(text, "std::fs"), expect, "{text}");
        }
    }

    #[test]
    fn unsafe_is_a_keyword_only_before_what_it_marks() {
        let word = "unsafe";
        let cases = [
            (format!("{word} {{ call() }}"), true),
            (format!("pub {word} fn call()"), true),
            (format!("{word}_code = \"forbid\""), false),
            (format!("it is {word} to do so"), false),
        ];
        for (line, expect) in cases {
            assert_eq!(is_unsafe(&line), expect, "{line}");
        }
    }

    #[test]
    fn dependencies_from_elsewhere_are_found() {
        let lock = "source = \"registry+https://example.org/index\"\n\
                    source = \"registry+https://example.org/index\"\n\
                    source = \"registry+https://example.org/other\"\n\
                    source = \"git+https://example.org/x\"\n";
        assert_eq!(foreign_sources("Cargo.lock", lock).len(), 2);
    }
}
