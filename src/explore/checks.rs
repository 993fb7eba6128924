//! What can be said of a state: what is wrong at once, and what is wrong when nobody can move.

use std::collections::BTreeMap;

use super::state::State;
use crate::audit::{Finding, Ledger};
use crate::buyer::{Ending, Visit};
use crate::finding::FindingKind;
use crate::op::{Item, Order, Units};
use crate::stores::Books;
use crate::text::quantity::{count, of};
use crate::worlds::stepped::{Cast, Part, Stage, Step};

/// More promised than there was is wrong at once, whatever comes later.
pub(super) fn promises(cast: &Cast<'_>, stock: Units, state: &State) -> Option<Finding> {
    let promised = state
        .crowd
        .iter()
        .map(|(kind, buyers)| match cast.kind_of(*kind).part {
            Part::Gone { want, ending: Ending::Bought } => i64::from(want.qty) * i64::from(*buyers),
            _ => 0,
        })
        // Any number of buyers of several kinds would be more than can be counted.
        .fold(0, i64::saturating_add);
    let amount = u64::try_from(promised - i64::from(stock)).ok().filter(|amount| *amount > 0)?;
    let proof =
        format!("{} promised, {} in stock", of(promised.unsigned_abs(), "unit"), count(stock));
    Some(Finding { kind: FindingKind::Oversold, amount, proof })
}

/// One way in which a schedule can end.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// Units on the shelf.
    pub stock_left: Units,
    /// How visits ended, what their buyers had wanted, what stands in the order book, and how many
    /// were alike.
    pub visits: BTreeMap<(Ending, Units, Units), u32>,
    /// Buyers who never left.
    pub stuck: u64,
}

/// Nobody can move: either all have left, and the audit has the word, or somebody is stuck.
pub(super) fn end(cast: &Cast<'_>, stock: Units, state: &State) -> (End, Vec<Finding>) {
    let stock_left = cast.store_of(state.store).stock;
    let mut end = End { stock_left, ..End::default() };
    let mut visits = Vec::new();
    let mut orders = Vec::new();
    for (kind, buyers) in &state.crowd {
        let kind = cast.kind_of(*kind);
        match kind.part {
            Part::Gone { want, ending } => {
                *end.visits.entry((ending, want.qty, kind.ordered)).or_default() += buyers;
                for _ in 0..*buyers {
                    let buyer = visits.len() as u32;
                    visits.push(Visit { ending, attempts: 1, ..Visit::unserved(buyer, want.qty) });
                    if kind.ordered != 0 {
                        orders.push(Order { buyer, item: Item(0), qty: kind.ordered });
                    }
                }
            }
            Part::Buyer { .. } => end.stuck += u64::from(*buyers),
            Part::IdleClerk | Part::BusyClerk { .. } => {}
        }
    }
    if end.stuck > 0 {
        let amount = end.stuck;
        let proof = format!("{} waiting, and nobody who could let them go on", of(amount, "buyer"));
        return (end, vec![Finding { kind: FindingKind::StuckBuyers, amount, proof }]);
    }
    let books = Books { stock_left, orders, deepest_queue: 0 };
    let ledger = Ledger { stock, visits: &visits, books: &books, leaked_locks: 0 };
    (end, ledger.audit())
}

/// An attempt ended and kept its lock.
pub(super) fn leaked_lock() -> Finding {
    let proof = "the lock was still held when the attempt was over".to_owned();
    Finding { kind: FindingKind::LeakedLock, amount: 1, proof }
}

/// What is wrong after these steps, which led here.
pub(super) fn so_far(
    cast: &mut Cast<'_>,
    stock: Units,
    stage: &Stage,
    steps: &[Step],
) -> Vec<Finding> {
    let state = State::of(stage.store(), stage.kinds());
    let goes_on = stage.actors().any(|actor| stage.can_move(cast, actor));
    let mut found: Vec<Finding> = match goes_on {
        true => promises(cast, stock, &state).into_iter().collect(),
        false => end(cast, stock, &state).1,
    };
    if steps.iter().any(|step| step.leaked_lock) {
        found.push(leaked_lock());
    }
    found
}
