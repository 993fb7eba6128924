//! The audit: compares what was promised with what the store says.
//!
//! It reads receipts (what each buyer was told) and the store's books, in pairs that must agree, and
//! knows nothing of strategies.

mod money;
mod naming;
mod running;
mod sold_out;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::text::quantity::{count, of};
use crate::domain::attempt::Failure;
use crate::domain::books::Books;
use crate::domain::buyer::{Ending, Visit};
use crate::domain::finding::FindingKind;
use crate::domain::op::{BuyerId, Item, Order, Units, Want};

pub use naming::Naming;
pub use running::RunningAudit;

/// One thing the audit proved wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// How much of it, in the unit of its kind. At least 1.
    pub amount: u64,
    /// The figures that prove it, as one line.
    pub proof: String,
}

impl Finding {
    /// Its name and its proof.
    #[cfg(feature = "cli")]
    pub(crate) fn words(&self) -> String {
        format!("{}: {}", self.kind.title(), self.proof)
    }
}

/// What the audit looks at: one round, after all visits are over.
#[derive(Clone, Copy, Debug)]
pub struct Ledger<'a> {
    /// Units of each product at the gun.
    pub stock: Units,
    /// What each buyer came for and was told.
    pub visits: &'a [Visit],
    /// What the store says.
    pub books: &'a Books,
    /// Locks that attempts kept.
    pub leaked_locks: u64,
    /// Holds that visits kept.
    pub leaked_holds: u64,
}

/// One product's account, in units.
#[derive(Debug)]
struct Account {
    item: Item,
    stock: i64,
    left: i64,
    /// Promised: by receipt, or by an order of a buyer whose server crashed before the receipt.
    sold: i64,
    ordered: i64,
    /// What buyers who were cut short may have taken: unknown, so it makes no finding.
    unknown: i64,
}

impl Account {
    /// By how much the shelf fell.
    fn fell(&self) -> i64 {
        self.stock - self.left
    }

    fn oversold(&self) -> Option<Finding> {
        finding(FindingKind::Oversold, self.sold - self.stock, || {
            format!("{} promised, {} in stock", of(self.sold as u64, "unit"), count(self.stock))
        })
    }

    fn lost_update(&self) -> Option<Finding> {
        finding(FindingKind::LostUpdate, self.sold - self.fell(), || {
            format!(
                "{} sold, but the shelf fell by {}",
                of(self.sold as u64, "unit"),
                count(self.fell())
            )
        })
    }

    /// Units in the order book belong to a buyer, with a receipt or without.
    fn leaked_stock(&self) -> Option<Finding> {
        let owned = self.sold.max(self.ordered);
        finding(FindingKind::LeakedStock, self.fell() - owned - self.unknown, || {
            format!(
                "the shelf fell by {}, but {} sold",
                count(self.fell()),
                of(owned.unsigned_abs(), "unit")
            )
        })
    }

    fn negative_stock(&self) -> Option<Finding> {
        finding(FindingKind::NegativeStock, -self.left - self.unknown, || {
            format!("the shelf says {}", count(self.left))
        })
    }
}

impl Ledger<'_> {
    /// Units promised, by receipt, of all products.
    #[must_use]
    pub fn units_sold(&self) -> i64 {
        self.visits.iter().filter_map(Visit::receipt).map(Want::units).sum()
    }

    /// Everything that can be proved wrong, the gravest first, with buyers by number.
    #[must_use]
    pub fn audit(&self) -> Vec<Finding> {
        self.audit_by(Naming::Numbers)
    }

    /// The same, with buyers called as `naming` says.
    #[must_use]
    pub fn audit_by(&self, naming: Naming) -> Vec<Finding> {
        let accounts: Vec<Account> = self.items().map(|item| self.account(item)).collect();
        let mut findings: Vec<_> = [
            over_all(&accounts, Account::oversold),
            self.undersold(&accounts),
            over_all(&accounts, Account::lost_update),
            over_all(&accounts, Account::leaked_stock),
            over_all(&accounts, Account::negative_stock),
            sold_out::false_sold_out(self, naming),
        ]
        .into_iter()
        .flatten()
        .chain(self.orders_against_receipts(naming))
        .chain(self.money_against_orders(naming))
        .chain(self.broken_rules())
        .chain(left_behind(self.leaked_locks, self.leaked_holds))
        .collect();
        findings.sort_by_key(|finding| finding.kind.gravity());
        findings
    }

    /// The products for which the store has a shelf.
    fn items(&self) -> impl Iterator<Item = Item> + use<> {
        (0..self.books.shelves.len() as u8).map(Item)
    }

    /// Units of a product at the gun.
    pub(crate) fn stock_of(&self, item: Item) -> Units {
        self.books.put_up.get(usize::from(item.0)).copied().unwrap_or(self.stock)
    }

    fn account(&self, item: Item) -> Account {
        let orders = self.books.orders.iter();
        Account {
            item,
            stock: self.stock_of(item).into(),
            left: self.books.shelves[usize::from(item.0)].into(),
            sold: self.wanted_by(item, |visit| visit.receipt().is_some())
                + self.ordered_after_a_crash(item),
            ordered: orders.map(|order| i64::from(order.want.units_of(item))).sum(),
            // A crashed attempt does nothing more that could stay unknown.
            unknown: self.wanted_by(item, |visit| was_cut_short(visit) && !has_crashed(visit)),
        }
    }

    /// Units of a product that some of the buyers came for.
    fn wanted_by(&self, item: Item, is: impl Fn(&Visit) -> bool) -> i64 {
        let visits = self.visits.iter().filter(|visit| is(visit));
        visits.map(|visit| i64::from(visit.want.units_of(item))).sum()
    }

    /// Units in the order book for buyers whose server died before they had their receipt.
    fn ordered_after_a_crash(&self, item: Item) -> i64 {
        let crashed = self.visits.iter().filter(|visit| has_crashed(visit));
        let buyers: BTreeSet<BuyerId> = crashed.map(|visit| visit.buyer).collect();
        if buyers.is_empty() {
            return 0;
        }
        let theirs = self.books.orders.iter().filter(|order| buyers.contains(&order.buyer));
        theirs.map(|order| i64::from(order.want.units_of(item))).sum()
    }

    /// Serves the buyers who left without, the smallest want first, from the units that are neither sold nor
    /// gone. Units that buyers wanted who were not served before the race ended are set aside.
    fn undersold(&self, accounts: &[Account]) -> Option<Finding> {
        let unsold = |account: &Account| {
            let kept_away = self.wanted_by(account.item, |visit| visit.ending == Ending::Unserved);
            // Buyers that were rejected while units were on hold were rejected rightly.
            let given_back = self.books.given_back.get(usize::from(account.item.0));
            let kept_away = kept_away + given_back.map_or(0, |units| i64::from(*units));
            (account.stock - account.sold).min(account.left.max(0)) - kept_away
        };
        let unsold: Vec<i64> = accounts.iter().map(unsold).collect();
        let mut unserved: Vec<Want> = self
            .visits
            .iter()
            .filter(|visit| {
                matches!(visit.ending, Ending::Rejected | Ending::Abandoned | Ending::Failed(_))
                    && !visit.held
                    && !was_let_down(visit)
            })
            .map(|visit| visit.want)
            .filter(|want| fits(*want, &unsold))
            .collect();
        unserved.sort_by_key(|want| want.units());
        let mut left = unsold.clone();
        let (mut servable, mut buyers) = (0, 0);
        for want in unserved.into_iter().filter(|want| take_if_it_fits(*want, &mut left)) {
            servable += want.units();
            buyers += 1;
        }
        finding(FindingKind::Undersold, servable, || {
            let unsold: i64 = unsold.iter().map(|units| units.max(&0)).sum();
            format!(
                "{} unsold, though {} who went home without would have taken {}",
                of(unsold.unsigned_abs(), "unit"),
                of(buyers, "buyer"),
                count(servable)
            )
        })
    }

    /// The rules of the shop's own audit that are broken.
    fn broken_rules(&self) -> Option<Finding> {
        let rules = &self.books.broken;
        finding(FindingKind::BrokenRule, rules.len() as i64, || rules.join("; "))
    }

    /// Each buyer's receipt against each buyer's orders.
    fn orders_against_receipts(&self, naming: Naming) -> Vec<Finding> {
        let buyers = self.visits.iter().map(|visit| visit.buyer as usize + 1).max().unwrap_or(0);
        let (mut lost, mut surplus) = (Differences::by(naming), Differences::by(naming));
        let mut differ = vec![false; buyers];
        for item in self.items() {
            let mut ordered = vec![0_i64; buyers];
            for Order { buyer, want } in &self.books.orders {
                match ordered.get_mut(*buyer as usize) {
                    Some(units) => *units += i64::from(want.units_of(item)),
                    None if want.item == item => surplus.note(*buyer, 0, want.units()),
                    None => {}
                }
            }
            for visit in self.visits {
                let promised = visit.receipt().map_or(0, |want| want.units_of(item).into());
                let (buyer, ordered) = (visit.buyer as usize, ordered[visit.buyer as usize]);
                let is_wrong = ordered < promised || ordered > promised && !was_cut_short(visit);
                if is_wrong && !std::mem::replace(&mut differ[buyer], true) {
                    let differences = if ordered < promised { &mut lost } else { &mut surplus };
                    differences.note(visit.buyer, promised, ordered);
                }
            }
        }
        [lost.finding(FindingKind::LostOrder), surplus.finding(FindingKind::OrderWithoutReceipt)]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// What attempts and visits left behind when they were over.
fn left_behind(locks: u64, holds: u64) -> impl Iterator<Item = Finding> {
    let locks = finding(FindingKind::LeakedLock, locks as i64, || {
        format!("{} still held when the attempt was over", of(locks, "lock"))
    });
    let holds = finding(FindingKind::LeakedHold, holds as i64, || {
        format!("{} still standing when the visit was over", of(holds, "hold"))
    });
    locks.into_iter().chain(holds)
}

/// One finding for all products: the amounts added up, and the first as an example.
fn over_all(accounts: &[Account], check: impl Fn(&Account) -> Option<Finding>) -> Option<Finding> {
    let found = accounts.iter().filter_map(|account| Some((account.item, check(account)?)));
    let named = found.map(|(item, finding)| match accounts.len() {
        1 => finding,
        _ => Finding { proof: format!("{item}: {}", finding.proof), ..finding },
    });
    named.reduce(|first, next| Finding { amount: first.amount + next.amount, ..first })
}

/// Whether there is enough of everything in a cart.
fn fits(want: Want, left: &[i64]) -> bool {
    want.items().all(|item| {
        left.get(usize::from(item.0)).is_some_and(|units| *units >= i64::from(want.qty))
    })
}

/// Takes a whole cart, or nothing.
fn take_if_it_fits(want: Want, left: &mut [i64]) -> bool {
    let takes = fits(want, left);
    if takes {
        want.items().for_each(|item| left[usize::from(item.0)] -= i64::from(want.qty));
    }
    takes
}

/// Whether a visit ended without the buyer knowing its outcome.
fn was_cut_short(visit: &Visit) -> bool {
    match visit.ending {
        Ending::Failed(_) => true,
        Ending::Unserved => visit.attempts > 0,
        Ending::Bought
        | Ending::Rejected
        | Ending::Abandoned
        | Ending::Declined
        | Ending::Expired => false,
    }
}

/// Whether a fault around the shop, not its checkout, kept the buyer from buying.
fn was_let_down(visit: &Visit) -> bool {
    matches!(
        visit.ending,
        Ending::Failed(
            Failure::Crashed | Failure::NoMajority | Failure::NoConnection | Failure::Disconnected
        )
    )
}

/// Whether the server that worked for the buyer died.
fn has_crashed(visit: &Visit) -> bool {
    visit.ending == Ending::Failed(Failure::Crashed)
}

/// Buyers whose receipt and orders differ, and the first of them as an example.
#[derive(Debug)]
struct Differences {
    naming: Naming,
    buyers: u64,
    example: String,
}

impl Differences {
    fn by(naming: Naming) -> Self {
        Self { naming, buyers: 0, example: String::new() }
    }

    fn note(&mut self, buyer: BuyerId, promised: i64, ordered: i64) {
        if self.buyers == 0 {
            self.example = format!(
                "{} was promised {}, the order book says {ordered}",
                self.naming.of(buyer),
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
