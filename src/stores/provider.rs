//! The payment provider: it belongs to no store, and is the same for all of them. Here it approves every payment.

use parking_lot::Mutex;

use super::model::Standing;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{BuyerId, Op, Payment, Reply};

/// What the provider knows of each buyer.
#[derive(Debug)]
pub(crate) struct Provider {
    standings: Vec<Mutex<Standing>>,
}

impl Provider {
    /// A provider for this many buyers; 0 if the checkout makes no payments.
    pub(crate) fn open(buyers: u32) -> Self {
        Self { standings: (0..buyers).map(|_| Mutex::default()).collect() }
    }

    /// Does an op about this buyer's money.
    pub(crate) fn call(&self, buyer: BuyerId, op: Op) -> Result<Reply, Missed> {
        let reply = self
            .standings
            .get(buyer as usize)
            .and_then(|standing| standing.lock().at_provider(op, Payment::Approved));
        reply.ok_or(Missed::Failed(Failure::Unsupported))
    }

    /// Payments of each buyer, less refunds; none if the checkout makes no payments.
    pub(crate) fn payments(&self) -> Option<Vec<u64>> {
        let net = |standing: &Mutex<Standing>| standing.lock().net_charges().into();
        (!self.standings.is_empty()).then(|| self.standings.iter().map(net).collect())
    }
}
