//! A walk through every statement order, depth first: each is run from the beginning, and orders that cannot
//! differ from one that was run are left out.
//!
//! Two statements that have nothing to do with each other may as well come the other way round: sleep sets
//! (Godefroid 1996) leave out what differs in nothing else. Of buyers who want the same, the first to begin is
//! called A. What is left out so is equal to an order that is not: moving an independent statement forward
//! never lets B begin before A.

use super::harvest::{Harvest, in_schedule};
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

/// How often a buyer may fail in vain in one order. Once is enough to see that it begins again as it should.
pub(in crate::explore) const MOST_IN_VAIN: u32 = 2;

/// How often an order is run whose beginning does not come out as before.
pub(in crate::explore) const TRIES: usize = 3;

/// More statements than any schedule has that ends.
const MOST_STATEMENTS: usize = 2_000;

/// How to walk.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// Whether orders with few switches come first, and how many switches are enough; none to go straight through.
    pub switches: Option<Switches>,
    /// Whether orders are left out that cannot differ from others.
    pub reduced: bool,
    /// Orders to be content with once something was found; none to run all.
    pub enough_after_finding: Option<u64>,
}

impl Walk {
    /// Whether an order is given up in which somebody fails in vain again and again.
    pub(in crate::explore) fn cuts_vain(self, settings: &Settings) -> bool {
        self.reduced && settings.policy.retries == Retries::Unlimited
    }
}

/// How orders with few switches are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switches {
    /// Those with at most so many, and no others.
    AtMost(u32),
    /// Those with few first, and then all.
    FewFirst,
}

/// A point at which somebody was chosen.
struct Fork {
    /// Whose statement was held, and which.
    held: Vec<(usize, PendingStatement)>,
    /// Whoever need not be chosen here, and what its statement has to do with.
    asleep: Vec<(usize, Footprint)>,
    /// Who was chosen here before, and is done with.
    done: Vec<(usize, Footprint)>,
    chosen: usize,
    /// What the chosen one's step has turned out to have to do with.
    touches: Footprint,
}

/// A walk under way.
pub(in crate::explore) struct Walker<'w, 't> {
    harness: &'w mut Harness<'t>,
    /// Who does the same as whom.
    kinds: Vec<usize>,
    walk: Walk,
    forks: Vec<Fork>,
    pub(in crate::explore) harvest: Harvest,
    /// Whether an order is given up in which somebody fails in vain again and again. An attempt that ends in a
    /// conflict and has changed nothing may as well not have been made; so what follows is seen elsewhere.
    cuts_vain: bool,
    /// Where the last order went another way that did.
    divergence: Option<String>,
}

impl<'w, 't> Walker<'w, 't> {
    /// At the beginning.
    pub(in crate::explore) fn new(
        harness: &'w mut Harness<'t>,
        settings: &Settings,
        walk: Walk,
        mut harvest: Harvest,
    ) -> Self {
        harvest.covered.reduced = walk.reduced;
        Self {
            kinds: harness.kinds().to_vec(),
            harness,
            walk,
            forks: Vec::new(),
            harvest,
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
            // What a server tidies up behind the scenes can come in between once, but not again and again.
            let mut came_out = false;
            for _ in 0..TRIES {
                came_out = self.run_one()?;
                if came_out {
                    break;
                }
            }
            if !came_out {
                self.harvest.covered.diverged += 1;
                self.harvest.covered.first_divergence =
                    self.harvest.covered.first_divergence.take().or(self.divergence.take());
            }
            let enough = self.walk.enough_after_finding.unwrap_or(u64::MAX);
            if !self.harvest.best.is_empty() && self.harvest.covered.run >= enough {
                return Ok(());
            }
            if !self.turn_back() {
                self.harvest.covered.complete = self.harvest.covered.diverged == 0;
                return Ok(());
            }
        }
    }

    /// Runs one order: as far as it was chosen already, and on. False if the beginning was not as before: whatever
    /// may follow there is not covered then.
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
                let fork = Fork {
                    held,
                    asleep,
                    done: Vec::new(),
                    chosen: usize::MAX,
                    touches: Footprint::NOTHING,
                };
                let Some(chosen) = self.next_choice(&fork, place) else {
                    self.harvest.covered.cut_short += 1;
                    return self.harness.send_home().map(|_| true);
                };
                self.forks.push(Fork { chosen, ..fork });
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
            self.harvest.covered.statements += 1;
            self.forks[place].touches = step.touches;
            steps.push(step);
            if self.cuts_vain && self.harness.most_in_vain() >= MOST_IN_VAIN {
                self.harvest.covered.cut_short += 1;
                return self.harness.send_home().map(|_| true);
            }
        }
        self.harvest.take_in(self.harness, &steps)?;
        Ok(true)
    }

    /// The beginning was not as before.
    fn diverge(&mut self, steps: &[Step], how: &str) -> Result<bool, Error> {
        let cues = steps.iter().map(|step| Cue::step(actor(step.place)));
        let beginning = Schedule(cues.collect());
        self.divergence = Some(format!("after {beginning}: {how}"));
        self.harness.send_home().map(|_| false)
    }

    /// Who need not be chosen next: who was chosen before at the last fork, or slept there, and whose statement
    /// has nothing to do with what was chosen instead.
    fn asleep(&self) -> Vec<(usize, Footprint)> {
        let Some(last) = self.forks.last().filter(|_| self.walk.reduced) else { return Vec::new() };
        let slept = last.asleep.iter().chain(&last.done);
        let goes_on = |(place, touches): &&(usize, Footprint)| {
            *place != last.chosen && !touches.conflicts_with(last.touches)
        };
        slept.filter(goes_on).copied().collect()
    }

    /// Who is to be chosen next at a fork, of which there are so many before it.
    fn next_choice(&self, fork: &Fork, before: usize) -> Option<usize> {
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

    /// Goes back to the last fork at which somebody else can be chosen; false if there is none.
    fn turn_back(&mut self) -> bool {
        while let Some(mut fork) = self.forks.pop() {
            fork.done.push((fork.chosen, fork.touches));
            if let Some(chosen) = self.next_choice(&fork, self.forks.len()) {
                self.forks.push(Fork { chosen, ..fork });
                return true;
            }
        }
        false
    }
}

/// Whether the same are held with the same, if with other values.
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
