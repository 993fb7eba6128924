//! What a random algorithm has to say: whose step comes next.

use crate::base::chance::Dice;
use crate::scheduler::choice::Actor;
use crate::scheduler::execution::Execution;

/// A way to choose whose step comes next, by random numbers.
pub(super) trait Pick {
    /// Begins an execution of these clients.
    fn begin(&mut self, clients: Vec<Actor>, dice: &mut Dice);

    /// The client whose step comes next; none if no client can move.
    fn pick(&mut self, execution: &mut dyn Execution, dice: &mut Dice) -> Option<Actor>;
}
