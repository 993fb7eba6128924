//! The figures by name: one list that `--expect`, CSV and the documentation share.

use super::figures::Figures;

/// A figure's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    /// Things.
    Count(i64),
    /// A share, from 0 to 1.
    Share(f64),
    /// A ratio or a rate.
    Ratio(f64),
    /// A duration, in nanoseconds.
    Nanos(u64),
}

impl MetricValue {
    /// The value as a number: a duration in nanoseconds.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            Self::Count(number) => number as f64,
            Self::Share(number) | Self::Ratio(number) => number,
            Self::Nanos(nanos) => nanos as f64,
        }
    }
}

/// One figure: its name in JSON, CSV and `--expect`, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// The name; a dot leads into an inner table.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Reads it.
    pub value: fn(&Figures) -> MetricValue,
}

macro_rules! metrics {
    ($($name:literal $unit:literal $meaning:literal $value:expr;)+) => {
        /// Every figure of a round, in the order of the JSON report.
        pub static METRICS: &[Metric] = &[
            $(Metric { name: $name, unit: $unit, meaning: $meaning, value: $value },)+
        ];
    };
}

fn things(number: u64) -> MetricValue {
    MetricValue::Count(i64::try_from(number).unwrap_or(i64::MAX))
}

metrics! {
    "buyers" "buyers" "who came" |f| things(f.buyers);
    "stock" "units" "there at the gun" |f| MetricValue::Count(f.stock);
    "winners" "buyers" "with a receipt" |f| things(f.winners);
    "units_sold" "units" "promised, by receipt" |f| MetricValue::Count(f.units_sold);
    "rejected" "buyers" "told that too little is left" |f| things(f.rejected);
    "abandoned" "buyers" "who left without an answer: out of retries or patience, sent away at the door, or never paid" |f| things(f.abandoned);
    "declined" "buyers" "whose payment did not go through" |f| things(f.declined);
    "expired" "buyers" "whose reservation ran out before they had paid" |f| things(f.expired);
    "failed" "buyers" "for whom something broke; `explore` counts orders, see below" |f| things(f.failed);
    "resolved_deadlocks" "attempts" "that the database aborted to resolve a deadlock; `explore` counts orders, see below"
        |f| things(f.resolved_deadlocks);
    "unserved" "buyers" "not served because the race was interrupted" |f| things(f.unserved);
    "oversold" "units" "promised beyond the stock" |f| things(f.oversold);
    "undersold" "units" "unsold that a buyer who went home without would have taken"
        |f| things(f.undersold);
    "stock_left" "units" "on the shelf at the end; can be below zero" |f| MetricValue::Count(f.stock_left);
    "lost_update" "units" "sold without the shelf falling" |f| things(f.lost_update);
    "leaked_stock" "units" "gone from the shelf without being sold" |f| things(f.leaked_stock);
    "negative_stock" "units" "by which the shelf ended below zero" |f| things(f.negative_stock);
    "false_sold_out" "buyers" "told \"sold out\" when enough was left, provably"
        |f| things(f.false_sold_out);
    "lost_order" "buyers" "with a receipt that the order book does not know"
        |f| things(f.lost_order);
    "order_without_receipt" "buyers" "with more units in the order book than on the receipt"
        |f| things(f.order_without_receipt);
    "charged_without_unit" "buyers" "who paid, and no order is theirs"
        |f| things(f.charged_without_unit);
    "unit_without_charge" "buyers" "with an order that they have not paid for"
        |f| things(f.unit_without_charge);
    "double_charge" "buyers" "who paid more than once" |f| things(f.double_charge);
    "leaked_lock" "locks" "still held when their attempt was over" |f| things(f.leaked_lock);
    "leaked_hold" "holds" "still standing when their visit was over" |f| things(f.leaked_hold);
    "deadlock" "buyers" "that wait for each other for ever; only `explore` sees it: in a race patience ends every wait, and a deadlock that a database resolves counts as `resolved_deadlocks`"
        |f| things(f.deadlock);
    "broken_rule" "rules" "of the shop's own audit that do not hold; only of a checkout in a file"
        |f| things(f.broken_rule);
    "livelock" "times" "that a buyer retries for ever; only `explore` sees it"
        |f| things(f.livelock);
    "findings" "kinds" "of finding" |f| things(f.findings);
    "attempts" "attempts" "made, first ones and retries" |f| things(f.attempts);
    "retries" "attempts" "beyond each buyer's first" |f| things(f.retries);
    "conflicts" "attempts" "that ended because another buyer got in between" |f| things(f.conflicts);
    "retries_per_sale" "ratio" "retries to winners; 0 without winners"
        |f| MetricValue::Ratio(f.retries_per_sale);
    "wasted_work" "share" "attempts thrown away, of all attempts" |f| MetricValue::Share(f.wasted_work);
    "cas_failures" "ops" "compare-and-sets that found another value" |f| things(f.cas_failures);
    "version_conflicts" "ops" "versioned writes that found another version"
        |f| things(f.version_conflicts);
    "lock_acquisitions" "locks" "taken" |f| things(f.lock_acquisitions);
    "lock_waits" "locks" "taken that another buyer held first" |f| things(f.lock_waits);
    "lock_wait.p50" "ns" "wait for a lock that was held, half" |f| MetricValue::Nanos(f.lock_wait.p50);
    "lock_wait.p90" "ns" "the same, nine in ten" |f| MetricValue::Nanos(f.lock_wait.p90);
    "lock_wait.p99" "ns" "the same, 99 in 100" |f| MetricValue::Nanos(f.lock_wait.p99);
    "lock_wait.max" "ns" "the same, the longest" |f| MetricValue::Nanos(f.lock_wait.max);
    "lock_hold.p50" "ns" "time a lock was held, half" |f| MetricValue::Nanos(f.lock_hold.p50);
    "lock_hold.p90" "ns" "the same, nine in ten" |f| MetricValue::Nanos(f.lock_hold.p90);
    "lock_hold.p99" "ns" "the same, 99 in 100" |f| MetricValue::Nanos(f.lock_hold.p99);
    "lock_hold.max" "ns" "the same, the longest" |f| MetricValue::Nanos(f.lock_hold.max);
    "pool_waits" "times" "that a buyer waited for a connection to the store"
        |f| things(f.pool_waits);
    "pool_wait.p50" "ns" "wait for a connection, half" |f| MetricValue::Nanos(f.pool_wait.p50);
    "pool_wait.p90" "ns" "the same, nine in ten" |f| MetricValue::Nanos(f.pool_wait.p90);
    "pool_wait.p99" "ns" "the same, 99 in 100" |f| MetricValue::Nanos(f.pool_wait.p99);
    "pool_wait.max" "ns" "the same, the longest" |f| MetricValue::Nanos(f.pool_wait.max);
    "disconnects" "attempts"
        "that lost the connection, and with it an answer: their buyers looked for what had become of them"
        |f| things(f.disconnects);
    "deepest_queue" "requests" "in front of the worker, at most" |f| things(f.deepest_queue);
    "holds_expired" "holds" "that ran out, and whose units went back" |f| things(f.holds_expired);
    "stale_reads" "reads" "that did not see the latest write" |f| things(f.stale_reads);
    "overtakings" "winners" "who clicked later than a buyer who was rejected"
        |f| things(f.overtakings);
    "most_inside" "buyers" "inside a checkout at once, at most" |f| things(f.most_inside);
    "mean_inside" "buyers" "inside a checkout, on average over the time elapsed"
        |f| MetricValue::Ratio(f.mean_inside);
    "mean_latency" "ns" "from a buyer's click to its answer, on average"
        |f| MetricValue::Nanos(f.mean_latency);
    "latency.p50" "ns" "from a buyer's click to its answer, half" |f| MetricValue::Nanos(f.latency.p50);
    "latency.p90" "ns" "the same, nine in ten" |f| MetricValue::Nanos(f.latency.p90);
    "latency.p99" "ns" "the same, 99 in 100" |f| MetricValue::Nanos(f.latency.p99);
    "latency.max" "ns" "the same, the longest" |f| MetricValue::Nanos(f.latency.max);
    "elapsed" "ns" "from the gun to the last answer" |f| MetricValue::Nanos(f.elapsed);
    "checkouts_per_second" "per second" "buyers served, by elapsed time"
        |f| MetricValue::Ratio(f.checkouts_per_second);
}
