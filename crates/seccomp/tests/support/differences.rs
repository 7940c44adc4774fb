//! What two filters decide differently, against what `docs/seccomp.md` says of it.

use seccomp::{Action, Arch, Filter};
use std::collections::BTreeMap;

/// The page, and the heading of its table.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/seccomp.md");
const HEADING: &str = "### Compared with others";

/// What the filters say of a call: of ours and of the other, each in the words of the page.
type Words = (String, String);

/// Every difference from `theirs` on these architectures is in the page's table under `name`, and what the table says of `ours`
/// is so.
///
/// # Errors
/// Rows that are missing, in the form that they would have, and rows that are not so any more.
pub fn check(name: &str, ours: &Filter, theirs: &Filter, architectures: &[Arch]) -> Result<(), String> {
    let (found, named) = (differences(ours, theirs, architectures), named(name)?);
    let mut missing: BTreeMap<&Words, Vec<String>> = BTreeMap::new();
    for (call, words) in &found {
        if named.get(call) != Some(words) {
            missing.entry(words).or_default().push(format!("`{call}`"));
        }
    }
    let row = |((here, there), calls): (&Words, Vec<String>)| {
        format!("| {name} | {} | {here} | {there} | ? |", calls.join(", "))
    };
    let mut wrong: Vec<_> = missing.into_iter().map(row).collect();
    for (call, (here, there)) in &named {
        let now = decided(ours, call, architectures);
        let is_so = now.is_empty() || found.contains_key(call) || in_words(&now, &now) == *here;
        if !is_so || !seccomp::is_call(call) {
            wrong.push(format!("{call} is not as the page has it: {here} here, {there} there"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("docs/seccomp.md lacks:\n{}", wrong.join("\n"))) }
}

fn differences(ours: &Filter, theirs: &Filter, architectures: &[Arch]) -> BTreeMap<String, Words> {
    let mut found = BTreeMap::new();
    for name in calls(architectures) {
        let (us, them) = (decided(ours, name, architectures), decided(theirs, name, architectures));
        let differ = us.iter().zip(&them).filter(|(us, them)| us != them);
        let (us_there, them_there): (Vec<_>, Vec<_>) = differ.map(|(u, t)| (u.clone(), t.clone())).unzip();
        if !us_there.is_empty() {
            found.insert(name.to_owned(), (in_words(&us_there, &us), in_words(&them_there, &them)));
        }
    }
    found
}

/// What one architecture decides, for each of [`arguments`].
type Decided = (Arch, Vec<Action>);

fn decided(filter: &Filter, call: &str, architectures: &[Arch]) -> Vec<Decided> {
    let on = |arch: &Arch| {
        let verdicts = arguments().map(|first| filter.verdict(*arch, call, [first, 0, 0, 0, 0, 0]));
        Some((*arch, verdicts.collect::<Option<Vec<_>>>()?))
    };
    architectures.iter().filter_map(on).collect()
}

/// `allowed`, `errno 1`, `by argument`; with the architectures where these are not all that have the call.
fn in_words(differ: &[Decided], all: &[Decided]) -> String {
    let word = |(_, verdicts): &Decided| match verdicts[0] {
        first if verdicts.iter().any(|verdict| *verdict != first) => "by argument".to_owned(),
        Action::Allow => "allowed".to_owned(),
        Action::Errno(errno) => format!("errno {errno}"),
        other => format!("{other:?}"),
    };
    let mut words: Vec<_> = differ.iter().map(word).collect();
    words.dedup();
    let on: Vec<_> = differ.iter().map(|(arch, _)| arch.to_string()).collect();
    let where_ = if differ.len() < all.len() { format!(" on {}", on.join(", ")) } else { String::new() };
    format!("{}{where_}", words.join(" and "))
}

/// Domains of sockets, personalities, flags of clone(2), and what lies beyond an `int`.
fn arguments() -> impl Iterator<Item = u64> {
    let bits = (6..64).map(|bit| 1 << bit);
    (0..64).chain(bits).chain([0x0002_0008, 0x7e02_0000, 0xffff_ffff, 1 << 32 | 38, u64::MAX])
}

fn calls(architectures: &[Arch]) -> Vec<&'static str> {
    let of = |arch: &Arch| {
        let arch = *arch;
        let base = arch.number("read").map_or(0, |number| number & 1 << 30);
        (0..1024).chain(0xf_0000..0xf_0010).filter_map(move |number| arch.call_name(base | number))
    };
    let mut names: Vec<_> = architectures.iter().flat_map(of).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The rows of the table: ``| Docker | `a`, `b` | allowed | errno 1 | why |``.
fn named(name: &str) -> Result<BTreeMap<String, Words>, String> {
    let text = std::fs::read_to_string(PAGE).map_err(|error| format!("{PAGE}: {error}"))?;
    let (_, section) = text.split_once(HEADING).ok_or("the section is gone")?;
    let section = section.split("\n#").next().unwrap_or_default();
    let mut named = BTreeMap::new();
    for row in section.lines() {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let ["", profile, calls, here, there, _, ""] = cells[..] else { continue };
        if profile == name {
            let calls = calls.split(", ").map(|call| call.trim_matches('`').to_owned());
            named.extend(calls.map(|call| (call, (here.to_owned(), there.to_owned()))));
        }
    }
    Ok(named)
}
