//! What can be said of a state: what is wrong at once, and what is wrong when nobody can move.

use super::state::State;
use crate::audit::{Finding, Ledger};
use crate::buyer::{Ending, Visit};
use crate::finding::FindingKind;
use crate::op::{Item, Order, Units};
use crate::stores::Books;
use crate::text::quantity::{count, of};
use crate::worlds::stepped::{Cast, Part};

/// More promised than there was is wrong at once, whatever comes later.
pub(super) fn promises(cast: &Cast<'_>, stock: Units, state: &State) -> Option<Finding> {
    let promised: i64 = state
        .crowd
        .iter()
        .map(|(kind, buyers)| match cast.kind_of(*kind).part {
            Part::Gone { want, ending: Ending::Bought } => i64::from(want.qty) * i64::from(*buyers),
            _ => 0,
        })
        .sum();
    let amount = u64::try_from(promised - i64::from(stock)).ok().filter(|amount| *amount > 0)?;
    let proof =
        format!("{} promised, {} in stock", of(promised.unsigned_abs(), "unit"), count(stock));
    Some(Finding { kind: FindingKind::Oversold, amount, proof })
}

/// Nobody can move: either all have left, and the audit has the word, or somebody is stuck.
pub(super) fn end(cast: &Cast<'_>, stock: Units, state: &State) -> Vec<Finding> {
    let mut visits = Vec::new();
    let mut orders = Vec::new();
    let mut stuck = 0;
    for (kind, buyers) in &state.crowd {
        let kind = cast.kind_of(*kind);
        match kind.part {
            Part::Gone { want, ending } => {
                for _ in 0..*buyers {
                    let buyer = visits.len() as u32;
                    visits.push(Visit { ending, attempts: 1, ..Visit::unserved(buyer, want.qty) });
                    if kind.ordered != 0 {
                        orders.push(Order { buyer, item: Item(0), qty: kind.ordered });
                    }
                }
            }
            Part::Buyer { .. } => stuck += u64::from(*buyers),
            Part::IdleClerk | Part::BusyClerk { .. } => {}
        }
    }
    if stuck > 0 {
        let proof = format!("{} waiting, and nobody who could let them go on", of(stuck, "buyer"));
        return vec![Finding { kind: FindingKind::StuckBuyers, amount: stuck, proof }];
    }
    let stock_left = cast.store_of(state.store).stock;
    let books = Books { stock_left, orders, deepest_queue: 0 };
    Ledger { stock, visits: &visits, books: &books, leaked_locks: 0 }.audit()
}

/// An attempt ended and kept its lock.
pub(super) fn leaked_lock() -> Finding {
    let proof = "the lock was still held when the attempt was over".to_owned();
    Finding { kind: FindingKind::LeakedLock, amount: 1, proof }
}
