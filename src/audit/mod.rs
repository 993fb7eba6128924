//! The audit: compares what was promised with what the store says.
//!
//! It reads receipts (what each buyer was told at the door) and the store's books, in pairs that
//! must agree, and knows nothing of strategies.

mod sold_out;

use serde::Serialize;

use crate::buyer::{Ending, Visit};
use crate::finding::FindingKind;
use crate::op::{BuyerId, Units};
use crate::stores::Books;
use crate::text::quantity::{count, of};

/// One thing the audit proved wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// How much of it, in the unit of its kind. At least 1.
    pub amount: u64,
    /// The figures that prove it, as one line.
    pub proof: String,
}

/// What the audit looks at: one round, after everybody has gone home.
#[derive(Clone, Copy, Debug)]
pub struct Ledger<'a> {
    /// Units at the gun.
    pub stock: Units,
    /// What each buyer came for and was told.
    pub visits: &'a [Visit],
    /// What the store says.
    pub books: &'a Books,
    /// Locks that attempts kept.
    pub leaked_locks: u64,
}

impl Ledger<'_> {
    /// Units promised, by receipt.
    #[must_use]
    pub fn units_sold(&self) -> i64 {
        self.visits.iter().filter_map(Visit::receipt).map(i64::from).sum()
    }

    /// Everything that can be proved wrong, the gravest first.
    #[must_use]
    pub fn audit(&self) -> Vec<Finding> {
        let sold = self.units_sold();
        let mut findings: Vec<_> = [
            self.oversold(sold),
            self.undersold(sold),
            self.lost_update(sold),
            self.leaked_stock(sold),
            self.negative_stock(),
            sold_out::false_sold_out(self),
            finding(FindingKind::LeakedLock, self.leaked_locks as i64, || {
                format!("{} still held when the attempt was over", of(self.leaked_locks, "lock"))
            }),
        ]
        .into_iter()
        .flatten()
        .chain(self.orders_against_receipts())
        .collect();
        findings.sort_by_key(|finding| finding.kind.gravity());
        findings
    }

    fn oversold(&self, sold: i64) -> Option<Finding> {
        finding(FindingKind::Oversold, sold - i64::from(self.stock), || {
            format!("{} promised, {} in stock", of(sold as u64, "unit"), count(self.stock))
        })
    }

    /// Serves those who went home without, the smallest want first, from what was not sold, is still
    /// there, and was not to go to somebody whom the end of the race kept away.
    fn undersold(&self, sold: i64) -> Option<Finding> {
        let kept_away = self.wanted_by(|visit| visit.ending == Ending::Unserved);
        let left = i64::from(self.books.stock_left).max(0);
        let unsold = (i64::from(self.stock) - sold).min(left) - kept_away;
        let mut wants: Vec<i64> = self
            .visits
            .iter()
            .filter(|visit| {
                matches!(visit.ending, Ending::TurnedAway | Ending::GaveUp | Ending::Failed(_))
            })
            .map(|visit| i64::from(visit.wanted))
            .filter(|wanted| *wanted <= unsold)
            .collect();
        wants.sort_unstable();
        let mut servable = 0;
        let mut buyers = 0;
        for wanted in wants {
            if servable + wanted > unsold {
                break;
            }
            servable += wanted;
            buyers += 1;
        }
        finding(FindingKind::Undersold, servable, || {
            format!(
                "{} unsold, though {} who went home without would have taken {}",
                of(unsold.unsigned_abs(), "unit"),
                of(buyers, "buyer"),
                count(servable)
            )
        })
    }

    /// Units that some of the buyers came for.
    fn wanted_by(&self, is: impl Fn(&Visit) -> bool) -> i64 {
        self.visits.iter().filter(|visit| is(visit)).map(|visit| i64::from(visit.wanted)).sum()
    }

    /// Units that buyers who were cut short may have taken: unknown, and not held against anybody.
    fn unknown(&self) -> i64 {
        self.wanted_by(was_cut_short)
    }

    /// By how much the shelf fell.
    fn fell(&self) -> i64 {
        i64::from(self.stock) - i64::from(self.books.stock_left)
    }

    fn lost_update(&self, sold: i64) -> Option<Finding> {
        finding(FindingKind::LostUpdate, sold - self.fell(), || {
            format!(
                "{} sold, but the shelf fell by {}",
                of(sold as u64, "unit"),
                count(self.fell())
            )
        })
    }

    /// What stands in the order book is somebody's, receipt or not.
    fn leaked_stock(&self, sold: i64) -> Option<Finding> {
        let ordered: i64 = self.books.orders.iter().map(|order| i64::from(order.qty)).sum();
        let owned = sold.max(ordered);
        finding(FindingKind::LeakedStock, self.fell() - owned - self.unknown(), || {
            format!(
                "the shelf fell by {}, but {} sold",
                count(self.fell()),
                of(owned.unsigned_abs(), "unit")
            )
        })
    }

    fn negative_stock(&self) -> Option<Finding> {
        let left = i64::from(self.books.stock_left);
        finding(FindingKind::NegativeStock, -left - self.unknown(), || {
            format!("the shelf says {}", count(left))
        })
    }

    /// Each buyer's receipt against each buyer's orders.
    fn orders_against_receipts(&self) -> Vec<Finding> {
        let buyers = self.visits.iter().map(|visit| visit.buyer as usize + 1).max().unwrap_or(0);
        let mut ordered = vec![0_i64; buyers];
        let (mut lost, mut surplus) = (Differences::default(), Differences::default());
        for order in &self.books.orders {
            match ordered.get_mut(order.buyer as usize) {
                Some(units) => *units += i64::from(order.qty),
                None => surplus.note(order.buyer, 0, order.qty.into()),
            }
        }
        for visit in self.visits {
            let (ordered, promised) =
                (ordered[visit.buyer as usize], i64::from(visit.receipt().unwrap_or(0)));
            if ordered < promised {
                lost.note(visit.buyer, promised, ordered);
            } else if ordered > promised && !was_cut_short(visit) {
                surplus.note(visit.buyer, promised, ordered);
            }
        }
        [lost.finding(FindingKind::LostOrder), surplus.finding(FindingKind::OrderWithoutReceipt)]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Whether a visit ended with the buyer not knowing what became of it.
fn was_cut_short(visit: &Visit) -> bool {
    match visit.ending {
        Ending::Failed(_) => true,
        Ending::Unserved => visit.attempts > 0,
        Ending::Bought | Ending::TurnedAway | Ending::GaveUp => false,
    }
}

/// Buyers whose receipt and orders differ, and the first of them as an example.
#[derive(Default)]
struct Differences {
    buyers: u64,
    example: String,
}

impl Differences {
    fn note(&mut self, buyer: BuyerId, promised: i64, ordered: i64) {
        if self.buyers == 0 {
            self.example = format!(
                "buyer {buyer} was promised {}, the order book says {ordered}",
                of(promised as u64, "unit")
            );
        }
        self.buyers += 1;
    }

    fn finding(self, kind: FindingKind) -> Option<Finding> {
        finding(kind, self.buyers as i64, || match self.buyers {
            1 => self.example,
            more => format!("{}; of {more} such buyers the first", self.example),
        })
    }
}

/// A finding, if there is any amount of it.
fn finding(kind: FindingKind, amount: i64, proof: impl FnOnce() -> String) -> Option<Finding> {
    u64::try_from(amount).ok().filter(|amount| *amount > 0).map(|amount| Finding {
        kind,
        amount,
        proof: proof(),
    })
}
