//! False sold-outs, as far as real time can prove them.
//!
//! A buyer that was rejected was refused at some moment of its last attempt. By then, at most two
//! kinds of units can have been gone: those of buyers whose own last attempt had begun, and those that
//! no buyer accounts for. If even so enough of everything was left for this buyer, "sold out" was false,
//! whatever the order of events inside those attempts. The other way round nothing is concluded: a "sold
//! out" that could have been true is not reported. This is the real-time argument of linearizability
//! (Herlihy and Wing, 1990), for one operation.

use rayon::prelude::*;

use super::{Finding, Ledger, Naming, finding, was_cut_short};
use crate::base::clock::SLACK_NS;
use crate::base::text::quantity::{count, of};
use crate::domain::buyer::{Ending, Visit};
use crate::domain::finding::FindingKind;
use crate::domain::op::Item;

/// The most units of a product that buyers can have taken by any moment.
struct Takers {
    /// The earliest moment at which each buyer can have taken its units, in order.
    began_ns: Vec<u64>,
    /// Units gone when the first `n` buyers have taken theirs.
    gone: Vec<i64>,
}

impl Takers {
    /// All buyers who may have taken units: with a receipt, with an order, cut short, or with units that may have
    /// gone back.
    fn of(ledger: &Ledger<'_>, item: Item) -> Self {
        let mut ordered: Vec<_> = ledger.books.orders.iter().map(|order| order.buyer).collect();
        ordered.par_sort_unstable();
        let may_have_taken = |visit: &&Visit| {
            visit.want.units_of(item) > 0
                && (visit.ending == Ending::Bought
                    || visit.held
                    || was_cut_short(visit)
                    || ordered.binary_search(&visit.buyer).is_ok())
        };
        let mut takers: Vec<_> = ledger
            .visits
            .par_iter()
            .filter(may_have_taken)
            .map(|visit| {
                // A buyer without a receipt may have taken its units in an attempt before the last.
                let bought = visit.ending == Ending::Bought;
                let from = if bought { visit.last_attempt_ns } else { visit.began_ns };
                (from, i64::from(visit.want.qty))
            })
            .collect();
        takers.par_sort_unstable();
        let began_ns = takers.iter().map(|(began, _)| *began).collect();
        // Missing units that none of these buyers accounts for may have been gone from the beginning.
        let accounted_for: i64 = takers.iter().map(|(_, units)| units).sum();
        let mut total = (ledger.account(item).fell() - accounted_for).max(0);
        let gone = std::iter::once(total)
            .chain(takers.iter().map(|(_, units)| {
                total += units;
                total
            }))
            .collect();
        Self { began_ns, gone }
    }

    /// The most units that can have been gone at `time_ns`.
    fn gone_by(&self, time_ns: u64) -> i64 {
        self.gone[self.began_ns.partition_point(|began| *began <= time_ns)]
    }
}

pub(super) fn false_sold_out(ledger: &Ledger<'_>, naming: Naming) -> Option<Finding> {
    let takers: Vec<Takers> = ledger.items().map(|item| Takers::of(ledger, item)).collect();
    let most_gone = |visit: &Visit, item: Item| {
        let asked_ns = visit.ended_ns.saturating_add(SLACK_NS);
        takers.get(usize::from(item.0)).map_or(i64::MAX, |takers| takers.gone_by(asked_ns))
    };
    let is_enough = |visit: &Visit, item: Item| {
        let stock = i64::from(ledger.stock_of(item));
        stock.saturating_sub(most_gone(visit, item)) >= i64::from(visit.want.qty)
    };
    let enough_left = |visit: &&Visit| {
        visit.want.qty > 0 && visit.want.items().all(|item| is_enough(visit, item))
    };
    let wronged: Vec<&Visit> = ledger
        .visits
        .par_iter()
        .filter(|visit| visit.ending == Ending::Rejected)
        .filter(enough_left)
        .collect();
    let first = wronged.iter().min_by_key(|visit| (visit.ended_ns, visit.buyer))?;
    finding(FindingKind::FalseSoldOut, wronged.len() as i64, || {
        // The product of which the most units can have been gone.
        let gone = first.want.items().map(|item| (most_gone(first, item), item)).max();
        let (gone, item) = gone.unwrap_or_default();
        format!(
            "{} wanted {} and was told \"sold out\", when at most {} of {} could be gone",
            naming.of(first.buyer),
            of(first.want.qty.unsigned_abs().into(), "unit"),
            count(gone),
            count(ledger.stock_of(item))
        )
    })
}
