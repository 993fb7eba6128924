//! Brute-force search: follows every schedule one by one, without merging and without a set of visited states. The real
//! search is checked against it; it is far too slow for anything else.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{self, FinalState, Shown};
use super::limits::Limits;
use super::state::State;
use crate::check::audit::Finding;
use crate::scheduler::Choice;
use crate::worlds::stepped::{ModelState, TransitionTable};

/// What the search has seen.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// Schedules that were followed to their end.
    pub schedules: u64,
    /// Steps made.
    pub steps: u64,
    /// Whether these were all schedules.
    pub complete: bool,
    /// Every way in which a schedule can end.
    pub ends: BTreeSet<FinalState>,
    /// Each kind of finding once, the gravest first, with a shortest schedule to it.
    pub shown: Vec<Shown>,
    /// A shortest schedule at whose end a buyer's checkout has failed; none if no checkout fails.
    pub failed: Option<Vec<Choice>>,
}

/// Step limit of a schedule: at a longer one the search stops, and is not complete.
const LONGEST: usize = 10_000;

/// Follows every schedule from `opening`, within `limits` and until `stopped` returns true. Each step counts as a
/// state.
pub fn try_all(
    table: &mut TransitionTable<'_>,
    opening: &ModelState,
    limits: Limits,
    stopped: impl Fn() -> bool,
) -> Tried {
    let stock = checks::stock_of(table, opening);
    let acts = table.acts().to_vec();
    let choices: Vec<Choice> = opening
        .actors()
        .flat_map(|who| acts.iter().map(move |act| Choice { who, act: *act }))
        .collect();
    let mut tried = Tried { complete: true, ..Tried::default() };
    let mut found: BTreeMap<usize, Shown> = BTreeMap::new();
    let mut schedule: Vec<Choice> = Vec::new();
    let mut note = |finding: Finding, schedule: &[Choice]| {
        let is_shorter = |shown: &Shown| schedule.len() < shown.schedule.len();
        if found.get(&finding.kind.gravity()).is_none_or(is_shorter) {
            let schedule = schedule.to_vec();
            found.insert(finding.kind.gravity(), Shown { finding, schedule });
        }
    };
    // The shop after each step of the schedule, with the index of the choice to try there next.
    let mut path = vec![(opening.clone(), 0)];
    while let Some((model_state, next)) = path.last_mut() {
        if *next == 0 {
            let state = State::of(model_state.store(), model_state.kinds());
            let oversold = checks::promises(table, stock, &state);
            oversold.into_iter().for_each(|finding| note(finding, &schedule));
            if !model_state.goes_on(table) {
                tried.schedules += u64::from(model_state.choices(table).is_empty());
                let (end, findings) = checks::end_of(table, stock, model_state);
                let is_shorter = |known: &Vec<_>| schedule.len() < known.len();
                if end.has_failed() && tried.failed.as_ref().is_none_or(is_shorter) {
                    tried.failed = Some(schedule.clone());
                }
                tried.ends.insert(end);
                findings.into_iter().for_each(|finding| note(finding, &schedule));
            }
        }
        let Some(choice) = choices.get(*next).copied() else {
            path.pop();
            schedule.pop();
            continue;
        };
        *next += 1;
        let mut there = model_state.clone();
        let Some(step) = there.follow(table, choice) else { continue };
        let bytes = path.len() * opening.bytes() + table.bytes();
        let is_over = bytes > limits.memory || tried.steps == limits.states as u64;
        if is_over || path.len() > LONGEST || table.is_full() || stopped() {
            tried.complete = false;
            break;
        }
        tried.steps += 1;
        schedule.push(choice);
        for leak in checks::leaks(step.leaks) {
            note(leak, &schedule);
        }
        path.push((there, 0));
    }
    tried.shown = found.into_values().collect();
    tried
}
