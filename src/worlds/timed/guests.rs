//! The guestbook: takes in visits as buyers leave. What is kept of them is the guestbook's business, so
//! that a world can see off a hundred million of them.

use crate::buyer::{Ending, Visit};
use crate::op::Order;
use crate::stores::model::Standing;

/// Takes in visits.
pub(super) trait Guestbook {
    /// A buyer of whom nothing is left to wait for.
    fn see_off(&mut self, visit: &Visit, standing: &Standing);
}

/// A guestbook that keeps everything, for the audit.
#[derive(Debug, Default)]
pub(super) struct Everything {
    pub(super) visits: Vec<Visit>,
    pub(super) orders: Vec<Order>,
    pub(super) payments: Vec<u64>,
}

impl Guestbook for Everything {
    fn see_off(&mut self, visit: &Visit, standing: &Standing) {
        let buyer = visit.buyer as usize;
        if self.payments.len() <= buyer {
            self.payments.resize(buyer + 1, 0);
        }
        self.payments[buyer] = standing.net_charges().into();
        let orders = standing.orders.iter().map(|want| Order { buyer: visit.buyer, want: *want });
        self.orders.extend(orders);
        self.visits.push(*visit);
    }
}

impl Everything {
    /// Winners who clicked later than somebody who was turned away.
    pub(super) fn overtakings(&self) -> u64 {
        let clicks = |ending| {
            let visits = self.visits.iter().filter(move |visit| visit.ending == ending);
            visits.map(|visit| visit.began_ns)
        };
        let Some(first) = clicks(Ending::TurnedAway).min() else { return 0 };
        clicks(Ending::Bought).filter(|clicked| *clicked > first).count() as u64
    }
}
