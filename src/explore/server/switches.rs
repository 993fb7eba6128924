//! Orders by their number of switches. A switch (preemption) makes a buyer wait that could go on. Orders without a
//! switch come first, then those with one, and so on. Most bugs need few (Musuvathi and Qadeer, *Iterative context
//! bounding*, PLDI 2007); and where a checkout has dozens of statements, all orders are too many.
//!
//! A switch just before a statement is equivalent to the switch just after it, if the statement is independent of
//! everything that the others send before its buyer moves again; it is left out. Every order with as few switches is
//! equivalent to one that is run: moving the statement forward adds no switch.

use super::results::{Results, in_schedule};
use super::walk::{MOST_IN_VAIN, PreemptionBound, TRIES, Walk};
use crate::base::error::Error;
use crate::domain::settings::Settings;
use crate::explore::schedule::Schedule;
use crate::explore::schedule::actor;
use crate::scheduler::Footprint;
use crate::worlds::held::{Harness, Step};
use crate::worlds::stepped::Choice;

/// The most switches that the search tries before it runs all orders.
const MANY: u32 = 2;

/// Statement limit: a longer schedule is reported as one without end.
const MOST_STATEMENTS: usize = 5_000;

/// The beginning of an order: the buyer of each of the first steps. The buyer of the last one then goes on for as long
/// as it can.
type Beginning = Vec<usize>;

/// An order that was run.
struct ExecutedOrder {
    steps: Vec<Step>,
    /// The buyers that could have been chosen at each step.
    ready: Vec<Vec<usize>>,
    /// Whether it was given up in the middle.
    is_cut: bool,
}

/// Switches to one buyer, out of one stretch of another buyer's steps, each earlier than the one before.
struct Chain {
    /// The buyer of each step of the order.
    places: Vec<usize>,
    /// The footprint of each step.
    touches: Vec<Footprint>,
    /// The steps before which the search switches, the last first.
    positions: Vec<usize>,
    /// The buyer to which it switches.
    other: usize,
    /// Where the stretch ends, and the footprint of what comes in between with the switch there; none if it is not
    /// known.
    end: usize,
    between: Option<Footprint>,
}

/// Runs orders, those with fewer switches first.
pub(in crate::explore) fn run(
    harness: &mut Harness<'_>,
    walk: Walk,
    most: PreemptionBound,
    settings: &Settings,
    results: &mut Results,
    stopped: &dyn Fn() -> bool,
) -> Result<(), Error> {
    let most = match most {
        PreemptionBound::AtMost(most) => most,
        PreemptionBound::FewFirst => MANY,
    };
    results.covered.reduced = walk.reduced;
    let cuts_vain = walk.cuts_vain(settings);
    let kinds = harness.kinds().to_vec();
    let is_first = |place: &usize| !walk.reduced || kinds[*place] == *place;
    let begin_with = (0..kinds.len()).filter(is_first).map(|place| vec![place]).collect();
    let mut level = Level {
        harness,
        walk,
        cuts_vain,
        kinds,
        results,
        same: begin_with,
        next: Vec::new(),
        stopped,
    };
    for switches in 0..=most {
        let chains = std::mem::take(&mut level.next);
        if !level.run_all(chains)? {
            return Ok(());
        }
        let covered = &mut level.results.covered;
        if covered.diverged == 0 {
            (covered.switches, covered.with_few_switches) = (Some(switches), covered.run);
        }
        if level.next.is_empty() {
            covered.complete = covered.diverged == 0;
            return Ok(());
        }
        if walk.enough_after_finding.is_some() && !level.results.best.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

/// All orders with the same number of switches.
struct Level<'l, 't> {
    harness: &'l mut Harness<'t>,
    walk: Walk,
    cuts_vain: bool,
    kinds: Vec<usize>,
    results: &'l mut Results,
    /// Beginnings with this number of switches.
    same: Vec<Beginning>,
    /// Switches that lead to beginnings with one more.
    next: Vec<Chain>,
    stopped: &'l dyn Fn() -> bool,
}

impl Level<'_, '_> {
    /// Runs all orders with this number of switches; false if the search was stopped.
    fn run_all(&mut self, chains: Vec<Chain>) -> Result<bool, Error> {
        let goes_on = self.run_same()?;
        for chain in chains {
            if !goes_on || !self.run_chain(chain)? {
                return Ok(false);
            }
        }
        Ok(goes_on)
    }

    fn run_same(&mut self) -> Result<bool, Error> {
        while let Some(beginning) = self.same.pop() {
            if (self.stopped)() {
                return Ok(false);
            }
            if let Some(run) = self.run_one(&beginning)? {
                self.branch(&run, beginning.len());
            }
        }
        Ok(true)
    }

    fn run_chain(&mut self, chain: Chain) -> Result<bool, Error> {
        let Chain { places, touches, positions, other, end: mut known_at, mut between } = chain;
        for position in positions {
            let makes_no_difference = position + 1 == known_at
                && between.is_some_and(|between| !between.conflicts_with(touches[position]));
            known_at = position;
            if self.walk.reduced && makes_no_difference {
                continue;
            }
            if (self.stopped)() {
                return Ok(false);
            }
            let mut beginning = places[..position].to_vec();
            beginning.push(other);
            let run = self.run_one(&beginning)?;
            between = run.as_ref().map(|run| {
                let whose = places[position];
                let rest = run.steps[position..].iter();
                let others = rest.take_while(|step| step.place != whose);
                others.fold(Footprint::NOTHING, |all, step| all | step.touches)
            });
            if let Some(run) = run {
                self.branch(&run, beginning.len());
                if !self.run_same()? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Records the alternatives to an order that was run, after its beginning.
    fn branch(&mut self, run: &ExecutedOrder, begun: usize) {
        let places: Vec<usize> = run.steps.iter().map(|step| step.place).collect();
        let touches: Vec<Footprint> = run.steps.iter().map(|step| step.touches).collect();
        let mut end = places.len();
        while end > 0 {
            let whose = places[end - 1];
            let start =
                places[..end].iter().rposition(|place| *place != whose).map_or(0, |at| at + 1);
            // Where the buyer before could not go on, any other buyer may come next, and that is no switch.
            if start >= begun {
                for other in self.others(run, &places, start) {
                    let mut beginning = places[..start].to_vec();
                    beginning.push(other);
                    self.same.push(beginning);
                }
            }
            for other in 0..self.kinds.len() {
                let can = |at: &usize| self.others(run, &places, *at).contains(&other);
                let positions: Vec<usize> = (begun.max(start + 1)..end).rev().filter(can).collect();
                if positions.is_empty() {
                    continue;
                }
                // If the buyer has left and `other` follows, the order itself shows what comes after a switch there.
                let has_left = run.steps[end - 1].left.iter().any(|(who, _)| *who == whose);
                let follows = has_left && places.get(end) == Some(&other);
                let rest = &touches[end..];
                let between =
                    follows.then(|| rest.iter().fold(Footprint::NOTHING, |all, one| all | *one));
                let (places, touches) = (places.clone(), touches.clone());
                self.next.push(Chain { places, touches, positions, other, end, between });
            }
            end = start;
        }
    }

    /// The other buyers that could have been chosen at a step; of identical buyers that have not begun, only the first.
    fn others(&self, run: &ExecutedOrder, places: &[usize], at: usize) -> Vec<usize> {
        let has_begun = |place: usize| places[..at].contains(&place);
        let may = |place: &usize| {
            let alike =
                (0..*place).all(|one| self.kinds[one] != self.kinds[*place] || has_begun(one));
            *place != places[at] && (!self.walk.reduced || has_begun(*place) || alike)
        };
        run.ready[at].iter().copied().filter(may).collect()
    }

    /// Runs the order with this beginning; none if the beginning cannot be executed.
    fn run_one(&mut self, beginning: &[usize]) -> Result<Option<ExecutedOrder>, Error> {
        for _ in 0..TRIES {
            if let Some(run) = self.try_one(beginning)? {
                match run.is_cut {
                    true => self.results.covered.cut_short += 1,
                    false => self.results.take_in(self.harness, &run.steps)?,
                }
                return Ok(Some(run));
            }
        }
        self.results.covered.diverged += 1;
        let choices = beginning.iter().map(|place| Choice::step(actor(*place))).collect();
        let beginning = Schedule(choices);
        let first = &mut self.results.covered.first_divergence;
        first.get_or_insert_with(|| {
            format!("{beginning}: a buyer has nothing to send when its turn comes")
        });
        Ok(None)
    }

    fn try_one(&mut self, beginning: &[usize]) -> Result<Option<ExecutedOrder>, Error> {
        self.harness.begin()?;
        let mut run = ExecutedOrder { steps: Vec::new(), ready: Vec::new(), is_cut: false };
        loop {
            if self.cuts_vain && self.harness.most_in_vain() >= MOST_IN_VAIN {
                self.harness.send_home()?;
                return Ok(Some(ExecutedOrder { is_cut: true, ..run }));
            }
            let ready: Vec<usize> = self.harness.ready().iter().map(|(place, _)| *place).collect();
            let last = run.steps.last().map(|step: &Step| step.place);
            let at = run.steps.len();
            let goes_on = || last.filter(|last| ready.contains(last)).or(ready.first().copied());
            let Some(chosen) = beginning.get(at).copied().or_else(goes_on) else {
                return Ok(Some(run));
            };
            if at == MOST_STATEMENTS {
                self.harness.send_home()?;
                return Err(Error::input(format!(
                    "a schedule has {MOST_STATEMENTS} statements and does not end; try --retries 3"
                )));
            }
            let step = self.harness.step(chosen);
            let step = step.map_err(|error| in_schedule(error, &run.steps))?;
            let Some(step) = step else {
                self.harness.send_home()?;
                return Ok(None);
            };
            self.results.covered.statements += 1;
            run.ready.push(ready);
            run.steps.push(step);
        }
    }
}
