//! One product of the model.

use super::{Applied, applied, done, failed};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{Op, Reply, Units, Version};

/// One product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shelf {
    /// Units on the shelf.
    pub stock: Units,
    /// The stock before the last write, as long as a stale read may still happen.
    pub before: Units,
    /// How often the stock was written with its version.
    pub version: Version,
    /// Whether a buyer holds the lock.
    pub locked: bool,
    /// Whether a transaction holds the row.
    pub row_locked: bool,
    /// Whether a buyer's lease is running.
    pub leased: bool,
    /// The token of the last lease.
    pub tokens_given: Version,
    /// The highest token that a buyer has shown.
    pub token_seen: Version,
    /// How often transactions have written the stock.
    pub commits: Version,
    /// Units in the order book.
    pub ordered: Units,
    /// The stock according to the cache.
    pub cached: Units,
    /// Units that were given back after a hold, or to the cache.
    pub given_back: Units,
}

impl Shelf {
    /// A shelf with this stock, and with the same stock in the cache.
    pub(super) fn new(stock: Units) -> Self {
        Self { stock, before: stock, cached: stock, ..Self::default() }
    }

    /// Does one op that uses only this shelf.
    pub(super) fn apply(&mut self, op: Op) -> Applied {
        let stock = |units| Some(Ok(Reply::Stock(units)));
        match op {
            Op::Read { .. } => stock(self.stock),
            Op::ReadVersioned { .. } => {
                Some(Ok(Reply::Versioned { stock: self.stock, version: self.version }))
            }
            Op::Write { stock, .. } => {
                self.stock = stock;
                done()
            }
            Op::CompareAndSet { expected, new, .. } => {
                applied(self.set_if(self.stock == expected, new))
            }
            Op::WriteIfVersion { version, stock, .. } => {
                let stands = self.version == version;
                self.version = self.version.wrapping_add(stands.into());
                applied(self.set_if(stands, stock))
            }
            Op::Take { qty, .. } => applied(self.take(qty)),
            Op::Add { qty, .. } => {
                self.stock = self.stock.wrapping_add(qty);
                stock(self.stock)
            }
            Op::ReadFenced { token, .. } if self.sees(token) => stock(self.stock),
            Op::ReadFenced { .. } => Some(Err(Missed::Conflict)),
            Op::WriteFenced { token, stock, .. } => {
                let is_latest = self.sees(token);
                applied(self.set_if(is_latest, stock))
            }
            Op::CountLeft { .. } => stock(self.stock),
            Op::TakeCached { qty, .. } => {
                let enough = self.cached >= qty;
                self.cached = self.cached.wrapping_sub(if enough { qty } else { 0 });
                applied(enough)
            }
            Op::AddCached { qty, .. } => {
                self.cached = self.cached.wrapping_add(qty);
                self.given_back = self.given_back.saturating_add(qty.max(0));
                stock(self.cached)
            }
            _ => failed(Failure::Unsupported),
        }
    }

    /// Whether an op outside any transaction has to wait for the transaction that holds the row, because it would write
    /// the row.
    pub(super) fn keeps_waiting(&self, op: Op) -> bool {
        self.row_locked
            && match op {
                Op::Write { .. } | Op::Add { .. } => true,
                Op::CompareAndSet { expected, .. } => self.stock == expected,
                Op::WriteIfVersion { version, .. } => self.version == version,
                Op::Take { qty, .. } | Op::Hold { qty, .. } => self.stock >= qty,
                Op::WriteFenced { token, .. } => token >= self.token_seen,
                _ => false,
            }
    }

    /// Takes units if that many are left.
    pub(super) fn take(&mut self, qty: Units) -> bool {
        self.set_if(self.stock >= qty, self.stock.wrapping_sub(qty))
    }

    /// Takes back units that were on hold.
    pub(super) fn give_back(&mut self, qty: Units) {
        self.stock = self.stock.wrapping_add(qty);
        self.given_back = self.given_back.saturating_add(qty);
    }

    fn set_if(&mut self, holds: bool, stock: Units) -> bool {
        if holds {
            self.stock = stock;
        }
        holds
    }

    /// Records a token; returns whether no higher one was recorded before.
    fn sees(&mut self, token: Version) -> bool {
        let is_latest = token >= self.token_seen;
        self.token_seen = self.token_seen.max(token);
        is_latest
    }
}
