//! The default profile against the one that is installed: every difference is named in the documentation.

#[path = "../support/installed.rs"]
mod installed;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use seccomp::{Action, Arch, compile, default_profile};
use spec::CapabilitySet;

fn main() -> ExitCode {
    let missing = installed::profile().is_none();
    let name = match missing {
        true => format!("[needs {}] every_difference_is_named", installed::PATH),
        false => "every_difference_is_named".to_owned(),
    };
    let trial = Trial::test(name, every_difference_is_named).with_ignored_flag(missing);
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

fn every_difference_is_named() -> Result<(), Failed> {
    let theirs = compile(&installed::profile().ok_or("no profile")?, Arch::X86_64)?;
    let ours = compile(&default_profile(CapabilitySet::EMPTY, Arch::X86_64), Arch::X86_64)?;
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/seccomp.md");
    let text = std::fs::read_to_string(page)?;
    let section = text.split("### Compared with others").nth(1).ok_or("the section is gone")?;
    let section = section.split("\n### ").next().unwrap_or_default();
    let (allowed, denied) = section.split_once("\n- Denied here").ok_or("the lists are gone")?;
    let (_, podmans) = denied.split_once("With podman's").ok_or("the second comparison is gone")?;
    let (more, less) = podmans.split_once("\n- Denied here").ok_or("the lists are gone")?;
    let more = format!("{allowed}{more}");

    let mut unnamed = Vec::new();
    for name in (0..512).filter_map(|number| Arch::X86_64.call_name(number)) {
        let (us, them) =
            (ours.action(name) == Some(Action::Allow), theirs.action(name) == Some(Action::Allow));
        let named = |list: &str| list.contains(&format!("`{name}`"));
        if us && !them && !named(&more) {
            unnamed.push(format!("allowed here and not there: {name}"));
        }
        if them && !us && !named(less) {
            unnamed.push(format!("denied here and allowed there: {name}"));
        }
    }
    if unnamed.is_empty() { Ok(()) } else { Err(unnamed.join("\n").into()) }
}
