//! The occupancy: how many buyers are inside a checkout, counted as time goes by.
//!
//! By Little's law ("A proof for the queuing formula L = λW", 1961) their mean number is the rate at which they
//! come times how long each stays on average. Both sides stand in the report, counted apart: this one by the
//! moment, the other by the visit.

/// Buyers who have clicked and have no answer yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Occupancy {
    inside: u64,
    most: u64,
    /// Until when it was counted, in ns after the opening.
    until_ns: u64,
    /// Buyers inside, added up over every nanosecond until then.
    buyer_ns: u128,
}

impl Occupancy {
    /// A buyer clicks.
    pub(super) fn comes(&mut self, now_ns: u64) {
        self.count(now_ns);
        self.inside += 1;
        self.most = self.most.max(self.inside);
    }

    /// A buyer's answer is on its way, and will arrive at `answered_ns`.
    pub(super) fn leaves(&mut self, now_ns: u64, answered_ns: u64) {
        self.count(now_ns);
        self.inside -= 1;
        self.buyer_ns += u128::from(answered_ns - now_ns);
    }

    fn count(&mut self, now_ns: u64) {
        self.buyer_ns += u128::from(self.inside) * u128::from(now_ns - self.until_ns);
        self.until_ns = now_ns;
    }

    /// The most who were inside at once.
    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// Buyers inside, added up over every nanosecond.
    pub(super) fn buyer_ns(&self) -> u128 {
        self.buyer_ns
    }
}
