//! Uniform random choice: each client that can move is equally likely.

use rand::seq::IndexedRandom;

use super::pick::Pick;
use crate::base::chance::Dice;
use crate::scheduler::choice::{Actor, Choice};
use crate::scheduler::execution::Execution;

/// Random picks among all clients before the chooser lists those that can move.
const PICKS: u32 = 4;

/// Chooses each client that can move with equal probability.
#[derive(Debug, Default)]
pub(super) struct Uniform {
    /// Clients that have not left, as far as was noticed.
    inside: Vec<Actor>,
    /// Steps chosen.
    steps: usize,
}

impl Pick for Uniform {
    fn begin(&mut self, clients: Vec<Actor>, _dice: &mut Dice) {
        (self.inside, self.steps) = (clients, 0);
    }

    fn pick(&mut self, execution: &mut dyn Execution, dice: &mut Dice) -> Option<Actor> {
        // Clients that have left are removed only now and then, so that this costs little.
        if self.steps.is_multiple_of(self.inside.len().max(1)) {
            self.inside.retain(|client| !execution.has_left(*client));
        }
        self.steps += 1;
        for _ in 0..PICKS {
            let client = *self.inside.choose(dice.rng())?;
            if execution.can_happen(Choice::step(client)) {
                return Some(client);
            }
        }
        let inside = self.inside.iter().copied();
        let can_move: Vec<Actor> =
            inside.filter(|client| execution.can_happen(Choice::step(*client))).collect();
        can_move.choose(dice.rng()).copied()
    }
}
