//! Findings of a state: those that are certain whatever comes later, and those of an end state, in which no buyer can
//! move.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::state::State;
use crate::base::clock::STEP_NS;
use crate::base::text::quantity::{count, of};
use crate::check::audit::{Finding, Ledger, Naming};
use crate::domain::books::Books;
use crate::domain::buyer::{Ending, Visit};
use crate::domain::finding::FindingKind;
use crate::domain::op::{Item, Order, Units, Want};
use crate::scheduler::Choice;
use crate::worlds::stepped::{
    ActorRole, KindId, Leaks, ModelState, ModelStep, Ordered, StoreId, TransitionTable,
};

/// A finding and a shortest schedule to it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The finding.
    pub finding: Finding,
    /// The schedule, choice by choice.
    pub schedule: Vec<Choice>,
}

/// Units of each product in a shop that has just opened.
pub(in crate::explore) fn stock_of(table: &TransitionTable<'_>, opening: &ModelState) -> Units {
    table.store_of(opening.store()).stock_of(Item(0))
}

/// Oversold: more units are promised than there were in stock. That is certain, whatever comes later.
pub(in crate::explore) fn promises(
    table: &TransitionTable<'_>,
    stock: Units,
    state: &State,
) -> Option<Finding> {
    let items = table.store_of(state.store).shelves.len();
    let over = |item| {
        // The sum saturates: several kinds with any number of buyers each could overflow it.
        let promised = promised(table, state, item).fold(0, i64::saturating_add);
        let amount = u64::try_from(promised - i64::from(stock)).ok().filter(|more| *more > 0)?;
        let which = if items > 1 { format!("{item}: ") } else { String::new() };
        let promised = of(promised.unsigned_abs(), "unit");
        let proof = format!("{which}{promised} promised, {} in stock", count(stock));
        Some(Finding { kind: FindingKind::Oversold, amount, proof })
    };
    let found = (0..items as u8).map(Item).filter_map(over);
    found.reduce(|first, next| Finding { amount: first.amount + next.amount, ..first })
}

/// Units of a product that were promised, kind by kind.
fn promised(table: &TransitionTable<'_>, state: &State, item: Item) -> impl Iterator<Item = i64> {
    state.crowd.iter().map(move |(kind, buyers)| match table.kind_of(*kind).part {
        ActorRole::Gone { want, ending: Ending::Bought } => {
            i64::from(want.units_of(item)) * i64::from(*buyers)
        }
        _ => 0,
    })
}

/// One way in which a schedule can end.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FinalState {
    /// Units of each product.
    pub shelves: Vec<Units>,
    /// How a visit ended, what its buyer had wanted, and what stands in the order book in its name; with the number of
    /// visits that are alike in all of this.
    pub visits: BTreeMap<(Ending, Want, Ordered), u32>,
    /// Buyers who never left.
    pub stuck: u64,
}

/// Judges an end state, in which no buyer can move: if all buyers have left, the audit decides; else the buyers that
/// are still inside are deadlocked.
///
/// Of time a state keeps only the marks of [`TransitionTable::after_refusal`]: which buyers were early and which
/// were late. Without marks, all visits are taken to overlap.
pub(in crate::explore) fn end(
    table: &TransitionTable<'_>,
    stock: Units,
    state: &State,
) -> (FinalState, Vec<Finding>) {
    let visits = state.crowd.iter().flat_map(|(id, buyers)| {
        let kind = table.kind_of(*id);
        let (began, ended) = match kind.part {
            ActorRole::Gone { ending: Ending::Rejected, .. } if kind.early => (0, 1),
            ActorRole::Gone { .. } if !kind.early && kind.may_have_units() => (2, 3),
            _ => (0, 3),
        };
        std::iter::repeat_n((*id, began, ended), *buyers as usize)
    });
    judge(table, stock, state.store, visits)
}

/// The same for a shop that knows each buyer by name.
pub(in crate::explore) fn end_of(
    table: &TransitionTable<'_>,
    stock: Units,
    model_state: &ModelState,
) -> (FinalState, Vec<Finding>) {
    judge(table, stock, model_state.store(), model_state.visits())
}

/// Judges a shop in which no buyer can move. The iterator gives each actor's kind, the step at which its last attempt
/// began, and the step at which its visit ended.
fn judge(
    table: &TransitionTable<'_>,
    stock: Units,
    store: StoreId,
    actors: impl Iterator<Item = (KindId, u64, u64)>,
) -> (FinalState, Vec<Finding>) {
    let store = table.store_of(store);
    let shelves = store.stocks();
    let mut end = FinalState { shelves: shelves.clone(), ..FinalState::default() };
    let mut visits = Vec::new();
    let mut orders = Vec::new();
    let mut payments = Vec::new();
    let mut has_paid = false;
    for (kind, began, ended) in actors {
        let mut kind = Cow::Borrowed(table.kind_of(kind));
        if kind.standing.on_disk.is_some() {
            store.settle(&mut kind.to_mut().standing);
        }
        match kind.part {
            ActorRole::Gone { want, ending } => {
                *end.visits.entry((ending, want, kind.ordered())).or_default() += 1;
                let buyer = visits.len() as u32;
                let (began_ns, ended_ns) = (began * STEP_NS, ended * STEP_NS);
                visits.push(Visit {
                    ending,
                    attempts: 1,
                    began_ns: 0,
                    last_attempt_ns: began_ns,
                    ended_ns,
                    held: kind.standing.has_stood_in_the_way(),
                    ..Visit::unserved(buyer, want)
                });
                payments.push(kind.standing.net_charges().into());
                has_paid |= kind.standing.charges > 0;
                let ordered = kind.ordered();
                orders.extend(ordered.into_iter().map(|(item, units)| {
                    let units = Units::try_from(units).unwrap_or(Units::MAX);
                    Order { buyer, want: Want::one(item, units) }
                }));
            }
            ActorRole::Buyer { .. } => end.stuck += 1,
            ActorRole::IdleWorker | ActorRole::BusyWorker { .. } => {}
        }
    }
    if end.stuck > 0 {
        let finding = stuck(end.stuck);
        return (end, vec![finding]);
    }
    let given_back = store.shelves.iter().map(|shelf| shelf.given_back).collect();
    // A checkout whose card names no payments takes money if a buyer has paid.
    let payments = (has_paid || table.takes_money()).then_some(payments);
    let books = Books { shelves, orders, given_back, payments, ..Books::default() };
    let ledger = Ledger { stock, visits: &visits, books: &books, leaked_locks: 0, leaked_holds: 0 };
    (end, ledger.audit_by(Naming::Letters))
}

/// The finding that this many buyers never left.
pub(in crate::explore) fn stuck(buyers: u64) -> Finding {
    let proof = format!("{} waiting, and no buyer that could let them go on", of(buyers, "buyer"));
    Finding { kind: FindingKind::Deadlock, amount: buyers, proof }
}

/// Whether this refusal may be wrong: only if the units promised by now leave enough of every product in the refused
/// buyer's cart.
pub(in crate::explore) fn may_be_wronged(
    table: &TransitionTable<'_>,
    stock: Units,
    state: &State,
    refused: KindId,
) -> bool {
    let ActorRole::Gone { want, .. } = table.kind_of(refused).part else { return false };
    want.items().all(|item| {
        let gone = promised(table, state, item).fold(0, i64::saturating_add);
        gone + i64::from(want.qty) <= i64::from(stock)
    })
}

/// The findings for what an attempt or a visit left behind when it ended: a lock, a hold.
pub(in crate::explore) fn leaks(leaks: Leaks) -> impl Iterator<Item = Finding> {
    let found =
        |is: bool, kind, proof: &str| is.then(|| Finding { kind, amount: 1, proof: proof.into() });
    let lock = "the lock was still held when the attempt was over";
    let hold = "units were still on hold when the visit was over";
    [
        found(leaks.lock, FindingKind::LeakedLock, lock),
        found(leaks.hold, FindingKind::LeakedHold, hold),
    ]
    .into_iter()
    .flatten()
}

/// What the attempts and visits of these steps left behind.
pub(in crate::explore) fn left_behind(steps: &[ModelStep]) -> Leaks {
    steps.iter().fold(Leaks::default(), |all, step| all | step.leaks)
}

/// The findings in this state, on the way to which this was left behind.
pub(in crate::explore) fn so_far(
    table: &mut TransitionTable<'_>,
    stock: Units,
    model_state: &ModelState,
    left_behind: Leaks,
) -> Vec<Finding> {
    let state = State::of(model_state.store(), model_state.kinds());
    let mut found: Vec<Finding> = match model_state.goes_on(table) {
        true => promises(table, stock, &state).into_iter().collect(),
        false => end_of(table, stock, model_state).1,
    };
    found.extend(leaks(left_behind));
    found
}
