//! From rules to verdicts: what becomes of each system call number of one architecture.

use crate::condition::Condition;
use crate::multiplexed::Multiplexed;
use crate::names::Call;
use crate::rules::Rules;
use crate::{Action, Arch, action};

/// What becomes of one system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This, whatever the arguments.
    Always(Action),
    /// The action of the first clause that holds, and the default action where none does.
    First(Vec<Clause>),
}

/// An action, and the conditions that must all hold for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) action: Action,
}

/// The verdicts of one architecture.
#[derive(Debug)]
pub(crate) struct Verdicts {
    /// Numbers that rules name, ascending. Without the bit that marks x32.
    pub(crate) listed: Vec<(u32, Verdict)>,
    /// The highest number that the rules know.
    pub(crate) newest: Option<u32>,
    /// For numbers up to that one that are not listed.
    pub(crate) default: Action,
    /// For numbers above it that are not listed.
    pub(crate) unknown: Action,
}

/// Which rules speak of each call: the same on every architecture.
#[derive(Debug)]
pub(crate) struct Mentions {
    /// Places among the rules: those for the first call in the order of the rules, then those for the next.
    rules: Vec<u32>,
    /// Where those of each call begin, and at last where all end.
    starts: [u32; Call::COUNT + 1],
}

impl Mentions {
    /// Sorts by counting: a call has a place of its own already.
    pub(crate) fn of(rules: &Rules) -> Self {
        let all = || {
            let numbered = (0_u32..).zip(&rules.list);
            numbered.flat_map(|(index, rule)| rule.calls.iter().map(move |call| (call.index(), index)))
        };
        let mut starts = [0; Call::COUNT + 1];
        for (call, _) in all() {
            starts[call + 1] += 1;
        }
        for call in 0..Call::COUNT {
            starts[call + 1] += starts[call];
        }
        let mut sorted = vec![0; starts[Call::COUNT] as usize];
        let mut next = starts;
        for (call, rule) in all() {
            sorted[next[call] as usize] = rule;
            next[call] += 1;
        }
        Self { rules: sorted, starts }
    }

    fn speak_of(&self, call: &Call) -> &[u32] {
        &self.rules[self.starts[call.index()] as usize..self.starts[call.index() + 1] as usize]
    }
}

/// A rule that speaks of a number.
#[derive(Clone, Copy)]
struct Mention {
    /// Its place among the rules.
    rule: u32,
    /// The first argument must be this: the call goes through a multiplexer.
    selector: Option<u8>,
}

impl Verdicts {
    pub(crate) fn of(rules: &Rules, mentions: &Mentions, arch: Arch) -> Self {
        let multiplexed: Vec<_> =
            Call::all().filter_map(|call| Some((call.multiplexed(arch)?, call))).collect();
        let mut listed: Vec<(u32, Verdict)> = Vec::with_capacity(Call::COUNT);
        let mut calls = Call::by_number(arch).peekable();
        let mut speaking = Vec::new();
        while let Some((number, call)) = calls.next() {
            let own =
                |call| mentions.speak_of(call).iter().map(|rule| Mention { rule: *rule, selector: None });
            speaking.clear();
            speaking.extend(own(call));
            while let Some((_, alias)) = calls.next_if(|(next, _)| *next == number) {
                speaking.extend(own(alias));
            }
            for (Multiplexed { selector, .. }, call) in multiplexed.iter().filter(|(m, _)| m.number == number)
            {
                let through = mentions.speak_of(call).iter();
                speaking.extend(through.map(|rule| Mention { rule: *rule, selector: Some(*selector) }));
            }
            if !speaking.is_empty() {
                speaking.sort_by_key(|mention| mention.rule);
                listed.push((number, verdict(&speaking, rules, arch.wide())));
            }
        }
        let newest = listed.iter().map(|(number, _)| *number).rfind(|number| arch.in_sequence(*number));
        Self { listed, newest, default: rules.default, unknown: unknown(rules.default, newest) }
    }
}

/// A call newer than the profile gets ENOSYS, as on a kernel that does not have it, so that a C library
/// falls back to an older one; EPERM would make it give up. runc puts the same in front of
/// libseccomp's program. A default that lets calls pass has nothing to hide.
fn unknown(default: Action, newest: Option<u32>) -> Action {
    if newest.is_none() || default.lets_pass() { default } else { Action::Errno(action::ENOSYS) }
}

/// Rules for the same call combine as in libseccomp: one without conditions (the first such) outdoes
/// all that have some. Among those that have, the first that holds decides. A rule that says what the
/// default says anyway is left out before, so that it does not hide another; runc skips it too.
fn verdict(mentions: &[Mention], rules: &Rules, wide: bool) -> Verdict {
    let mut clauses = Vec::new();
    for mention in mentions {
        let rule = &rules.list[mention.rule as usize];
        if rule.action == rules.default {
            continue;
        }
        for alternative in &rule.alternatives {
            let conditions = conditions(alternative, mention.selector, wide);
            if conditions.is_empty() {
                return Verdict::Always(rule.action);
            }
            clauses.push(Clause { conditions, action: rule.action });
        }
    }
    if clauses.is_empty() { Verdict::Always(rules.default) } else { Verdict::First(clauses) }
}

fn conditions(of_rule: &[Condition], selector: Option<u8>, wide: bool) -> Vec<Condition> {
    let selected = selector.map(|value| Condition::equals(0, value.into()));
    let kept = of_rule.iter().filter(|condition| selector.is_none() || condition.argument != 0);
    selected
        .into_iter()
        .chain(kept.cloned())
        .map(|condition| if wide { condition } else { condition.narrowed() })
        .filter(|condition| !condition.is_empty())
        .collect()
}
