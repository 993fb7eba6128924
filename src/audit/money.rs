//! Money against orders: who paid must have an order, who has an order must have paid, and nobody twice.
//!
//! The payments are the provider's own word, the orders are the shop's, and neither knows what buyers
//! were told.

use super::{Finding, Ledger, finding};
use crate::buyer::Visit;
use crate::finding::FindingKind;
use crate::text::quantity::of;

impl Ledger<'_> {
    pub(super) fn charged_without_unit(&self) -> Option<Finding> {
        self.payers(FindingKind::ChargedWithoutUnit, "paid, and has no order", |paid, ordered| {
            paid > 0 && ordered == 0
        })
    }

    pub(super) fn unit_without_charge(&self) -> Option<Finding> {
        let proof = "has an order, and nobody has its money";
        self.payers(FindingKind::UnitWithoutCharge, proof, |paid, ordered| paid == 0 && ordered > 0)
    }

    pub(super) fn double_charge(&self) -> Option<Finding> {
        self.payers(FindingKind::DoubleCharge, "paid more than once", |paid, _| paid > 1)
    }

    /// Buyers of whose payments and ordered units this can be said, if there are any.
    fn payers(
        &self,
        kind: FindingKind,
        what: &str,
        is: impl Fn(u64, i64) -> bool,
    ) -> Option<Finding> {
        let payments = self.books.payments.as_ref()?;
        let mut ordered = vec![0_i64; payments.len()];
        for order in &self.books.orders {
            if let Some(units) = ordered.get_mut(order.buyer as usize) {
                *units += order.want.units();
            }
        }
        let is_one = |visit: &&Visit| {
            let buyer = visit.buyer as usize;
            payments.get(buyer).is_some_and(|paid| is(*paid, ordered[buyer]))
        };
        let buyers: Vec<u32> = self.visits.iter().filter(is_one).map(|visit| visit.buyer).collect();
        let first = *buyers.first()?;
        finding(kind, buyers.len() as i64, || match buyers.len() as u64 {
            1 => format!("buyer {first} {what}"),
            more => format!("buyer {first} {what}; {} in all", of(more, "such buyer")),
        })
    }
}
