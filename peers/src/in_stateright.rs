//! stateright: a state machine written by hand, every state of which is visited once.
//!
//! As in its examples, a state is the shared word and a vector of local states, an action names a
//! thread and what it does, and the claim is an `always` property. As there, the representative of
//! all states that differ only in who is who has its buyers sorted, and the checker gets a thread for
//! each processor. `CheckerBuilder::symmetry` is heeded by the depth-first search (and by
//! simulation); `spawn_bfs` ignores it without a word, so there is no search with both.
//!
//! Source: <https://docs.rs/stateright/0.31>, `Model`, `Representative`, and the examples `increment`
//! and `increment_lock` of its repository.

use std::num::NonZero;
use std::thread::available_parallelism;

use stateright::{Checker, CheckerBuilder, Model, Property, Representative};

use crate::{Checkout, STOCK, Verdict};

/// The claim.
const NEVER_OVERSOLD: &str = "never more sold than there was";

/// Follows every interleaving, breadth first.
///
/// # Panics
/// If the checker does not finish.
#[must_use]
pub fn verdict_of_bfs(checkout: Checkout, buyers: u32) -> Verdict {
    verdict(&checker(checkout, buyers).spawn_bfs().join())
}

/// Follows every interleaving, depth first.
///
/// # Panics
/// If the checker does not finish.
#[must_use]
pub fn verdict_of_dfs(checkout: Checkout, buyers: u32) -> Verdict {
    verdict(&checker(checkout, buyers).spawn_dfs().join())
}

/// Follows every interleaving, depth first, without telling identical buyers apart.
///
/// # Panics
/// If the checker does not finish.
#[must_use]
pub fn verdict_by_symmetry(checkout: Checkout, buyers: u32) -> Verdict {
    verdict(&checker(checkout, buyers).symmetry().spawn_dfs().join())
}

/// Counts the states of a checkout that is safe, without telling identical buyers apart.
#[must_use]
pub fn states_by_symmetry(checkout: Checkout, buyers: u32) -> usize {
    checker(checkout, buyers).symmetry().spawn_dfs().join().unique_state_count()
}

fn checker(checkout: Checkout, buyers: u32) -> CheckerBuilder<Shop> {
    let processors = available_parallelism().map_or(1, NonZero::get);
    Shop { checkout, buyers }.checker().threads(processors)
}

fn verdict(checker: &impl Checker<Shop>) -> Verdict {
    if checker.discovery(NEVER_OVERSOLD).is_some() {
        return Verdict::Broken;
    }
    assert!(checker.is_done(), "every state was to be visited");
    Verdict::Proved
}

/// A shop with one kind of checkout.
#[derive(Clone, Debug)]
struct Shop {
    checkout: Checkout,
    buyers: u32,
}

/// The shelf, its lock, and how far each buyer has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    stock: u32,
    locked: bool,
    buyers: Vec<Buyer>,
}

/// How far a buyer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Buyer {
    Arrived,
    Locked,
    Saw(u32),
    Unlocking { bought: bool },
    Left { bought: bool },
}

/// What a buyer can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Lock(usize),
    Read(usize),
    Write(usize),
    CompareAndSwap(usize),
    Unlock(usize),
}

impl State {
    fn sold(&self) -> usize {
        let bought = |buyer: &&Buyer| {
            matches!(buyer, Buyer::Unlocking { bought: true } | Buyer::Left { bought: true })
        };
        self.buyers.iter().filter(bought).count()
    }
}

impl Representative for State {
    fn representative(&self) -> Self {
        let mut buyers = self.buyers.clone();
        buyers.sort_unstable();
        Self { buyers, ..*self }
    }
}

impl Shop {
    /// What a buyer does when there is nothing more to do with the stock.
    fn done(&self, bought: bool) -> Buyer {
        match self.checkout {
            Checkout::Naive | Checkout::Cas => Buyer::Left { bought },
            Checkout::Pessimistic => Buyer::Unlocking { bought },
        }
    }
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let buyers = vec![Buyer::Arrived; self.buyers as usize];
        vec![State { stock: STOCK, locked: false, buyers }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, buyer) in state.buyers.iter().enumerate() {
            let action = match (buyer, self.checkout) {
                (Buyer::Arrived, Checkout::Pessimistic) if state.locked => continue,
                (Buyer::Arrived, Checkout::Pessimistic) => Action::Lock(number),
                (Buyer::Arrived, _) | (Buyer::Locked, _) => Action::Read(number),
                (Buyer::Saw(_), Checkout::Cas) => Action::CompareAndSwap(number),
                (Buyer::Saw(_), _) => Action::Write(number),
                (Buyer::Unlocking { .. }, _) => Action::Unlock(number),
                (Buyer::Left { .. }, _) => continue,
            };
            actions.push(action);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Lock(number) => {
                state.locked = true;
                state.buyers[number] = Buyer::Locked;
            }
            Action::Read(number) => {
                let seen = last.stock;
                state.buyers[number] = if seen < 1 { self.done(false) } else { Buyer::Saw(seen) };
            }
            Action::Write(number) => {
                let Buyer::Saw(seen) = last.buyers[number] else { return None };
                state.stock = seen - 1;
                state.buyers[number] = self.done(true);
            }
            Action::CompareAndSwap(number) => {
                let Buyer::Saw(seen) = last.buyers[number] else { return None };
                if last.stock == seen {
                    state.stock = seen - 1;
                    state.buyers[number] = self.done(true);
                } else {
                    state.buyers[number] = Buyer::Arrived;
                }
            }
            Action::Unlock(number) => {
                let Buyer::Unlocking { bought } = last.buyers[number] else { return None };
                state.locked = false;
                state.buyers[number] = Buyer::Left { bought };
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(NEVER_OVERSOLD, |_, state: &State| state.sold() <= STOCK as usize)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_come_gets_the_unit() {
        for checkout in Checkout::ALL {
            let shop = Shop { checkout, buyers: 2 };
            let mut state = shop.init_states().remove(0);
            loop {
                let mut actions = Vec::new();
                shop.actions(&state, &mut actions);
                let Some(first) = actions.first() else { break };
                state = shop.next_state(&state, *first).expect("it was offered");
            }
            let left = [Buyer::Left { bought: true }, Buyer::Left { bought: false }];
            assert_eq!(state.buyers, left, "{checkout:?}");
        }
    }
}
