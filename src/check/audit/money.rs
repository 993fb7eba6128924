//! Money against orders: a buyer who paid must have an order, a buyer who has an order must have paid, and no
//! buyer may have paid twice.
//!
//! The payments come from the provider, the orders from the shop, and neither depends on what buyers were
//! told.

use super::{Finding, Ledger, Naming, finding};
use crate::base::text::quantity::of;
use crate::domain::buyer::Visit;
use crate::domain::finding::FindingKind;

/// A kind of finding, its words, and whether a buyer's payments and the units ordered for it show it.
type Rule = (FindingKind, &'static str, fn(u64, i64) -> bool);

/// All such rules.
pub(super) const RULES: [Rule; 3] = [
    (FindingKind::ChargedWithoutUnit, "paid, and has no order", |paid, ordered| {
        paid > 0 && ordered == 0
    }),
    (FindingKind::UnitWithoutCharge, "has an order, and has not paid for it", |paid, ordered| {
        paid == 0 && ordered > 0
    }),
    (FindingKind::DoubleCharge, "paid more than once", |paid, _| paid > 1),
];

impl Ledger<'_> {
    /// Every rule that some buyer breaks.
    pub(super) fn money_against_orders(&self, naming: Naming) -> Vec<Finding> {
        let Some(payments) = self.books.payments.as_ref() else { return Vec::new() };
        let mut ordered = vec![0_i64; payments.len()];
        for order in &self.books.orders {
            if let Some(units) = ordered.get_mut(order.buyer as usize) {
                *units += order.want.units();
            }
        }
        let broken = |(kind, what, rule): Rule| {
            let breaks_it = |visit: &&Visit| {
                let buyer = visit.buyer as usize;
                payments.get(buyer).is_some_and(|paid| rule(*paid, ordered[buyer]))
            };
            let mut buyers = self.visits.iter().filter(breaks_it).map(|visit| visit.buyer);
            let first = naming.of(buyers.next()?);
            let all = 1 + buyers.count() as u64;
            finding(kind, all as i64, || match all {
                1 => format!("{first} {what}"),
                more => format!("{first} {what}; {} in all", of(more, "such buyer")),
            })
        };
        RULES.into_iter().filter_map(broken).collect()
    }
}
