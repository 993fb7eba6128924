//! A program whose clients a scheduler moves, one step at a time: the model, or a shop at a server.

use super::beginning::Beginning;
use super::choice::{Actor, Choice};
use super::footprint::Footprint;
use super::statement::{PendingStatement, Phase};
use crate::base::error::Error;

/// A program under the control of a scheduler. It can be run again and again, each time from the beginning.
pub(crate) trait Execution {
    /// Begins again: the shop opens, and every client stands before its first step.
    ///
    /// # Errors
    /// When the shop cannot be opened.
    fn begin(&mut self) -> Result<(), Error>;

    /// All clients, in order.
    fn clients(&self) -> Vec<Actor>;

    /// The first client that wants the same and does the same as this one. It may be this one.
    fn first_alike(&self, client: Actor) -> Actor;

    /// Whether a client has left.
    fn has_left(&mut self, client: Actor) -> bool;

    /// Everything that can happen now and is worth choosing, each with the statement that it sends.
    fn ready(&mut self) -> Vec<(Choice, PendingStatement)>;

    /// Everything that can happen now and is worth choosing.
    fn choices(&mut self) -> Vec<Choice> {
        self.ready().into_iter().map(|(choice, _)| choice).collect()
    }

    /// Whether the same choices always lead to the same execution. Where they need not, because chance or a clock may
    /// have a part in it, schedulers compare beginnings that are repeated.
    fn is_deterministic(&self) -> bool {
        false
    }

    /// Whether this can happen now.
    fn can_happen(&mut self, choice: Choice) -> bool;

    /// Whether this need not happen for the execution to end, as a fault need not, unless it has begun.
    fn is_optional(&mut self, choice: Choice) -> bool {
        let begun = |(one, pending): &(Choice, PendingStatement)| {
            *one == choice && pending.phase == Phase::Acts
        };
        !choice.is_step() && !self.ready().iter().any(begun)
    }

    /// Whether the only choices are clients' own steps.
    fn has_only_steps(&self) -> bool;

    /// Why this cannot happen now: a clause such as `it has left by then`.
    fn why_not(&mut self, choice: Choice) -> String;

    /// Makes this happen, and says what it reads and writes; none if it cannot happen.
    ///
    /// # Errors
    /// When the server fails.
    fn take(&mut self, choice: Choice) -> Result<Option<Footprint>, Error>;

    /// The clients that had to wait, and whose statements went on as part of the last step.
    fn went_on(&self) -> Vec<Actor> {
        Vec::new()
    }

    /// Whether a client that is neither ready nor has left may become ready with any step of another, and not only with
    /// one in which its statement goes on.
    fn may_go_on_with_any_step(&mut self, client: Actor) -> bool {
        self.can_happen(Choice::step(client))
    }

    /// The most attempts of any client in this execution that ended in a conflict and had changed nothing.
    fn most_futile_attempts(&self) -> u32 {
        0
    }

    /// Whether the execution can keep no more states, so that it must end here.
    fn is_full(&self) -> bool {
        false
    }

    /// How many executions can be run ahead of time; none if each is run when it is begun.
    fn looks_ahead(&self) -> usize {
        0
    }

    /// Takes note of how the next execution begins, and of those that are likely to follow, the likeliest first.
    fn expect(&mut self, _beginnings: Vec<Beginning>) {}

    /// What was ready at each point so far, where the execution goes on in another one than it has begun in.
    fn repeated(&mut self) -> Vec<Vec<(Choice, PendingStatement)>> {
        Vec::new()
    }

    /// Ends the execution before all clients have left.
    ///
    /// # Errors
    /// When the server fails.
    fn abandon(&mut self) -> Result<(), Error>;
}
