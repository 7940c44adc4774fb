use super::*;
use crate::names::Call;
use std::fmt::Write;

/// The page with the table, and the heading over it.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/seccomp.md");
const HEADING: &str = "### What is in it\n";

#[test]
fn every_name_is_a_call_somewhere_and_every_capability_exists() {
    for group in groups() {
        for name in group.names() {
            assert!(Call::named(name).is_some(), "{name}");
        }
        if let When::With(name) | When::Without(name) = group.when {
            assert!(name.parse::<Capability>().is_ok(), "{name}");
        }
    }
}

#[test]
fn every_call_is_in_one_group_or_only_in_groups_with_a_condition() {
    for call in Call::all() {
        let of = |groups: &'static [Group]| {
            let names = groups.iter().flat_map(Group::names);
            names.filter(|name| *name == call.name()).count()
        };
        let (always, sometimes, never) = (of(always::GROUPS), of(by_capability::GROUPS), of(never::GROUPS));
        assert_eq!(always + sometimes.min(1) + never, 1, "{call:?}: {always} {sometimes} {never}");
    }
}

#[test]
fn a_file_of_groups_has_what_its_name_says() {
    assert!(always::GROUPS.iter().all(|group| matches!(group.when, When::Always)));
    assert!(!always::GROUPS.iter().any(|group| matches!(group.effect, Effect::Refuse)));
    assert!(!by_capability::GROUPS.iter().any(|group| matches!(group.when, When::Always)));
    assert!(never::GROUPS.iter().all(|group| matches!(group.effect, Effect::Refuse)));
}

#[test]
fn a_32_bit_program_in_the_image_may_run() {
    let of = |arch| default_profile(CapabilitySet::EMPTY, arch).architectures;
    assert_eq!(of(Arch::X86_64), ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
    assert_eq!(of(Arch::Aarch64), ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
}

/// `UPDATE_DOCS=1` writes the table into the page.
#[test]
fn the_page_shows_the_groups() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(HEADING).unwrap();
    let end = rest.find("\n#").map_or(rest.len(), |at| at + 1);
    let (shown, after) = rest.split_at(end);
    let expect = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{before}{HEADING}{expect}{after}")).unwrap();
    } else {
        assert!(shown == expect, "docs/seccomp.md shows other groups; UPDATE_DOCS=1 writes these:\n{expect}");
    }
}

fn table() -> String {
    let mut table = "\n| calls | allowed | why |\n|---|---|---|\n".to_owned();
    for group in groups() {
        let names: Vec<_> = group.names().map(|name| format!("`{name}`")).collect();
        writeln!(table, "| {} | {} | {} |", names.join(", "), allowed(group), group.why).unwrap();
    }
    table.push('\n');
    table
}

fn allowed(group: &Group) -> String {
    let when = match group.when {
        When::Always => "always".to_owned(),
        When::With(capability) => format!("with {capability}"),
        When::Without(capability) => format!("without {capability}"),
    };
    match group.effect {
        Effect::Allow => when,
        Effect::AllowIf(_) => format!("{when}, by the first argument"),
        Effect::Errno(errno) => format!("errno {errno} {when}"),
        Effect::Refuse => "never".to_owned(),
    }
}
