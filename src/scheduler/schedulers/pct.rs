//! PCT (Burckhardt, Kothari, Musuvathi and Nagarakatte, *A Randomized Scheduler with Probabilistic Guarantees of Finding
//! Bugs*, ASPLOS 2010): each client has a random priority, and of the clients that can move, the one with the highest
//! priority moves. At `depth` - 1 random steps, the client that is about to move drops below all clients that have not
//! dropped. If a bug shows whenever `depth` steps come in a certain order, each schedule shows it with a probability of
//! at least 1 in n · k^(depth - 1), for n clients and k steps.

use std::cmp::Reverse;

use rand::RngExt;
use rand::seq::SliceRandom;

use super::pick::Pick;
use crate::base::chance::Dice;
use crate::scheduler::choice::{Actor, Choice};
use crate::scheduler::execution::Execution;

/// A client with its priority.
type Ranked = (Reverse<u32>, Actor);

/// Chooses by priorities.
#[derive(Debug)]
pub(super) struct Pct {
    /// How many steps must come in a certain order for the bug to show.
    depth: u32,
    /// About how many steps the execution takes.
    length: usize,
    /// Clients that have not left, as far as was noticed, the highest priority first.
    inside: Vec<Ranked>,
    /// The steps at which the client about to move drops, and to which priority.
    drops: Vec<(usize, u32)>,
    /// Steps chosen.
    steps: usize,
}

impl Pct {
    /// For bugs of this depth, in executions of about `length` steps.
    pub(super) fn new(depth: u32, length: usize) -> Self {
        Self { depth, length, inside: Vec::new(), drops: Vec::new(), steps: 0 }
    }
}

impl Pick for Pct {
    fn begin(&mut self, mut clients: Vec<Actor>, dice: &mut Dice) {
        clients.shuffle(dice.rng());
        let drop = |to| (dice.rng().random_range(0..self.length.max(1)), to);
        self.drops = (1..self.depth).map(drop).collect();
        let ranks = (self.depth..self.depth + clients.len() as u32).rev().map(Reverse);
        self.inside = ranks.zip(clients).collect();
        self.steps = 0;
    }

    fn pick(&mut self, execution: &mut dyn Execution, _dice: &mut Dice) -> Option<Actor> {
        // Clients that have left are removed only now and then, so that this costs little.
        if self.steps.is_multiple_of(self.inside.len().max(1)) {
            self.inside.retain(|(_, client)| !execution.has_left(*client));
        }
        let now = self.steps;
        self.steps += 1;
        let mut can_move = |client: Actor| execution.can_happen(Choice::step(client));
        for (_, to) in self.drops.iter().filter(|(at, _)| *at == now) {
            let dropping = self.inside.iter().position(|(_, client)| can_move(*client))?;
            let (_, client) = self.inside.remove(dropping);
            let dropped = (Reverse(*to), client);
            let place = self.inside.partition_point(|ranked| *ranked < dropped);
            self.inside.insert(place, dropped);
        }
        self.inside.iter().map(|(_, client)| *client).find(|client| can_move(*client))
    }
}
