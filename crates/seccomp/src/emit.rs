//! The whole program: which architecture, which number, which verdict.

use crate::assemble::{Assembler, JUMP_EQUAL, LOAD, Target};
use crate::compare;
use crate::dispatch::Runs;
use crate::rules::Rules;
use crate::verdicts::{Clause, Mentions, Verdict, Verdicts};
use crate::{Action, Arch, Instruction};

/// Offsets in `struct seccomp_data` (`linux/seccomp.h`).
const NUMBER: u32 = 0;
const ARCH: u32 = 4;

/// For calls from an architecture that is not listed.
const FOREIGN: Target = Target::Return(Action::KillProcess);

/// What the kernel shows the filter after a tracer has cancelled a call (seccomp(2)): not a foreign
/// call, though its x32 bit is set.
const CANCELLED: u32 = u32::MAX;

/// Writes the program for `rules`.
pub(crate) fn program(rules: &Rules) -> Vec<Instruction> {
    // x86_64 and x32 are one to the kernel.
    let mut audits: Vec<u32> = Vec::new();
    for arch in &rules.architectures {
        if !audits.contains(&arch.audit()) {
            audits.push(arch.audit());
        }
    }
    let mentions = Mentions::of(rules);
    let mut writer = Writer::default();
    // The native one is first in the list; written last, it is asked for first.
    let entry = audits.into_iter().rev().fold(FOREIGN, |otherwise, audit| {
        let numbers = writer.numbers(rules, &mentions, audit);
        writer.program.branch(JUMP_EQUAL, audit, numbers, otherwise)
    });
    let entry = writer.program.before(LOAD, ARCH, entry);
    writer.program.finish(entry)
}

#[derive(Default)]
struct Writer {
    program: Assembler,
    /// Written so far; architectures share what is the same for them.
    clauses: Vec<(Vec<Clause>, bool, Target)>,
}

impl Writer {
    /// The search among the numbers of one `AUDIT_ARCH_...`; x86_64 and x32 share theirs.
    fn numbers(&mut self, rules: &Rules, mentions: &Mentions, audit: u32) -> Target {
        let mut runs = Runs::default();
        let mut unknown = FOREIGN;
        for arch in Arch::ALL.into_iter().filter(|arch| arch.audit() == audit) {
            runs.from(arch.number_bits(), FOREIGN);
            if rules.architectures.contains(&arch) {
                let verdicts = Verdicts::of(rules, mentions, arch);
                self.fill(&mut runs, &verdicts, arch);
                if unknown == FOREIGN {
                    unknown = Target::Return(verdicts.unknown);
                }
            }
        }
        runs.from(CANCELLED, unknown);
        let search = runs.search(&mut self.program);
        self.program.before(LOAD, NUMBER, search)
    }

    fn fill(&mut self, runs: &mut Runs, verdicts: &Verdicts, arch: Arch) {
        let bits = arch.number_bits();
        let unlisted = |number| {
            let known = verdicts.newest.is_some_and(|newest| number <= newest);
            Target::Return(if known { verdicts.default } else { verdicts.unknown })
        };
        runs.from(bits, unlisted(0));
        for (number, verdict) in &verdicts.listed {
            let target = match verdict {
                Verdict::Always(action) => Target::Return(*action),
                Verdict::First(clauses) => self.clauses(clauses, verdicts.default, arch.wide()),
            };
            runs.from(bits | number, target);
            runs.from(bits | (number + 1), unlisted(number + 1));
        }
    }

    fn clauses(&mut self, clauses: &[Clause], default: Action, wide: bool) -> Target {
        if let Some((.., target)) = self.clauses.iter().find(|(known, w, _)| known == clauses && *w == wide) {
            return *target;
        }
        let target = compare::clauses(&mut self.program, clauses, default, wide);
        self.clauses.push((clauses.to_vec(), wide, target));
        target
    }
}
