//! Replay: one schedule that is given.

use super::{Next, Scheduler};
use crate::base::error::Error;
use crate::scheduler::choice::Choice;
use crate::scheduler::execution::Execution;

/// Follows one schedule, and then ends.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    schedule: Vec<Choice>,
    /// How far it has been followed.
    at: usize,
    /// Whether choices that cannot happen are left out.
    skips: bool,
    has_begun: bool,
}

impl Replay {
    /// Follows every choice of this schedule.
    #[must_use]
    pub(crate) fn of(schedule: Vec<Choice>) -> Self {
        Self { schedule, at: 0, skips: false, has_begun: false }
    }

    /// Leaves out the choices that cannot happen.
    #[must_use]
    pub(crate) fn skipping(self) -> Self {
        Self { skips: true, ..self }
    }
}

impl<E: Execution> Scheduler<E> for Replay {
    fn new_execution(&mut self) -> bool {
        !std::mem::replace(&mut self.has_begun, true)
    }

    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error> {
        if so_far.is_empty() {
            self.at = 0;
        }
        while let Some(choice) = self.schedule.get(self.at).copied() {
            self.at += 1;
            if execution.can_happen(choice) {
                return Ok(Next::Take(choice));
            }
            if !self.skips {
                let (number, why) = (self.at, execution.why_not(choice));
                let what = match choice.is_step() {
                    true => format!("{choice}'s, but {why}"),
                    false => format!("`{choice}`, which cannot happen then; {why}"),
                };
                return Err(Error::input(format!("--schedule: step {number} is {what}")));
            }
        }
        Ok(Next::Over)
    }
}
