//! The algorithms that choose schedules, a file each. All of them run any [`Execution`]: the model, and shops at real
//! servers.
//!
//! | algorithm | chooses |
//! |---|---|
//! | [`DepthFirst`] | every schedule, but of equivalent ones only one (optimal dynamic partial-order reduction) |
//! | [`PreemptionBounded`] | every schedule with few preemptions |
//! | [`Directed`] | orders that are given in outline |
//! | [`RandomWalk`] | as a seed says: [`Method`] names the ways |
//! | [`Replay`] | one schedule that is given |
//! | [`Person`] | as a person says |

mod depth_first;
mod directed;
mod event;
mod outline;
mod pct;
mod person;
mod pick;
mod preemption;
mod random;
#[cfg(test)]
mod reduction;
mod replay;
#[cfg(test)]
mod tests;
mod uniform;
mod wakeup_tree;

pub(crate) use depth_first::DepthFirst;
pub(crate) use directed::{Directed, SentSteps, Stretch};
pub(super) use event::{Event, Events};
pub(crate) use outline::Outline;
pub(crate) use person::{Person, Said};
pub(crate) use preemption::PreemptionBounded;
pub use random::Method;
pub(crate) use random::{LAST, RandomWalk};
pub(crate) use replay::Replay;

use super::beginning::Beginning;
use super::choice::Choice;
use super::execution::Execution;
use super::footprint::Footprint;
use super::repetition::Ready;
use super::run::Run;
use crate::base::error::Error;

/// Chooses what happens next, execution after execution.
pub(crate) trait Scheduler<E: Execution> {
    /// Prepares the next execution; false if there is none left to run.
    fn new_execution(&mut self) -> bool;

    /// What happens next in this execution, in which these choices were made so far. An execution that diverged is run
    /// again from the beginning.
    ///
    /// # Errors
    /// For a given schedule that cannot be followed.
    fn next_choice(&mut self, so_far: &[Choice], execution: &mut E) -> Result<Next, Error>;

    /// Takes note of what the last of these choices has read and written.
    fn has_taken(&mut self, _so_far: &[Choice], _footprint: Footprint, _execution: &mut E) {}

    /// Takes note of what is ready at the point of this number, where the beginning of an execution was repeated.
    fn has_repeated(&mut self, _number: usize, _ready: &[Ready]) {}

    /// How the execution that was prepared begins, and those that are to follow as far as is known, the likeliest first:
    /// so many at most. None if that is not known.
    fn beginnings(&self, _most: usize) -> Vec<Beginning> {
        Vec::new()
    }

    /// Takes note of how the execution ended.
    fn has_ended(&mut self, _run: &Run) {}
}

/// What a scheduler decides at one point of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This happens next.
    Take(Choice),
    /// The execution is over: nothing more can happen, or nothing more is to happen.
    Over,
    /// The execution is given up, because other executions cover all that could follow.
    Cut,
    /// The execution is not what it was when its beginning was run before: how so.
    Diverged(String),
}
