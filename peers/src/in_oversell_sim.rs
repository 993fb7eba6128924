//! oversell-sim: the strategies of the library, as they are raced, and every interleaving of them.
//!
//! Source: `docs/tutorial.md`, and `src/strategies/`.

use oversell_sim::Evidence;
use oversell_sim::FindingKind;
use oversell_sim::strategies::cas::Cas;
use oversell_sim::strategies::naive::Naive;
use oversell_sim::strategies::pessimistic::Pessimistic;
use oversell_sim::strategy::Strategy;
use oversell_sim::unstable::explore::MOST_OF_A_KIND;
use oversell_sim::{Exploration, explore};

use crate::{Checkout, STOCK, Verdict};

/// The most buyers.
pub const MOST_BUYERS: u32 = MOST_OF_A_KIND;

/// Follows every interleaving, within the limits on states and memory that the library has unless told
/// otherwise.
///
/// # Panics
/// For more than [`MOST_BUYERS`], and if something else than an oversell is found.
#[must_use]
#[expect(clippy::panic, reason = "an assertion")]
pub fn verdict(checkout: Checkout, buyers: u32) -> Verdict {
    let exploration = exploration(checkout, buyers);
    match exploration.evidence {
        Evidence::Proved => Verdict::Proved,
        // A lone buyer can go wrong in no interleaving. We call that no proof; the peers make no difference.
        Evidence::Vacuous
            if exploration.covered.as_ref().is_some_and(|covered| covered.complete) =>
        {
            Verdict::Proved
        }
        Evidence::NotSeen => Verdict::Unfinished,
        Evidence::Broken if exploration.amount_of(FindingKind::Oversold) > 0 => Verdict::Broken,
        _ => panic!("{exploration}"),
    }
}

/// Everything that is found.
///
/// # Panics
/// For more than [`MOST_BUYERS`].
#[must_use]
pub fn exploration(checkout: Checkout, buyers: u32) -> Exploration {
    match checkout {
        Checkout::Naive => explored(Naive, buyers),
        Checkout::Cas => explored(Cas, buyers),
        Checkout::Pessimistic => explored(Pessimistic, buyers),
    }
}

#[expect(clippy::panic, reason = "an assertion")]
fn explored<S: Strategy>(strategy: S, buyers: u32) -> Exploration {
    explore(strategy).buyers(buyers).stock(STOCK).run().unwrap_or_else(|error| panic!("{error}"))
}
