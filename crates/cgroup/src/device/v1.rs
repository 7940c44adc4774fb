//! Device rules as lines for the devices controller of cgroup v1.
//!
//! The controller holds one answer for all devices and a list of exceptions from it, not an ordered list of rules
//! (`admin-guide/cgroup-v1/devices.rst`). An exception can be taken back only as a whole. So the rules are applied
//! here, to a model of that state, and what is written is the end of it.

use super::{Access, Kind, Rule};
use crate::Error;

/// A line for one of the two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `devices.allow` or `devices.deny`.
    pub file: &'static str,
    /// The line.
    pub text: String,
    /// The rule that it comes from; `None`: where every container starts.
    pub rule: Option<Rule>,
}

/// The answer for all devices, and the exceptions from it: rules for one kind that say the opposite.
struct State {
    allow: bool,
    exceptions: Vec<Rule>,
}

/// The lines that bring a new group, which allows what its parent allows, to what the rules say.
///
/// # Errors
/// A rule excepts some devices from what a wider rule before it said, which the controller cannot hold.
pub fn lines(rules: &[Rule]) -> Result<Vec<Line>, Error> {
    let mut state = State { allow: false, exceptions: Vec::new() };
    for rule in rules {
        state.apply(rule)?;
    }
    let file = if state.allow { "devices.deny" } else { "devices.allow" };
    let nothing = Line { file: "devices.deny", text: "a".to_owned(), rule: None };
    let start = (!state.allow).then_some(nothing);
    let exceptions = state.exceptions.iter().map(|rule| {
        let rule = state.widened(rule);
        Line { file, text: rule.to_string(), rule: Some(rule) }
    });
    Ok(start.into_iter().chain(exceptions).collect())
}

/// How a group gets from what its `devices.list` says to what the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Whether in between the group allows what neither the old nor the new rules do, or denies what both allow. It has to
    /// stand still for as long.
    pub has_gap: bool,
}

/// The lines that bring a group with this `devices.list` to what the rules say.
///
/// Between two lists of what is allowed, what is new is added before what is old is taken away: what both have is allowed
/// throughout. A group that allows all by default does not list its exceptions (`devcgroup_seq_show` in
/// `security/device_cgroup.c`), so there, and between the two kinds, it starts anew.
///
/// # Errors
/// As [`lines()`].
pub fn changes(list: &str, rules: &[Rule]) -> Result<Change, Error> {
    let lines = lines(rules)?;
    let allows_all = list.lines().any(|line| line.starts_with('a'));
    let wanted = lines.iter().filter_map(|line| line.rule.as_ref());
    let wants_all = lines.first().is_none_or(|line| line.rule.is_some());
    if allows_all || wants_all {
        let start = Line { file: "devices.allow", text: "a".to_owned(), rule: None };
        let lines = start_anew(wants_all, start, lines);
        return Ok(Change { lines, has_gap: true });
    }
    let old: Vec<Rule> = list.lines().filter_map(listed).collect();
    let mut changed = Vec::new();
    for rule in wanted.clone() {
        let has = access_of(rule, old.iter());
        changed.extend(line("devices.allow", rule, rule.access.0 & !has));
    }
    for rule in &old {
        let keeps = access_of(rule, wanted.clone());
        changed.extend(line("devices.deny", rule, rule.access.0 & !keeps));
    }
    Ok(Change { lines: changed, has_gap: false })
}

fn start_anew(wants_all: bool, start: Line, lines: Vec<Line>) -> Vec<Line> {
    if wants_all { std::iter::once(start).chain(lines).collect() } else { lines }
}

fn line(file: &'static str, rule: &Rule, access: u8) -> Option<Line> {
    let rule = Rule { access: Access(access), ..rule.clone() };
    (access != 0).then(|| Line { file, text: rule.to_string(), rule: Some(rule) })
}

/// What those of the rules that are for just the same devices give together.
fn access_of<'a>(rule: &Rule, others: impl Iterator<Item = &'a Rule>) -> u8 {
    others
        .filter(|other| covers(other, rule) && covers(rule, other))
        .fold(0, |all, other| all | other.access.0)
}

/// The rules that a `devices.list` says; `None` where it allows all by default, and does not tell its exceptions.
pub fn listed_rules(list: &str) -> Option<Vec<Rule>> {
    list.lines().map(listed).collect()
}

/// A line of `devices.list`: `c 1:3 rwm`.
fn listed(line: &str) -> Option<Rule> {
    let mut words = line.split([' ', ':']);
    let kind = match words.next()? {
        "b" => Kind::Block,
        "c" => Kind::Char,
        _ => return None,
    };
    let mut number = || match words.next()? {
        "*" => Some(None),
        number => number.parse().ok().map(Some),
    };
    let (major, minor) = (number()?, number()?);
    let access = Access::parse(words.next()?)?;
    Some(Rule { allow: true, kind, major, minor, access, index: None })
}

impl State {
    fn apply(&mut self, rule: &Rule) -> Result<(), Error> {
        if rule.is_everything() {
            *self = Self { allow: rule.allow, exceptions: Vec::new() };
            return Ok(());
        }
        let kinds = match rule.kind {
            Kind::All => &[Kind::Char, Kind::Block][..],
            Kind::Char => &[Kind::Char],
            Kind::Block => &[Kind::Block],
        };
        for &kind in kinds {
            let rule = Rule { kind, ..rule.clone() };
            if rule.allow == self.allow { self.take_back(&rule)? } else { self.except(rule) }
        }
        Ok(())
    }

    fn except(&mut self, rule: Rule) {
        match self.exceptions.iter_mut().find(|old| covers(old, &rule) && covers(&rule, old)) {
            Some(same) => same.access.0 |= rule.access.0,
            None => self.exceptions.push(rule),
        }
    }

    fn take_back(&mut self, rule: &Rule) -> Result<(), Error> {
        for old in self.exceptions.iter_mut().filter(|old| old.access.0 & rule.access.0 != 0) {
            if covers(rule, old) {
                old.access.0 &= !rule.access.0;
            } else if overlaps(rule, old) {
                let (rule_text, wider) = (rule.to_string(), old.to_string());
                return Err(Error::DeviceOverlap { pointer: rule.pointer(), rule: rule_text, wider });
            }
        }
        self.exceptions.retain(|old| old.access.0 != 0);
        Ok(())
    }

    /// An exception with the reading and writing that wider ones allow, too: the controller lets an open for both
    /// through only if one exception has both.
    fn widened(&self, rule: &Rule) -> Rule {
        let wider = self.exceptions.iter().filter(|other| covers(other, rule));
        let access = wider.fold(0, |access, other| access | other.access.0);
        let open = Access::READ.0 | Access::WRITE.0;
        let open = if rule.access.0 & open != 0 { access & open } else { 0 };
        Rule { access: Access(rule.access.0 | open), ..rule.clone() }
    }
}

/// Whether every device of `inner` is one of `outer`. Both are for one kind.
fn covers(outer: &Rule, inner: &Rule) -> bool {
    let number = |outer: Option<u32>, inner| outer.is_none() || outer == inner;
    outer.kind == inner.kind && number(outer.major, inner.major) && number(outer.minor, inner.minor)
}

/// Whether a device can be one of both. Both are for one kind.
fn overlaps(a: &Rule, b: &Rule) -> bool {
    let number = |a: Option<u32>, b: Option<u32>| a.is_none() || b.is_none() || a == b;
    a.kind == b.kind && number(a.major, b.major) && number(a.minor, b.minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        let (allow, text) = text.split_at(1);
        let words: Vec<_> = text.split([' ', ':']).collect();
        let number = |word: &str| if word == "*" { None } else { Some(word.parse().unwrap()) };
        let bit = |letter, bit: Access| if words[3].contains(letter) { bit.0 } else { 0 };
        Rule {
            allow: allow == "+",
            kind: match words[0] {
                "a" => Kind::All,
                "b" => Kind::Block,
                _ => Kind::Char,
            },
            major: number(words[1]),
            minor: number(words[2]),
            access: Access(bit('r', Access::READ) | bit('w', Access::WRITE) | bit('m', Access::MKNOD)),
            index: Some(0),
        }
    }

    #[test]
    fn the_end_of_the_rules_is_written_not_the_way_there() {
        for (rules, expect) in [
            (&[][..], &["-a"][..]),
            (&["+c 1:3 rwm"], &["-a", "+c 1:3 rwm"]),
            (&["+c 1:3 r", "+c 1:3 w"], &["-a", "+c 1:3 rw"]),
            (&["+c 1:3 rwm", "-c 1:3 w"], &["-a", "+c 1:3 rm"]),
            (&["+c 1:3 rwm", "-c 1:* rwm"], &["-a"]),
            (&["+c *:* m", "-a *:* rwm", "+b 8:0 r"], &["-a", "+b 8:0 r"]),
            (&["+a 7:* rw"], &["-a", "+c 7:* rw", "+b 7:* rw"]),
            (&["+a *:* rwm"], &[]),
            (&["+c 1:3 rwm", "+a *:* rwm", "-b 8:* w"], &["-b 8:* w"]),
            (&["+c 1:* r", "+c 1:3 w"], &["-a", "+c 1:* r", "+c 1:3 rw"]),
            (&["+c *:* m", "+c 1:3 r"], &["-a", "+c *:* m", "+c 1:3 r"]),
        ] {
            let rules: Vec<_> = rules.iter().map(|text| rule(text)).collect();
            let lines: Vec<_> = lines(&rules)
                .unwrap()
                .into_iter()
                .map(|line| format!("{}{}", if line.file == "devices.allow" { '+' } else { '-' }, line.text))
                .collect();
            assert_eq!(lines, expect, "{rules:?}");
        }
    }

    #[test]
    fn from_list_to_list_what_is_new_comes_before_what_is_old_goes() {
        for (list, rules, has_gap, expect) in [
            ("", &["+c 1:3 rw"][..], false, &["+c 1:3 rw"][..]),
            ("c 1:3 rw", &["+c 1:3 rw"], false, &[]),
            ("c 1:3 rwm\nb 8:* r", &["+c 1:3 r", "+c 1:5 w"], false, &["+c 1:5 w", "-c 1:3 wm", "-b 8:* r"]),
            ("c 1:3 r", &["+c 1:3 rw"], false, &["+c 1:3 w"]),
            ("a *:* rwm", &["+c 1:3 r"], true, &["-a", "+c 1:3 r"]),
            ("c 1:3 r", &["+a *:* rwm", "-c 1:5 w"], true, &["+a", "-c 1:5 w"]),
            ("a *:* rwm", &["+a *:* rwm"], true, &["+a"]),
        ] {
            let rules: Vec<_> = rules.iter().map(|text| rule(text)).collect();
            let change = changes(list, &rules).unwrap();
            let sign = |line: &Line| if line.file == "devices.allow" { '+' } else { '-' };
            let lines: Vec<_> =
                change.lines.iter().map(|line| format!("{}{}", sign(line), line.text)).collect();
            assert_eq!(
                (lines.iter().map(String::as_str).collect::<Vec<_>>(), change.has_gap),
                (expect.to_vec(), has_gap),
                "{list:?} {rules:?}"
            );
        }
    }

    #[test]
    fn a_hole_in_a_wider_rule_is_refused() {
        for rules in [
            &["+c *:* m", "-c 1:3 m"][..],
            &["+c 1:* r", "-c *:3 r"],
            &["+a *:* rwm", "-b 8:* w", "+b 8:1 w"],
        ] {
            let rules: Vec<_> = rules.iter().map(|text| rule(text)).collect();
            assert!(matches!(lines(&rules), Err(Error::DeviceOverlap { .. })), "{rules:?}");
        }
    }
}
