//! What the crates of others may ask of who uses cuddy, and that each is there once.
//!
//! What cargo-deny does for licences and duplicates, from what `cargo metadata` says, so that no other program is needed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::workspace;

/// Licences that go with Apache-2.0 and ask for no more than to be named.
const ALLOWED: [&str; 8] =
    ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unicode-3.0", "Unlicense", "Zlib"];

/// Crates that are there in more than one version, with the reason.
const TWICE: [(&str, &str); 2] = [
    ("getrandom", "ring has not come to the version that the others use"),
    ("windows-sys", "for machines that cuddy is not built for"),
];

/// Checks all crates that any program or test of the workspace is made of.
pub fn check(findings: &mut Findings) -> Result<()> {
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
        if !is_allowed(licence) {
            findings
                .errors
                .push(format!("{name}: its licence is {licence}; allowed: {}", ALLOWED.join(", ")));
        }
    }
    for (name, count) in versions {
        match (count > 1, TWICE.iter().any(|(twice, _)| *twice == name)) {
            (true, false) => findings.errors.push(format!("{name}: {count} versions of it are linked")),
            (false, true) => findings.errors.push(format!("{name}: is there once now; take it off the list")),
            _ => {}
        }
    }
    Ok(())
}

/// Whether an expression of SPDX leaves a choice that is allowed: `MIT OR Apache-2.0`, `(MIT OR X) AND ISC`. A slash is an
/// old way to write OR.
fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| {
        part.split(" OR ").any(|name| {
            let name = name.split(" WITH ").next().unwrap_or_default().trim();
            ALLOWED.contains(&name)
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
            assert_eq!(is_allowed(expression), expect, "{expression}");
        }
    }
}
