//! Every schedule, one after the other, with nothing merged and nothing remembered: what the search
//! is held against, and far too slow for anything else.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{self, End};
use super::search::Shown;
use super::state::State;
use crate::audit::Finding;
use crate::op::Units;
use crate::worlds::stepped::{Actor, Cast, Stage};

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// Schedules that were followed to their end.
    pub schedules: u64,
    /// Steps made.
    pub steps: u64,
    /// Whether these were all.
    pub complete: bool,
    /// Every way in which it can end.
    pub ends: BTreeSet<End>,
    /// Each kind of finding once, the gravest first, with a shortest schedule to it.
    pub shown: Vec<Shown>,
}

/// Follows every schedule from here, making at most so many steps.
pub fn try_all(cast: &mut Cast<'_>, opening: &Stage, most_steps: u64) -> Tried {
    let mut trial = Trial {
        stock: checks::stock_of(cast, opening),
        cast,
        most_steps,
        schedule: Vec::new(),
        found: BTreeMap::new(),
        tried: Tried { complete: true, ..Tried::default() },
    };
    trial.follow(opening);
    let Trial { found, mut tried, .. } = trial;
    tried.shown = found.into_values().collect();
    tried
}

struct Trial<'c, 's> {
    cast: &'c mut Cast<'s>,
    stock: Units,
    most_steps: u64,
    schedule: Vec<Actor>,
    found: BTreeMap<usize, Shown>,
    tried: Tried,
}

impl Trial<'_, '_> {
    fn follow(&mut self, stage: &Stage) {
        let state = State::of(stage.store(), stage.kinds());
        let oversold = checks::promises(self.cast, self.stock, &state);
        oversold.into_iter().for_each(|finding| self.note(finding));
        let mut stuck = true;
        for actor in stage.actors() {
            let mut next = stage.clone();
            let Some(step) = next.step(self.cast, actor) else { continue };
            stuck = false;
            if self.tried.steps == self.most_steps {
                self.tried.complete = false;
                return;
            }
            self.tried.steps += 1;
            self.schedule.push(actor);
            if step.leaked_lock {
                self.note(checks::leaked_lock());
            }
            self.follow(&next);
            self.schedule.pop();
        }
        if stuck {
            self.tried.schedules += 1;
            let (end, findings) = checks::end(self.cast, self.stock, &state);
            self.tried.ends.insert(end);
            findings.into_iter().for_each(|finding| self.note(finding));
        }
    }

    fn note(&mut self, finding: Finding) {
        let is_shorter = |shown: &Shown| self.schedule.len() < shown.schedule.len();
        if self.found.get(&finding.kind.gravity()).is_none_or(is_shorter) {
            let schedule = self.schedule.clone();
            self.found.insert(finding.kind.gravity(), Shown { finding, schedule });
        }
    }
}
