//! The figures of one round, or of several together.

use serde::Serialize;

use super::crowd::most_inside;
use crate::audit::Finding;
use crate::buyer::{Ending, Visit};
use crate::finding::FindingKind;
use crate::samples::{Samples, Spread};
use crate::worlds::threads::Round;

/// What happened, in numbers. Durations are nanoseconds; what each field means stands with its name
/// in [`METRICS`](super::METRICS), and together several rounds are summed, but for maxima,
/// percentiles and shares, which are of all rounds together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "each field is described once, in METRICS")]
pub struct Figures {
    pub buyers: u64,
    pub stock: i64,
    pub winners: u64,
    pub units_sold: i64,
    pub turned_away: u64,
    pub gave_up: u64,
    pub declined: u64,
    pub expired: u64,
    pub failed: u64,
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
    pub stuck_buyers: u64,
    pub livelock: u64,
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
    pub deepest_queue: u64,
    pub holds_expired: u64,
    pub stale_reads: u64,
    pub overtakings: u64,
    pub most_inside: u64,
    pub latency: Spread,
    pub elapsed: u64,
    pub checkouts_per_second: f64,
}

impl Figures {
    /// How much of a finding there is, in the unit of its kind.
    #[must_use]
    pub fn amount_of(mut self, kind: FindingKind) -> u64 {
        *self.amount_of_mut(kind)
    }

    /// The same, to be set.
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
            FindingKind::StuckBuyers => &mut self.stuck_buyers,
            FindingKind::Livelock => &mut self.livelock,
        }
    }
}

/// Figures with the samples their percentiles come from, so that rounds can be added up.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    figures: Figures,
    latency: Samples,
    lock_wait: Samples,
    lock_hold: Samples,
}

impl Gathered {
    /// Of one round.
    #[must_use]
    pub fn from_round(round: &Round, findings: &[Finding]) -> Self {
        let ledger = round.ledger();
        let ended = |is: fn(&Ending) -> bool| {
            round.visits.iter().filter(|visit| is(&visit.ending)).count() as u64
        };
        let sum = |of: fn(&Visit) -> u32| round.visits.iter().map(of).map(u64::from).sum();
        let mut latency = Samples::default();
        for visit in round.visits.iter().filter(|visit| visit.ending != Ending::Unserved) {
            latency.record(visit.latency_ns());
        }
        let mut gathered = Self {
            figures: Figures {
                buyers: round.visits.len() as u64,
                stock: i64::from(round.stock) * round.books.shelves.len() as i64,
                winners: ended(|ending| *ending == Ending::Bought),
                units_sold: ledger.units_sold(),
                turned_away: ended(|ending| *ending == Ending::TurnedAway),
                gave_up: ended(|ending| *ending == Ending::GaveUp),
                declined: ended(|ending| *ending == Ending::Declined),
                expired: ended(|ending| *ending == Ending::Expired),
                failed: ended(|ending| matches!(ending, Ending::Failed(_))),
                unserved: ended(|ending| *ending == Ending::Unserved),
                stock_left: round.books.shelves.iter().map(|left| i64::from(*left)).sum(),
                findings: findings.len() as u64,
                attempts: sum(|visit| visit.attempts),
                retries: sum(|visit| visit.attempts.saturating_sub(1)),
                conflicts: sum(|visit| visit.conflicts),
                cas_failures: round.tally.cas_failures,
                version_conflicts: round.tally.version_conflicts,
                lock_acquisitions: round.tally.lock_acquisitions,
                lock_waits: round.tally.lock_waits,
                deepest_queue: round.books.deepest_queue,
                holds_expired: round.tally.holds_expired,
                stale_reads: round.tally.stale_reads,
                overtakings: round.tally.overtakings,
                most_inside: most_inside(&round.visits),
                elapsed: round.visits.iter().map(|visit| visit.ended_ns).max().unwrap_or(0),
                ..Figures::default()
            },
            latency,
            lock_wait: round.tally.lock_wait.clone(),
            lock_hold: round.tally.lock_hold.clone(),
        };
        for finding in findings {
            *gathered.figures.amount_of_mut(finding.kind) += finding.amount;
        }
        gathered
    }

    /// Adds another round's.
    pub fn add(&mut self, other: &Self) {
        let (sum, more) = (&mut self.figures, &other.figures);
        sum.buyers += more.buyers;
        sum.stock += more.stock;
        sum.winners += more.winners;
        sum.units_sold += more.units_sold;
        sum.turned_away += more.turned_away;
        sum.gave_up += more.gave_up;
        sum.declined += more.declined;
        sum.expired += more.expired;
        sum.failed += more.failed;
        sum.unserved += more.unserved;
        sum.stock_left += more.stock_left;
        for kind in FindingKind::ALL {
            *sum.amount_of_mut(kind) += more.amount_of(kind);
        }
        sum.attempts += more.attempts;
        sum.retries += more.retries;
        sum.conflicts += more.conflicts;
        sum.cas_failures += more.cas_failures;
        sum.version_conflicts += more.version_conflicts;
        sum.lock_acquisitions += more.lock_acquisitions;
        sum.lock_waits += more.lock_waits;
        sum.deepest_queue = sum.deepest_queue.max(more.deepest_queue);
        sum.holds_expired += more.holds_expired;
        sum.stale_reads += more.stale_reads;
        sum.overtakings += more.overtakings;
        sum.most_inside = sum.most_inside.max(more.most_inside);
        sum.elapsed += more.elapsed;
        self.latency.merge(&other.latency);
        self.lock_wait.merge(&other.lock_wait);
        self.lock_hold.merge(&other.lock_hold);
    }

    /// The figures, with everything that is derived from others worked out.
    #[must_use]
    pub fn figures(&mut self) -> Figures {
        let share =
            |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let figures = self.figures;
        Figures {
            retries_per_sale: share(figures.retries, figures.winners),
            wasted_work: share(figures.conflicts, figures.attempts),
            latency: self.latency.spread(),
            lock_wait: self.lock_wait.spread(),
            lock_hold: self.lock_hold.spread(),
            checkouts_per_second: share(figures.buyers - figures.unserved, figures.elapsed) * 1e9,
            ..figures
        }
    }
}
