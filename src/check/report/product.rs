//! What came of each product, where there are several.

use serde::{Deserialize, Serialize};

use crate::base::samples::{Samples, Spread};
use crate::domain::buyer::{Ending, Visit};
use crate::domain::op::{Item, Units};

/// What came of one product, over all rounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Product {
    /// Its name; its number, counted from 1, if it has no name.
    pub name: String,
    /// Where its stock is read, if there are copies of it: `leader` or `nearest`.
    pub reads: Option<&'static str>,
    /// Buyers who wanted it.
    pub buyers: u64,
    /// Those with a receipt for it.
    pub winners: u64,
    /// Units promised, by receipt.
    pub units_sold: i64,
    /// Units promised beyond the stock, added up over the rounds.
    pub oversold: u64,
    /// Reads that did not see the latest write.
    pub stale_reads: u64,
    /// From a click to its answer, in ns.
    pub latency: Spread,
}

/// One product's figures, with the samples that its percentiles come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ProductAccumulator {
    buyers: u64,
    winners: u64,
    units_sold: i64,
    oversold: u64,
    stale_reads: u64,
    latency: Samples,
}

impl ProductAccumulator {
    /// Takes in a visit of a buyer who wanted this product.
    pub(super) fn see(&mut self, visit: &Visit) {
        self.buyers += 1;
        if let Some(want) = visit.receipt() {
            self.winners += 1;
            self.units_sold += i64::from(want.qty);
        }
        if visit.ending != Ending::Unserved {
            self.latency.record(visit.latency_ns());
        }
    }

    /// Takes in what is known when all visits of a round are over.
    pub(super) fn close(&mut self, stock: Units, stale_reads: u64) {
        self.oversold = u64::try_from(self.units_sold - i64::from(stock)).unwrap_or(0);
        self.stale_reads = stale_reads;
    }

    /// Adds another round's.
    pub(super) fn add(&mut self, other: &Self) {
        self.buyers = self.buyers.saturating_add(other.buyers);
        self.winners = self.winners.saturating_add(other.winners);
        self.units_sold = self.units_sold.saturating_add(other.units_sold);
        self.oversold = self.oversold.saturating_add(other.oversold);
        self.stale_reads = self.stale_reads.saturating_add(other.stale_reads);
        self.latency.merge(&other.latency);
    }

    /// The figures of the product of this number.
    pub(super) fn product(&mut self, item: Item) -> Product {
        Product {
            name: item.to_string(),
            reads: None,
            buyers: self.buyers,
            winners: self.winners,
            units_sold: self.units_sold,
            oversold: self.oversold,
            stale_reads: self.stale_reads,
            latency: self.latency.spread(),
        }
    }
}
