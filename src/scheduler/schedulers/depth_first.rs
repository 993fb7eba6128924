//! Depth-first search through every schedule. Each is run from the beginning; schedules that are equivalent to one that
//! was run are left out.
//!
//! Independent steps can be swapped: sleep sets (Godefroid, *Partial-Order Methods for the Verification of Concurrent
//! Systems*, 1996) leave out schedules that differ in nothing else. Of clients that do the same, the first to begin is
//! called A. The two agree: a schedule that is left out is equivalent to one that is run, for moving an independent step
//! forward never lets B begin before A.

use super::{Next, Scheduler};
use crate::base::error::Error;
use crate::scheduler::choice::Choice;
use crate::scheduler::execution::Execution;
use crate::scheduler::footprint::Footprint;
use crate::scheduler::repetition::{Ready, are_alike, said};
use crate::scheduler::symmetry::Symmetry;

/// A point at which the search chose what happens.
struct BranchPoint {
    /// What could happen, each with its statement.
    ready: Vec<Ready>,
    /// The sleep set: choices that need not be made here, each with its step's footprint.
    asleep: Vec<(Choice, Footprint)>,
    /// Choices that are explored already, each with its step's footprint.
    done: Vec<(Choice, Footprint)>,
    chosen: Choice,
    /// The footprint of the chosen step, as it turned out.
    footprint: Footprint,
}

/// A depth-first search under way.
pub(crate) struct DepthFirst {
    symmetry: Symmetry,
    /// Whether schedules that are equivalent to others are left out.
    reduced: bool,
    branch_points: Vec<BranchPoint>,
    has_begun: bool,
}

impl DepthFirst {
    /// A search that has run nothing yet. Where it is not `reduced`, it runs every schedule one by one.
    pub(crate) fn new<E: Execution>(execution: &E, reduced: bool) -> Self {
        let symmetry = Symmetry::of(execution, reduced);
        Self { symmetry, reduced, branch_points: Vec::new(), has_begun: false }
    }

    /// The next sleep set: choices that were done or asleep at the last branch point, and whose steps are independent
    /// of the one chosen there.
    fn asleep(&self) -> Vec<(Choice, Footprint)> {
        let Some(last) = self.branch_points.last().filter(|_| self.reduced) else {
            return Vec::new();
        };
        let slept = last.asleep.iter().chain(&last.done);
        let sleeps_on = |(choice, footprint): &&(Choice, Footprint)| {
            choice.who != last.chosen.who && !footprint.conflicts_with(&last.footprint)
        };
        slept.filter(sleeps_on).cloned().collect()
    }

    /// What to choose next of what is ready, after these choices; none if nothing is left.
    fn next_of(
        &self,
        ready: &[Ready],
        asleep: &[(Choice, Footprint)],
        done: &[(Choice, Footprint)],
        before: &[Choice],
    ) -> Option<Choice> {
        let is_among =
            |some: &[(Choice, Footprint)], choice| some.iter().any(|(one, _)| *one == choice);
        ready.iter().map(|(choice, _)| *choice).find(|choice| {
            !is_among(done, *choice)
                && !is_among(asleep, *choice)
                && self.symmetry.allows(choice.who, before)
        })
    }

    /// Backtracks to the last branch point at which something else can be chosen; false if there is none.
    fn turn_back(&mut self) -> bool {
        while let Some(mut last) = self.branch_points.pop() {
            last.done.push((last.chosen, last.footprint.clone()));
            let before: Vec<Choice> = self.branch_points.iter().map(|one| one.chosen).collect();
            if let Some(chosen) = self.next_of(&last.ready, &last.asleep, &last.done, &before) {
                self.branch_points.push(BranchPoint { chosen, ..last });
                return true;
            }
        }
        false
    }
}

impl<E: Execution> Scheduler<E> for DepthFirst {
    fn new_execution(&mut self) -> bool {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        is_first || self.turn_back()
    }

    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error> {
        let ready = execution.ready();
        if let Some(point) = self.branch_points.get(so_far.len()) {
            return Ok(match are_alike(&point.ready, &ready) {
                true => Next::Take(point.chosen),
                false => Next::Diverged(format!(
                    "{}; before it was {}",
                    said(&ready),
                    said(&point.ready)
                )),
            });
        }
        if ready.is_empty() {
            return Ok(Next::Over);
        }
        let asleep = self.asleep();
        let Some(chosen) = self.next_of(&ready, &asleep, &[], so_far) else {
            return Ok(Next::Cut);
        };
        let (done, footprint) = (Vec::new(), Footprint::NOTHING);
        self.branch_points.push(BranchPoint { ready, asleep, done, chosen, footprint });
        Ok(Next::Take(chosen))
    }

    fn has_taken(&mut self, so_far: &[Choice], footprint: Footprint, _execution: &mut E) {
        let last = so_far.len().checked_sub(1);
        if let Some(point) = last.and_then(|last| self.branch_points.get_mut(last)) {
            point.footprint = footprint;
        }
    }
}
