//! The figures of one round, or of several together.

use serde::{Deserialize, Serialize};

use super::crowd::most_inside;
use super::product::{Product, ProductAccumulator};
use crate::base::samples::{DurationClass, Samples, Spread};
use crate::check::audit::Finding;
use crate::check::round::{Counters, Round};
use crate::domain::books::Books;
use crate::domain::buyer::{Ending, Visit};
use crate::domain::finding::FindingKind;
use crate::domain::op::{Item, Units, Want};

/// What happened, in numbers. Durations are nanoseconds; `docs/reference/report.md` describes each field.
/// Together several rounds are summed, but for maxima, percentiles and shares, which are of all rounds together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[allow(missing_docs, reason = "each field is described once, in METRICS")]
#[non_exhaustive]
pub struct Figures {
    pub buyers: u64,
    pub stock: i64,
    pub winners: u64,
    pub units_sold: i64,
    pub rejected: u64,
    pub abandoned: u64,
    pub declined: u64,
    pub expired: u64,
    pub failed: u64,
    pub resolved_deadlocks: u64,
    pub unserved: u64,
    pub oversold: u64,
    pub undersold: u64,
    pub stock_left: i64,
    pub lost_update: u64,
    pub leaked_stock: u64,
    pub negative_stock: u64,
    pub false_sold_out: u64,
    pub lost_order: u64,
    pub order_without_receipt: u64,
    pub charged_without_unit: u64,
    pub unit_without_charge: u64,
    pub double_charge: u64,
    pub leaked_lock: u64,
    pub leaked_hold: u64,
    pub deadlock: u64,
    pub livelock: u64,
    pub broken_rule: u64,
    pub findings: u64,
    pub attempts: u64,
    pub retries: u64,
    pub conflicts: u64,
    pub retries_per_sale: f64,
    pub wasted_work: f64,
    pub cas_failures: u64,
    pub version_conflicts: u64,
    pub lock_acquisitions: u64,
    pub lock_waits: u64,
    pub lock_wait: Spread,
    pub lock_hold: Spread,
    pub pool_waits: u64,
    pub pool_wait: Spread,
    pub disconnects: u64,
    pub deepest_queue: u64,
    pub holds_expired: u64,
    pub stale_reads: u64,
    pub overtakings: u64,
    pub most_inside: u64,
    pub mean_inside: f64,
    pub mean_latency: u64,
    pub latency: Spread,
    pub elapsed: u64,
    pub checkouts_per_second: f64,
}

impl Figures {
    /// Buyers that were served.
    #[must_use]
    pub(crate) fn served(&self) -> u64 {
        self.buyers.saturating_sub(self.unserved)
    }

    /// How much of a finding there is, in the unit of its kind.
    #[must_use]
    pub fn amount_of(mut self, kind: FindingKind) -> u64 {
        *self.amount_of_mut(kind)
    }

    /// The same, to be set.
    #[doc(hidden)]
    pub fn amount_of_mut(&mut self, kind: FindingKind) -> &mut u64 {
        match kind {
            FindingKind::Oversold => &mut self.oversold,
            FindingKind::Undersold => &mut self.undersold,
            FindingKind::LostUpdate => &mut self.lost_update,
            FindingKind::LeakedStock => &mut self.leaked_stock,
            FindingKind::NegativeStock => &mut self.negative_stock,
            FindingKind::FalseSoldOut => &mut self.false_sold_out,
            FindingKind::LostOrder => &mut self.lost_order,
            FindingKind::OrderWithoutReceipt => &mut self.order_without_receipt,
            FindingKind::ChargedWithoutUnit => &mut self.charged_without_unit,
            FindingKind::UnitWithoutCharge => &mut self.unit_without_charge,
            FindingKind::DoubleCharge => &mut self.double_charge,
            FindingKind::LeakedLock => &mut self.leaked_lock,
            FindingKind::LeakedHold => &mut self.leaked_hold,
            FindingKind::Deadlock => &mut self.deadlock,
            FindingKind::Livelock => &mut self.livelock,
            FindingKind::BrokenRule => &mut self.broken_rule,
        }
    }
}

/// Figures with the samples their percentiles come from, so that rounds can be added up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FigureTotals {
    figures: Figures,
    /// Added up. A thousand million simulated days are more nanoseconds than 64 bits can count.
    elapsed_ns: u128,
    latency: Samples,
    latency_sum_ns: u128,
    /// Buyers inside, added up over every nanosecond.
    buyer_ns: u128,
    lock_wait: Samples,
    pool_wait: Samples,
    lock_hold: Samples,
    /// By product, if there are several.
    products: Vec<ProductAccumulator>,
}

impl FigureTotals {
    /// Nothing yet, of a shop with so many products.
    #[must_use]
    pub fn of(items: usize) -> Self {
        let products =
            if items > 1 { vec![ProductAccumulator::default(); items] } else { Vec::new() };
        Self { products, ..Self::default() }
    }

    /// How long buyers took, in classes.
    #[must_use]
    pub fn latencies(&self) -> Vec<DurationClass> {
        self.latency.classes()
    }

    /// Of one round.
    #[must_use]
    pub fn from_round(round: &Round, findings: &[Finding]) -> Self {
        let mut gathered = Self::of(round.books.shelves.len());
        round.visits.iter().for_each(|visit| gathered.see(visit));
        gathered.close(&round.books, round.stock, &round.tally, findings);
        gathered.figures.most_inside = most_inside(&round.visits);
        gathered
    }

    /// Takes in one visit.
    pub fn see(&mut self, visit: &Visit) {
        let figures = &mut self.figures;
        figures.buyers += 1;
        match visit.ending {
            Ending::Bought => figures.winners += 1,
            Ending::Rejected => figures.rejected += 1,
            Ending::Abandoned => figures.abandoned += 1,
            Ending::Declined => figures.declined += 1,
            Ending::Expired => figures.expired += 1,
            Ending::Failed(_) => figures.failed += 1,
            Ending::Unserved => figures.unserved += 1,
        }
        figures.units_sold += visit.receipt().map_or(0, Want::units);
        figures.attempts += u64::from(visit.attempts);
        figures.retries += u64::from(visit.attempts.saturating_sub(1));
        figures.conflicts += u64::from(visit.conflicts);
        self.elapsed_ns = self.elapsed_ns.max(visit.ended_ns.into());
        if visit.ending != Ending::Unserved {
            self.latency.record(visit.latency_ns());
            self.latency_sum_ns += u128::from(visit.latency_ns());
        }
        if !self.products.is_empty() {
            for item in visit.want.items() {
                if let Some(product) = self.products.get_mut(usize::from(item.0)) {
                    product.see(visit);
                }
            }
        }
    }

    /// Takes in what is known when all visits are over.
    pub fn close(&mut self, books: &Books, stock: Units, tally: &Counters, findings: &[Finding]) {
        let figures = &mut self.figures;
        figures.stock = match &books.put_up[..] {
            [] => i64::from(stock) * books.shelves.len() as i64,
            all => all.iter().map(|units| i64::from(*units)).sum(),
        };
        figures.stock_left = books.shelves.iter().map(|left| i64::from(*left)).sum();
        figures.deepest_queue = books.deepest_queue;
        figures.resolved_deadlocks = books.deadlocks;
        figures.cas_failures = tally.cas_failures;
        figures.version_conflicts = tally.version_conflicts;
        figures.lock_acquisitions = tally.lock_acquisitions;
        figures.lock_waits = tally.lock_waits;
        figures.pool_waits = tally.pool_waits;
        figures.disconnects = tally.disconnects;
        figures.holds_expired = tally.holds_expired;
        figures.stale_reads = tally.stale_reads.iter().sum();
        for (number, product) in self.products.iter_mut().enumerate() {
            product.close(stock, tally.stale_reads.get(number).copied().unwrap_or(0));
        }
        figures.overtakings = tally.overtakings;
        figures.most_inside = tally.most_inside;
        // Where the world did not count buyers moment by moment, each was inside for as long as its latency.
        self.buyer_ns = tally.buyer_ns.unwrap_or(self.latency_sum_ns);
        figures.findings = findings.len() as u64;
        for finding in findings {
            *figures.amount_of_mut(finding.kind) += finding.amount;
        }
        self.lock_wait.merge(&tally.lock_wait);
        self.pool_wait.merge(&tally.pool_wait);
        self.lock_hold.merge(&tally.lock_hold);
    }

    /// Adds another round's.
    pub fn add(&mut self, other: &Self) {
        let (sum, more) = (&mut self.figures, &other.figures);
        // What was read from a file may be too much to be added up.
        macro_rules! add {
            ($($name:ident)*) => { $(sum.$name = sum.$name.saturating_add(more.$name);)* };
        }
        add!(buyers stock winners units_sold rejected abandoned declined expired failed);
        add!(resolved_deadlocks unserved stock_left attempts retries conflicts cas_failures);
        add!(version_conflicts lock_acquisitions lock_waits pool_waits disconnects holds_expired);
        add!(stale_reads overtakings);
        for kind in FindingKind::ALL {
            let amount = sum.amount_of_mut(kind);
            *amount = amount.saturating_add(more.amount_of(kind));
        }
        sum.deepest_queue = sum.deepest_queue.max(more.deepest_queue);
        sum.most_inside = sum.most_inside.max(more.most_inside);
        self.elapsed_ns = self.elapsed_ns.saturating_add(other.elapsed_ns);
        self.latency.merge(&other.latency);
        self.latency_sum_ns = self.latency_sum_ns.saturating_add(other.latency_sum_ns);
        self.buyer_ns = self.buyer_ns.saturating_add(other.buyer_ns);
        self.lock_wait.merge(&other.lock_wait);
        self.pool_wait.merge(&other.pool_wait);
        self.lock_hold.merge(&other.lock_hold);
        self.products.resize_with(self.products.len().max(other.products.len()), Default::default);
        for (sum, more) in self.products.iter_mut().zip(&other.products) {
            sum.add(more);
        }
    }

    /// The figures by product, if there are several.
    #[must_use]
    pub fn products(&mut self) -> Vec<Product> {
        let numbered = self.products.iter_mut().zip(0..);
        numbered.map(|(product, number)| product.product(Item(number))).collect()
    }

    /// How long it took from a buyer's click to its answer on average, in ns.
    #[must_use]
    pub fn mean_latency_ns(&self) -> f64 {
        self.latency_sum_ns as f64 / self.figures.served().max(1) as f64
    }

    /// The figures, with everything that is derived from others worked out.
    #[must_use]
    pub fn figures(&mut self) -> Figures {
        let share =
            |part: u64, whole: u128| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let figures = self.figures;
        Figures {
            retries_per_sale: share(figures.retries, figures.winners.into()),
            wasted_work: share(figures.conflicts, figures.attempts.into()),
            mean_inside: self.buyer_ns as f64 / self.elapsed_ns.max(1) as f64,
            mean_latency: self.mean_latency_ns().round() as u64,
            latency: self.latency.spread(),
            lock_wait: self.lock_wait.spread(),
            pool_wait: self.pool_wait.spread(),
            lock_hold: self.lock_hold.spread(),
            elapsed: u64::try_from(self.elapsed_ns).unwrap_or(u64::MAX),
            checkouts_per_second: share(figures.served(), self.elapsed_ns) * 1e9,
            ..figures
        }
    }
}
