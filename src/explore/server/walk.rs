//! Depth-first search through every statement order. Each order is run from the beginning; orders that are equivalent
//! to one that was run are left out.
//!
//! Independent statements can be swapped: sleep sets (Godefroid 1996) leave out orders that differ in nothing else. Of
//! buyers who do the same, the first to begin is called A. The two agree: an order that is left out is equivalent to
//! one that is run, for moving an independent statement forward never lets B begin before A.

use super::results::{Results, in_schedule};
use super::transcript::said;
use crate::base::error::Error;
use crate::base::text::quantity::of;
use crate::domain::retry::Retries;
use crate::domain::settings::Settings;
use crate::explore::schedule::Schedule;
use crate::explore::schedule::actor;
use crate::scheduler::{Footprint, PendingStatement};
use crate::worlds::held::{Harness, Step};
use crate::worlds::stepped::Cue;

/// Limit of a buyer's futile attempts in one order. One is enough to see that it begins again as it should.
pub(in crate::explore) const MOST_IN_VAIN: u32 = 2;

/// How often an order is run whose repeated beginning diverges.
pub(in crate::explore) const TRIES: usize = 3;

/// Statement limit: a longer schedule is reported as one without end.
const MOST_STATEMENTS: usize = 2_000;

/// How to search.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// Whether schedules with few switches come first, and how many switches are enough; none for depth first alone.
    pub switches: Option<PreemptionBound>,
    /// Whether orders that are equivalent to others are left out.
    pub reduced: bool,
    /// Stop after this many schedules once a finding exists; none to run all.
    pub enough_after_finding: Option<u64>,
}

impl Walk {
    /// Whether an order is given up once a buyer makes futile attempts again and again.
    pub(in crate::explore) fn cuts_vain(self, settings: &Settings) -> bool {
        self.reduced && settings.retries == Retries::Unlimited
    }
}

/// How many switches (preemptions) the search tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreemptionBound {
    /// Schedules with at most this many, and no others.
    AtMost(u32),
    /// Schedules with few first, and then all.
    FewFirst,
}

/// A point at which the search chose which buyer moves.
struct BranchPoint {
    /// The held buyers, each with its statement.
    held: Vec<(usize, PendingStatement)>,
    /// The sleep set: buyers that need not be chosen here, each with its statement's footprint.
    asleep: Vec<(usize, Footprint)>,
    /// Buyers whose choice here is explored already, each with its step's footprint.
    done: Vec<(usize, Footprint)>,
    chosen: usize,
    /// The footprint of the chosen buyer's step, as it turned out.
    touches: Footprint,
}

/// A search under way.
pub(in crate::explore) struct SleepSetSearch<'w, 't> {
    harness: &'w mut Harness<'t>,
    /// For each buyer the first buyer that does the same.
    kinds: Vec<usize>,
    walk: Walk,
    forks: Vec<BranchPoint>,
    pub(in crate::explore) results: Results,
    /// Whether an order is given up once a buyer makes futile attempts again and again. Such an attempt ends in a
    /// conflict and has changed nothing, so it may as well not have been made: another order covers what follows.
    cuts_vain: bool,
    /// Where the last order that diverged did so, and how.
    divergence: Option<String>,
}

impl<'w, 't> SleepSetSearch<'w, 't> {
    /// A search that has run no order yet.
    pub(in crate::explore) fn new(
        harness: &'w mut Harness<'t>,
        settings: &Settings,
        walk: Walk,
        mut results: Results,
    ) -> Self {
        results.covered.reduced = walk.reduced;
        Self {
            kinds: harness.kinds().to_vec(),
            harness,
            walk,
            forks: Vec::new(),
            results,
            cuts_vain: walk.cuts_vain(settings),
            divergence: None,
        }
    }

    /// Runs one order after the other.
    pub(in crate::explore) fn run(&mut self, stopped: &dyn Fn() -> bool) -> Result<(), Error> {
        loop {
            if stopped() {
                return Ok(());
            }
            // Background work of the server can disturb one run, but not several in a row.
            let mut came_out = false;
            for _ in 0..TRIES {
                came_out = self.run_one()?;
                if came_out {
                    break;
                }
            }
            if !came_out {
                self.results.covered.diverged += 1;
                self.results.covered.first_divergence =
                    self.results.covered.first_divergence.take().or(self.divergence.take());
            }
            let enough = self.walk.enough_after_finding.unwrap_or(u64::MAX);
            if !self.results.best.is_empty() && self.results.covered.run >= enough {
                return Ok(());
            }
            if !self.turn_back() {
                self.results.covered.complete = self.results.covered.diverged == 0;
                return Ok(());
            }
        }
    }

    /// Runs one order: repeats the choices made already, then chooses on. False if the repeated beginning diverged:
    /// whatever may follow it is not covered then.
    fn run_one(&mut self) -> Result<bool, Error> {
        self.harness.begin()?;
        let mut steps: Vec<Step> = Vec::new();
        loop {
            let held = self.harness.ready();
            let place = steps.len();
            if let Some(fork) = self.forks.get(place) {
                if !are_alike(&fork.held, &held) {
                    let (before, now) = (said(&fork.held), said(&held));
                    return self.diverge(&steps, &format!("{now}; before it was {before}"));
                }
            } else if held.is_empty() {
                break;
            } else {
                let asleep = self.asleep();
                let fork = BranchPoint {
                    held,
                    asleep,
                    done: Vec::new(),
                    chosen: usize::MAX,
                    touches: Footprint::NOTHING,
                };
                let Some(chosen) = self.next_choice(&fork, place) else {
                    self.results.covered.cut_short += 1;
                    return self.harness.send_home().map(|_| true);
                };
                self.forks.push(BranchPoint { chosen, ..fork });
            }
            if place == MOST_STATEMENTS {
                self.harness.send_home()?;
                return Err(Error::input(format!(
                    "a schedule has {} and does not end; try --retries 3",
                    of(MOST_STATEMENTS as u64, "statement")
                )));
            }
            let chosen = self.forks[place].chosen;
            let step = self.harness.step(chosen).map_err(|error| in_schedule(error, &steps))?;
            let Some(step) = step else {
                return self.diverge(&steps, &format!("{} cannot move", actor(chosen)));
            };
            self.results.covered.statements += 1;
            self.forks[place].touches = step.touches;
            steps.push(step);
            if self.cuts_vain && self.harness.most_in_vain() >= MOST_IN_VAIN {
                self.results.covered.cut_short += 1;
                return self.harness.send_home().map(|_| true);
            }
        }
        self.results.take_in(self.harness, &steps)?;
        Ok(true)
    }

    /// Records that the repeated beginning diverged; false.
    fn diverge(&mut self, steps: &[Step], how: &str) -> Result<bool, Error> {
        let cues = steps.iter().map(|step| Cue::step(actor(step.place)));
        let beginning = Schedule(cues.collect());
        self.divergence = Some(format!("after {beginning}: {how}"));
        self.harness.send_home().map(|_| false)
    }

    /// The next sleep set: buyers that were done or asleep at the last fork, and whose statements are independent of
    /// the one chosen there.
    fn asleep(&self) -> Vec<(usize, Footprint)> {
        let Some(last) = self.forks.last().filter(|_| self.walk.reduced) else { return Vec::new() };
        let slept = last.asleep.iter().chain(&last.done);
        let goes_on = |(place, touches): &&(usize, Footprint)| {
            *place != last.chosen && !touches.conflicts_with(last.touches)
        };
        slept.filter(goes_on).copied().collect()
    }

    /// The buyer to choose next at a fork with `before` forks before it; none if no choice is left.
    fn next_choice(&self, fork: &BranchPoint, before: usize) -> Option<usize> {
        let has_begun = |place: usize| self.forks[..before].iter().any(|fork| fork.chosen == place);
        let is_first_of_its_kind = |place: usize| {
            has_begun(place)
                || (0..place)
                    .all(|other| self.kinds[other] != self.kinds[place] || has_begun(other))
        };
        let is_among =
            |some: &[(usize, Footprint)], place| some.iter().any(|(who, _)| *who == place);
        fork.held.iter().map(|(place, _)| *place).find(|place| {
            !is_among(&fork.done, *place)
                && !is_among(&fork.asleep, *place)
                && (!self.walk.reduced || is_first_of_its_kind(*place))
        })
    }

    /// Backtracks to the last fork at which another buyer can be chosen; false if there is none.
    fn turn_back(&mut self) -> bool {
        while let Some(mut fork) = self.forks.pop() {
            fork.done.push((fork.chosen, fork.touches));
            if let Some(chosen) = self.next_choice(&fork, self.forks.len()) {
                self.forks.push(BranchPoint { chosen, ..fork });
                return true;
            }
        }
        false
    }
}

/// Whether the same buyers are held with the same statements, values aside.
pub(in crate::explore) fn are_alike(
    before: &[(usize, PendingStatement)],
    now: &[(usize, PendingStatement)],
) -> bool {
    let is_like =
        |((one, said), (other, says)): (&(usize, PendingStatement), &(usize, PendingStatement))| {
            one == other && said.is_like(says)
        };
    before.len() == now.len() && before.iter().zip(now).all(is_like)
}
