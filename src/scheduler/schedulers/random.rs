//! Random schedules, which a seed determines: the schedule with the same number is the same whatever was run before.

use rand::seq::IndexedRandom;
use serde::Serialize;

use super::pct::Pct;
use super::pick::Pick;
use super::uniform::Uniform;
use super::{Next, Scheduler};
use crate::base::chance::{Dice, StreamPurpose};
use crate::base::error::Error;
use crate::scheduler::choice::Choice;
use crate::scheduler::execution::Execution;
use crate::scheduler::repetition::Repetition;

/// The highest number of a schedule that has random numbers of its own.
pub(crate) const LAST: u64 = (1 << 62) - 1;

/// How the steps of random schedules are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Each client that can move, with equal probability.
    Plain,
    /// By random priorities, which change at `depth` - 1 random steps.
    Pct {
        /// How many steps must come in a certain order for the bug to show. At least 1.
        depth: u32,
    },
}

impl Method {
    /// The algorithm, for an execution that takes about `steps` steps.
    fn picks(self, steps: usize) -> Box<dyn Pick> {
        match self {
            Self::Plain => Box::new(Uniform::default()),
            Self::Pct { depth } => Box::new(Pct::new(depth, steps)),
        }
    }
}

/// Schedules by random numbers.
pub(crate) struct RandomWalk {
    seed: u64,
    /// The number of the schedule after this one, and the first that is not run.
    next: u64,
    end: u64,
    dice: Dice,
    picks: Box<dyn Pick>,
    repetition: Repetition,
}

impl RandomWalk {
    /// The schedules with these numbers, which take about `steps` steps each.
    #[must_use]
    pub(crate) fn new(
        seed: u64,
        numbers: std::ops::Range<u64>,
        method: Method,
        steps: usize,
    ) -> Self {
        Self {
            seed,
            next: numbers.start,
            end: numbers.end,
            dice: Dice::none(),
            picks: method.picks(steps),
            repetition: Repetition::default(),
        }
    }

    /// The same schedules, whose beginnings are compared with those of an earlier walk, too.
    #[must_use]
    pub(crate) fn after(self, earlier: Self) -> Self {
        Self { repetition: earlier.repetition, ..self }
    }

    /// A beginning that went on in another way when a later schedule repeated it, in words, if there was one.
    pub(crate) fn divergence(&self) -> Option<&str> {
        self.repetition.differs()
    }

    fn next_to_move(&mut self, execution: &mut dyn Execution) -> Next {
        let picked = self.picks.pick(execution, &mut self.dice);
        picked.map_or(Next::Over, |client| Next::Take(Choice::step(client)))
    }
}

impl<E: Execution> Scheduler<E> for RandomWalk {
    fn new_execution(&mut self) -> bool {
        let is_left = self.next < self.end;
        self.next += u64::from(is_left);
        is_left
    }

    /// Anything else that can happen is as likely as any one step.
    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error> {
        if so_far.is_empty() {
            let number = self.next - 1;
            let (high, low) = ((number >> 32) as u32, number as u32);
            self.dice = Dice::of(self.seed, StreamPurpose::Schedule, high, low);
            self.picks.begin(execution.clients(), &mut self.dice);
        }
        self.repetition.note(so_far, execution);
        if execution.has_only_steps() {
            return Ok(self.next_to_move(execution));
        }
        let choices = execution.choices();
        Ok(match choices.choose(self.dice.rng()).copied() {
            None => Next::Over,
            Some(chosen) if chosen.is_step() => self.next_to_move(execution),
            Some(chosen) => Next::Take(chosen),
        })
    }
}
