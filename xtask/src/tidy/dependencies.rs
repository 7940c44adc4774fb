//! Who may depend on whom.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Findings;
use crate::workspace;

/// Crates that may not name others. A crate can name only what it depends on directly, so that this is what it cannot see.
const BLIND: [(&str, &[&str], &str); 7] = [
    ("plan", IMPURE, "a plan is data"),
    ("spec", IMPURE, "the configuration is data"),
    ("seccomp", IMPURE, "a filter is compiled without the machine"),
    ("usage", IMPURE, "the command line is described as data"),
    ("planner", IMPURE, "planning is a pure function"),
    ("executor", &["spec", "planner", "seccomp"], "the plan is the only source of truth at run time"),
    ("sys", &["plan", "spec", "host", "cgroup", "planner", "executor"], "sys is the bottom"),
];

/// What touches the machine.
const IMPURE: &[&str] =
    &["sys", "host", "executor", "runtime", "engine", "image", "network", "rustix", "libc", "tempfile"];

/// Crates for tests only.
const TEST_ONLY: [&str; 2] = ["probe", "testbed"];

/// All that `cuddy-oci` may be made of, apart from the crates of this workspace.
const LEAN: [&str; 23] = [
    "bitflags",
    "errno",
    "itoa",
    "lexopt",
    "libc",
    "linux-raw-sys",
    "memchr",
    "once_cell",
    "proc-macro2",
    "quote",
    "rustix",
    "ryu",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "syn",
    "syscalls",
    "thiserror",
    "thiserror-impl",
    "unicode-ident",
    "zmij",
    "static_assertions",
];

/// Checks the manifests and what `cuddy-oci` is linked from.
pub fn check(findings: &mut Findings) -> Result<()> {
    let packages = packages()?;
    for package in &packages {
        findings.errors.extend(breaches(package));
    }
    let members: BTreeSet<_> = packages.iter().map(|package| package.name.as_str()).collect();
    for name in linked_into("cuddy-oci")? {
        if !LEAN.contains(&name.as_str()) && !members.contains(name.as_str()) {
            findings
                .errors
                .push(format!("cuddy-oci: links {name}, which is not on its list of dependencies"));
        }
    }
    Ok(())
}

/// A package of this workspace, and what it depends on when it is not tested.
struct Package {
    name: String,
    dependencies: BTreeSet<String>,
}

fn packages() -> Result<Vec<Package>> {
    let text =
        workspace::output(workspace::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let package = |package: &Value| {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let dependencies = dependencies.filter(|dependency| dependency["kind"] != "dev").map(name).collect();
        Package { name: name(package), dependencies }
    };
    Ok(packages.iter().map(package).collect())
}

fn breaches(package: &Package) -> Vec<String> {
    let mut breaches = Vec::new();
    let name = &package.name;
    for (_, others, why) in BLIND.iter().filter(|(blind, ..)| blind == name) {
        let seen = others.iter().filter(|other| package.dependencies.contains(**other));
        breaches.extend(seen.map(|other| format!("{name}: depends on {other}; {why}")));
    }
    if name != "xtask" && !TEST_ONLY.contains(&name.as_str()) {
        let seen = TEST_ONLY.iter().filter(|other| package.dependencies.contains(**other));
        breaches.extend(seen.map(|other| format!("{name}: depends on {other}, which is for tests")));
    }
    breaches
}

/// The crates that a package is linked from or that its macros are made with, as this machine builds it.
fn linked_into(package: &str) -> Result<BTreeSet<String>> {
    let mut tree = workspace::cargo();
    tree.args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let lines = workspace::output(&mut tree)?;
    Ok(lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_sees_only_what_it_may() {
        let cases: [(&str, &[&str], &[&str]); 5] = [
            ("planner", &["spec", "plan", "seccomp"], &[]),
            ("planner", &["sys"], &["planner: depends on sys; planning is a pure function"]),
            (
                "executor",
                &["plan", "spec"],
                &["executor: depends on spec; the plan is the only source of truth at run time"],
            ),
            ("engine", &["testbed"], &["engine: depends on testbed, which is for tests"]),
            ("xtask", &["testbed"], &[]),
        ];
        for (name, dependencies, expect) in cases {
            let dependencies = dependencies.iter().map(|name| name.to_string()).collect();
            assert_eq!(breaches(&Package { name: name.to_owned(), dependencies }), expect);
        }
    }
}
