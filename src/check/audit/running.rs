//! A running audit: buyer after buyer, for crowds too large to be kept. It compares what can be compared
//! without keeping all visits: sums with the shelves, and each buyer's receipt, orders and payments with one
//! another. It does not find buyers that were rejected wrongly.

use super::{
    Account, Differences, Finding, Naming, finding, has_crashed, left_behind, money, over_all,
    was_cut_short,
};
use crate::domain::buyer::Visit;
use crate::domain::finding::FindingKind;
use crate::domain::op::{Item, Units, Want};

/// What was seen so far.
#[derive(Debug)]
pub struct RunningAudit {
    accounts: Vec<Account>,
    lost: Differences,
    surplus: Differences,
    payers: [u64; money::RULES.len()],
    takes_money: bool,
}

impl RunningAudit {
    /// Of a shop with so many products of `stock` units each, whose buyers are called as `naming` says.
    #[must_use]
    pub fn open(items: u8, stock: Units, takes_money: bool, naming: Naming) -> Self {
        let account = |item| Account {
            item: Item(item),
            stock: stock.into(),
            left: stock.into(),
            sold: 0,
            ordered: 0,
            unknown: 0,
        };
        Self {
            accounts: (0..items).map(account).collect(),
            lost: Differences::by(naming),
            surplus: Differences::by(naming),
            payers: [0; money::RULES.len()],
            takes_money,
        }
    }

    /// Takes in a buyer's finished visit, with its orders in the book and the number of its payments.
    pub fn see(&mut self, visit: &Visit, orders: &[Want], payments: u64) {
        let mut units = 0;
        for account in &mut self.accounts {
            let promised = visit.receipt().map_or(0, |want| want.units_of(account.item).into());
            let ordered = orders.iter().map(|want| i64::from(want.units_of(account.item))).sum();
            account.ordered += ordered;
            account.sold += if has_crashed(visit) { ordered } else { promised };
            if was_cut_short(visit) && !has_crashed(visit) {
                account.unknown += i64::from(visit.want.units_of(account.item));
            }
            units += ordered;
            if ordered < promised {
                self.lost.note(visit.buyer, promised, ordered);
            } else if ordered > promised && !was_cut_short(visit) {
                self.surplus.note(visit.buyer, promised, ordered);
            }
        }
        if self.takes_money {
            for (count, (_, _, rule)) in self.payers.iter_mut().zip(money::RULES) {
                *count += u64::from(rule(payments, units));
            }
        }
    }

    /// Everything that can be proved wrong, the gravest first, when the shelves say this, and attempts and
    /// visits have left so many locks and holds behind.
    #[must_use]
    pub fn close(mut self, shelves: &[Units], locks: u64, holds: u64) -> Vec<Finding> {
        for (account, left) in self.accounts.iter_mut().zip(shelves) {
            account.left = (*left).into();
        }
        let payers =
            money::RULES.iter().zip(self.payers).filter_map(|((kind, what, _), buyers)| {
                finding(*kind, buyers as i64, || format!("so many of whom each {what}"))
            });
        let accounts = &self.accounts;
        let mut findings: Vec<Finding> = [
            over_all(accounts, Account::oversold),
            over_all(accounts, Account::lost_update),
            over_all(accounts, Account::leaked_stock),
            over_all(accounts, Account::negative_stock),
            self.lost.finding(FindingKind::LostOrder),
            self.surplus.finding(FindingKind::OrderWithoutReceipt),
        ]
        .into_iter()
        .flatten()
        .chain(payers)
        .chain(left_behind(locks, holds))
        .collect();
        findings.sort_by_key(|finding| finding.kind.gravity());
        findings
    }
}
