//! What the crates of others may ask of who uses cuddy, and that each is there once.
//!
//! What cargo-deny does for licences and duplicates, from its `deny.toml` and what `cargo metadata` says, so that no other
//! program is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::workspace;

/// The lists, as cargo-deny has them.
struct Lists {
    /// Licences (`licenses.allow`).
    allowed: Vec<String>,
    /// Crates that are there in more than one version (`bans.skip`).
    twice: Vec<String>,
}

impl Lists {
    /// Reads the two lists of strings in `deny.toml`; an entry may be a table that has the string as its `crate`.
    fn read(toml: &str) -> Result<Self> {
        let list = |name: &str| {
            let (_, rest) =
                toml.split_once(&format!("\n{name} = [\n")).context(format!("deny.toml: no {name}"))?;
            let (entries, _) = rest.split_once("\n]").context(format!("deny.toml: {name} does not end"))?;
            let entry = |line: &str| line.split('"').nth(1).map(str::to_owned);
            entries
                .lines()
                .map(|line| entry(line).context(format!("deny.toml: {line}")))
                .collect::<Result<Vec<_>>>()
        };
        Ok(Self { allowed: list("allow")?, twice: list("skip")? })
    }
}

/// Checks all crates that any program or test of the workspace is made of.
pub fn check(findings: &mut Findings) -> Result<()> {
    let Lists { allowed, twice } = Lists::read(&fs::read_to_string(workspace::root().join("deny.toml"))?)?;
    let text = workspace::output(workspace::cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let nodes = metadata["resolve"]["nodes"].as_array().context("cargo metadata resolves nothing")?;
    let used: BTreeSet<_> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let foreign = |package: &&Value| {
        !package["source"].is_null() && package["id"].as_str().is_some_and(|id| used.contains(id))
    };
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages.iter().filter(foreign) {
        let name = package["name"].as_str().unwrap_or_default();
        *versions.entry(name).or_default() += 1;
        let licence = package["license"].as_str().unwrap_or("no licence");
        if !is_allowed(licence, &allowed) {
            findings
                .errors
                .push(format!("{name}: its licence is {licence}; allowed: {}", allowed.join(", ")));
        }
    }
    for (name, count) in versions {
        match (count > 1, twice.iter().any(|twice| twice == name)) {
            (true, false) => findings.errors.push(format!("{name}: {count} versions of it are linked")),
            (false, true) => findings.errors.push(format!("{name}: is there once now; take it off the list")),
            _ => {}
        }
    }
    Ok(())
}

/// Whether an expression of SPDX leaves a choice that is allowed: `MIT OR Apache-2.0`, `(MIT OR X) AND ISC`. A slash is an
/// old way to write OR.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| {
        part.split(" OR ").any(|name| {
            let name = name.split(" WITH ").next().unwrap_or_default().trim();
            allowed.iter().any(|allowed| allowed == name)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_needs_one_choice_of_each_part() {
        let cases = [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT", true),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("MIT AND LGPL-2.1-or-later", false),
            ("no licence", false),
        ];
        for (expression, expect) in cases {
            let allowed = ["Apache-2.0", "ISC", "MIT", "Unicode-3.0"].map(str::to_owned);
            assert_eq!(is_allowed(expression, &allowed), expect, "{expression}");
        }
    }

    #[test]
    fn lists_are_those_of_cargo_deny() {
        let toml = "[licenses]\nallow = [\n    \"ISC\",\n    \"MIT\",\n]\n[bans]\n\
                    skip = [\n    { crate = \"ring\", reason = \"of \\\"it\\\"\" },\n]\n";
        let lists = Lists::read(toml).unwrap();
        assert_eq!((lists.allowed, lists.twice), (vec!["ISC".into(), "MIT".into()], vec!["ring".into()]));
        assert!(Lists::read("[licenses]\n").is_err() && Lists::read("\nallow = [\n\"MIT\"").is_err());
    }
}
