//! From rules to verdicts: what becomes of each system call number of one architecture.

use crate::condition::Condition;
use crate::multiplexed::Multiplexed;
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

/// A rule that speaks of a number.
#[derive(Clone, Copy)]
struct Mention {
    number: u32,
    /// Its place among the rules.
    rule: usize,
    /// The first argument must be this: the call goes through a multiplexer.
    selector: Option<u8>,
}

impl Mention {
    /// By number, then in the order of the rules. One integer, because sorting is most of the work.
    fn key(&self) -> u64 {
        u64::from(self.number) << 32 | self.rule as u64
    }
}

impl Verdicts {
    pub(crate) fn of(rules: &Rules, arch: Arch) -> Self {
        let mut mentions = Vec::with_capacity(512);
        for (index, rule) in rules.list.iter().enumerate() {
            for call in &rule.calls {
                if let Some(number) = call.number(arch) {
                    mentions.push(Mention { number, rule: index, selector: None });
                }
                if let Some(Multiplexed { number, selector }) = call.multiplexed(arch) {
                    mentions.push(Mention { number, rule: index, selector: Some(selector) });
                }
            }
        }
        mentions.sort_unstable_by_key(Mention::key);
        let listed: Vec<_> = mentions
            .chunk_by(|a, b| a.number == b.number)
            .map(|same| (same[0].number, verdict(same, rules, arch.wide())))
            .collect();
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
        let rule = &rules.list[mention.rule];
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
