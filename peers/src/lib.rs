//! The same three checkouts in four checkers, so that their verdicts can be held against each other,
//! and how far each of them reaches.
//!
//! Each checker has a file of its own, in which the checkouts are written as its documentation would
//! write them. What they share is this vocabulary: a checkout, a verdict, and one unit in stock.

use std::any::Any;
use std::panic::{UnwindSafe, catch_unwind, resume_unwind};

pub mod in_loom;
pub mod in_oversell_sim;
pub mod in_shuttle;
pub mod in_stateright;

/// Units in stock, for every checker and every checkout.
pub const STOCK: u32 = 1;

/// A checkout that every checker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checkout {
    /// Read; if there is enough, write back one lower.
    Naive,
    /// Read; if there is enough, compare-and-swap; begin again if another buyer was faster.
    Cas,
    /// Lock, do as the naive checkout does, unlock.
    Pessimistic,
}

impl Checkout {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Naive, Self::Cas, Self::Pessimistic];
}

/// What a checker says about a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// More units were sold than there were, in at least one interleaving.
    Broken,
    /// That happens in no interleaving.
    Proved,
    /// The checker's own limits ended the search before either was known.
    Unfinished,
}

/// A checker, with the search that it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checker {
    /// loom, without a bound on preemptions.
    Loom,
    /// shuttle, with its exhaustive scheduler.
    ShuttleDfs,
    /// stateright, breadth first.
    StaterightBfs,
    /// stateright, depth first.
    StaterightDfs,
    /// stateright, depth first, with symmetry reduction.
    StaterightSymmetry,
    /// oversell-sim.
    OversellSim,
}

impl Checker {
    /// All of them, ours last.
    pub const ALL: [Self; 6] = [
        Self::Loom,
        Self::ShuttleDfs,
        Self::StaterightBfs,
        Self::StaterightDfs,
        Self::StaterightSymmetry,
        Self::OversellSim,
    ];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Loom => "loom",
            Self::ShuttleDfs => "shuttle DFS",
            Self::StaterightBfs => "stateright BFS",
            Self::StaterightDfs => "stateright DFS",
            Self::StaterightSymmetry => "stateright DFS, symmetry",
            Self::OversellSim => "oversell-sim",
        }
    }

    /// The most buyers that it takes, if it has such a limit.
    #[must_use]
    pub fn most_buyers(self) -> Option<u32> {
        match self {
            Self::Loom => Some(in_loom::MOST_BUYERS),
            Self::OversellSim => Some(in_oversell_sim::MOST_BUYERS),
            _ => None,
        }
    }

    /// Follows every interleaving of so many buyers who want one unit each.
    ///
    /// # Panics
    /// If the checker finds something else than an oversell, and for more buyers than it takes.
    #[must_use]
    pub fn verdict(self, checkout: Checkout, buyers: u32) -> Verdict {
        match self {
            Self::Loom => in_loom::verdict(checkout, buyers),
            Self::ShuttleDfs => in_shuttle::verdict(checkout, buyers),
            Self::StaterightBfs => in_stateright::verdict_of_bfs(checkout, buyers),
            Self::StaterightDfs => in_stateright::verdict_of_dfs(checkout, buyers),
            Self::StaterightSymmetry => in_stateright::verdict_by_symmetry(checkout, buyers),
            Self::OversellSim => in_oversell_sim::verdict(checkout, buyers),
        }
    }
}

/// The panic of a model in which too much was sold. It has a type of its own, so that no other panic
/// is taken for it.
struct Oversold;

/// What a model insists on when the last buyer has left. An oversell unwinds without a word, since it
/// is a result; everything else is a mistake in the model and says so.
fn insist_on_one_sale(sold: u32) {
    if sold > STOCK {
        resume_unwind(Box::new(Oversold));
    }
    assert_eq!(sold, STOCK, "a buyer came, so a buyer should have bought");
}

/// Reads a verdict from a checker that panics when it has found something. Any other panic goes on.
fn verdict_of(check: impl FnOnce() + UnwindSafe) -> Verdict {
    match catch_unwind(check) {
        Ok(()) => Verdict::Proved,
        Err(panic) if is_oversold(&*panic) => Verdict::Broken,
        Err(panic) => resume_unwind(panic),
    }
}

fn is_oversold(panic: &(dyn Any + Send)) -> bool {
    panic.is::<Oversold>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oversell_is_a_verdict() {
        assert_eq!(verdict_of(|| insist_on_one_sale(2)), Verdict::Broken);
        assert_eq!(verdict_of(|| insist_on_one_sale(1)), Verdict::Proved);
    }

    #[test]
    #[should_panic(expected = "a buyer should have bought")]
    fn any_other_failure_is_not() {
        let _ = verdict_of(|| insist_on_one_sale(0));
    }
}
