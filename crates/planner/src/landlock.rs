//! Landlock: what the process takes from itself, as an annotation asks for it.

use crate::{Draft, Error};
use plan::landlock::{FS, Kind, NET, SCOPE};
use plan::{Landlock, Op};
use spec::LANDLOCK;
use std::path::{Component, PathBuf};

/// Whether the configuration asks for it.
pub(crate) fn is_wanted(draft: &Draft) -> bool {
    draft.config.annotations.contains_key(LANDLOCK)
}

/// Puts the rules in force, right before the filter: the filter need not allow it.
pub(crate) fn restrict(draft: &mut Draft) -> Result<(), Error> {
    let Some(text) = draft.config.annotations.get(LANDLOCK) else { return Ok(()) };
    let asked: spec::Landlock = spec::from_slice(text.as_bytes())
        .map_err(|error| refused("", error.to_string(), "docs/security.md, \"Landlock\", has the form"))?;
    let Some(rules) = rules(draft, &asked)? else { return Ok(()) };
    draft.init(Op::Restrict { rules }, field(""), "from here on not even root of the container may do more");
    Ok(())
}

fn rules(draft: &mut Draft, asked: &spec::Landlock) -> Result<Option<Landlock>, Error> {
    let named = |kind: &Kind, names: &[&str]| kind.bits(|right| names.contains(&right.name));
    let scopes = scopes(asked)?;
    let ports = [("bind_tcp", &asked.bind), ("connect_tcp", &asked.connect)];
    let of_ports: Vec<_> = ports.iter().filter(|(_, list)| list.is_some()).map(|(name, _)| *name).collect();
    let mut rules = Landlock {
        fs: if asked.paths.is_some() { FS.known(u32::MAX) } else { 0 },
        net: named(&NET, &of_ports),
        scopes,
        ..Landlock::default()
    };
    if rules == Landlock::default() {
        return Err(refused("", "it takes nothing away".to_owned(), "name paths, bind, connect or scopes"));
    }
    for (index, rule) in asked.paths.iter().flatten().enumerate() {
        rules.paths.push(path(index, rule)?);
    }
    for (name, list) in ports {
        rules.ports.extend(list.iter().flatten().map(|port| (*port, named(&NET, &[name]))));
    }
    fit(draft, asked.best_effort, rules)
}

/// The rules without what this kernel cannot do, if that is allowed.
fn fit(draft: &mut Draft, best_effort: bool, mut rules: Landlock) -> Result<Option<Landlock>, Error> {
    let abi = draft.facts.landlock;
    let mut lacking = Vec::new();
    for (kind, bits) in [(FS, &mut rules.fs), (NET, &mut rules.net), (SCOPE, &mut rules.scopes)] {
        lacking.extend(kind.of(*bits & !kind.known(abi)).map(|right| right.name));
        *bits &= kind.known(abi);
    }
    if lacking.is_empty() {
        return Ok(Some(rules));
    }
    let message = match abi {
        0 => "Landlock is not on in this kernel".to_owned(),
        abi => format!("Landlock of this kernel (version {abi}) cannot deny {}", lacking.join(", ")),
    };
    if !best_effort {
        return Err(refused("", message, "set bestEffort to go on with what there is"));
    }
    draft.notes.push(message);
    rules.paths.iter_mut().for_each(|(_, bits)| *bits &= rules.fs);
    rules.ports.iter_mut().for_each(|(_, bits)| *bits &= rules.net);
    rules.paths.retain(|(_, bits)| *bits != 0);
    rules.ports.retain(|(_, bits)| *bits != 0);
    Ok((rules.fs | rules.net | rules.scopes != 0).then_some(rules))
}

fn path(index: usize, rule: &spec::PathRule) -> Result<(PathBuf, u64), Error> {
    let climbs = rule.path.components().any(|component| component == Component::ParentDir);
    if climbs || !rule.path.is_absolute() {
        let message = format!("{} is no path below the root", rule.path.display());
        return Err(refused(
            &format!("/paths/{index}/path"),
            message,
            "give an absolute path without \"..\"",
        ));
    }
    let mut bits = 0;
    for (number, name) in rule.access.iter().enumerate() {
        let of_name = access(name);
        if of_name == 0 {
            let names: Vec<_> = FS.rights.iter().map(|right| right.name).collect();
            let message = format!("there is no access {name:?}");
            let hint = format!("write read, write, execute, or one of {}", names.join(", "));
            return Err(refused(&format!("/paths/{index}/access/{number}"), message, hint));
        }
        bits |= of_name;
    }
    if bits == 0 {
        let message = "it allows nothing".to_owned();
        return Err(refused(
            &format!("/paths/{index}/access"),
            message,
            "name what is allowed, or drop the path",
        ));
    }
    Ok((spec::inside(&rule.path), bits))
}

/// A right, or a group of them.
fn access(name: &str) -> u64 {
    const READS: [&str; 2] = ["read_file", "read_dir"];
    match name {
        "read" => FS.bits(|right| READS.contains(&right.name)),
        "write" => FS.bits(|right| !READS.contains(&right.name) && right.name != "execute"),
        name => FS.bits(|right| right.name == name),
    }
}

fn scopes(asked: &spec::Landlock) -> Result<u64, Error> {
    let mut bits = 0;
    for (index, name) in asked.scopes.iter().enumerate() {
        let bit = SCOPE.bits(|right| right.name == name);
        if bit == 0 {
            let message = format!("there is no scope {name:?}");
            return Err(refused(
                &format!("/scopes/{index}"),
                message,
                "write abstract_unix_socket or signal",
            ));
        }
        bits |= bit;
    }
    Ok(bits)
}

fn field(inner: &str) -> String {
    format!("/annotations/{LANDLOCK}{inner}")
}

fn refused(inner: &str, message: String, hint: impl Into<String>) -> Error {
    Error::new(field(inner), message, hint)
}
