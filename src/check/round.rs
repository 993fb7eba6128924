//! A round: everything that is known after all visits are over, in whatever world.

use serde::{Deserialize, Serialize};

use super::audit::Ledger;
use super::report::LockUse;
use crate::base::samples::Samples;
use crate::domain::books::Books;
use crate::domain::buyer::Visit;
use crate::domain::op::Units;

/// All that is known of one round after all visits are over.
#[derive(Clone, Debug)]
pub struct Round {
    /// Which round, counted from 1.
    pub number: u32,
    /// Units at the gun.
    pub stock: Units,
    /// Every buyer's visit, in no particular order. Times are nanoseconds after the gun.
    pub visits: Vec<Visit>,
    /// What the store says.
    pub books: Books,
    /// What the connections counted.
    pub tally: Counters,
}

impl Round {
    /// What there is to audit.
    #[must_use]
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger {
            stock: self.stock,
            visits: &self.visits,
            books: &self.books,
            leaked_locks: self.tally.leaked_locks,
            leaked_holds: self.tally.leaked_holds,
        }
    }
}

/// What was counted on one connection, or on several together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Compare-and-sets that did not take effect.
    pub cas_failures: u64,
    /// Versioned writes that did not take effect.
    pub version_conflicts: u64,
    /// Locks taken.
    pub lock_acquisitions: u64,
    /// Locks that another session held first.
    pub lock_waits: u64,
    /// Times that a buyer waited for a connection to the store.
    pub pool_waits: u64,
    /// Attempts that lost their connection, and with it an answer.
    pub disconnects: u64,
    /// Locks still held when their attempt was over.
    pub leaked_locks: u64,
    /// Holds still standing when their visit was over, though nothing had cut it short.
    pub leaked_holds: u64,
    /// How long each of [`Counters::lock_waits`] waited.
    pub lock_wait: Samples,
    /// How long each lock was held.
    pub lock_hold: Samples,
    /// How long each of [`Counters::pool_waits`] waited.
    pub pool_wait: Samples,
    /// Events that were simulated, in a simulated world.
    pub events: u64,
    /// The most buyers who were inside at once, where the world counted them.
    pub most_inside: u64,
    /// Buyers inside, added up over every nanosecond, where the world counted them.
    pub buyer_ns: Option<u128>,
    /// Holds that ran out, and units that they gave back.
    pub holds_expired: u64,
    /// Reads that did not see the latest write, by product, where there are copies.
    pub stale_reads: Vec<u64>,
    /// Winners who clicked later than a buyer who was rejected.
    pub overtakings: u64,
    /// The first locks that were asked for; none if they were not to be recorded.
    #[serde(skip)]
    pub lock_uses: Option<Vec<LockUse>>,
}

impl Counters {
    /// Adds another connection's.
    pub fn merge(&mut self, other: &Self) {
        self.cas_failures += other.cas_failures;
        self.version_conflicts += other.version_conflicts;
        self.lock_acquisitions += other.lock_acquisitions;
        self.lock_waits += other.lock_waits;
        self.pool_waits += other.pool_waits;
        self.disconnects += other.disconnects;
        self.pool_wait.merge(&other.pool_wait);
        self.leaked_locks += other.leaked_locks;
        self.leaked_holds += other.leaked_holds;
        self.lock_wait.merge(&other.lock_wait);
        self.lock_hold.merge(&other.lock_hold);
        self.events += other.events;
        self.most_inside = self.most_inside.max(other.most_inside);
        self.buyer_ns = self.buyer_ns.or(other.buyer_ns);
        self.holds_expired += other.holds_expired;
        self.stale_reads.resize(self.stale_reads.len().max(other.stale_reads.len()), 0);
        for (sum, more) in self.stale_reads.iter_mut().zip(&other.stale_reads) {
            *sum += more;
        }
        self.overtakings += other.overtakings;
        if let Some(uses) = &other.lock_uses {
            self.lock_uses.get_or_insert_default().extend_from_slice(uses);
        }
    }
}
