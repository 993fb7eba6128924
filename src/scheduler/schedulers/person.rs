//! A person as the scheduler: asked at every point, and free to take choices back.

use super::{Next, Scheduler};
use crate::base::error::Error;
use crate::scheduler::choice::Choice;
use crate::scheduler::execution::Execution;

/// What a person says at one point of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// This comes next.
    Take(Choice),
    /// Take the last choice back.
    Undo,
    /// Begin again.
    Reset,
    /// No more.
    Quit,
}

/// A person, who is asked by `ask`: it is given the choices so far and the execution.
pub(crate) struct Person<A> {
    ask: A,
    /// The choices up to which the next execution repeats what was chosen before.
    kept: Vec<Choice>,
    goes_on: bool,
}

impl<A> Person<A> {
    /// A person who has not been asked yet.
    pub(crate) fn new(ask: A) -> Self {
        Self { ask, kept: Vec::new(), goes_on: true }
    }
}

impl<E, A> Scheduler<E> for Person<A>
where
    E: Execution,
    A: FnMut(&[Choice], &mut E) -> Result<Said, Error>,
{
    fn new_execution(&mut self) -> bool {
        self.goes_on
    }

    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error> {
        if let Some(choice) = self.kept.get(so_far.len()).copied() {
            return Ok(Next::Take(choice));
        }
        Ok(match (self.ask)(so_far, execution)? {
            Said::Take(choice) => Next::Take(choice),
            Said::Undo => {
                self.kept = so_far[..so_far.len().saturating_sub(1)].to_vec();
                Next::Cut
            }
            Said::Reset => {
                self.kept.clear();
                Next::Cut
            }
            Said::Quit => {
                self.goes_on = false;
                Next::Over
            }
        })
    }
}
