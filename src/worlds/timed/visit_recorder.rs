//! The recorder: takes in visits as buyers leave. What is kept of them is the recorder's business, so
//! that a world can see off a hundred million of them.

use crate::check::audit::RunningAudit;
use crate::check::report::{Banner, FigureTotals};
use crate::domain::buyer::Visit;
use crate::domain::op::Order;
use crate::stores::model::Standing;

/// Takes in visits.
pub(super) trait VisitRecorder {
    /// Takes in a buyer once nothing more can happen to it.
    fn see_off(&mut self, visit: &Visit, standing: &Standing);
}

/// A recorder that keeps everything, for the audit.
#[derive(Debug, Default)]
pub(super) struct Everything {
    pub(super) visits: Vec<Visit>,
    pub(super) orders: Vec<Order>,
    pub(super) payments: Vec<u64>,
}

impl VisitRecorder for Everything {
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

/// A recorder that keeps nothing but counts.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) gathered: FigureTotals,
    pub(super) audit: RunningAudit,
    pub(super) banners: [u64; Banner::ALL.len()],
}

impl VisitRecorder for Totals {
    fn see_off(&mut self, visit: &Visit, standing: &Standing) {
        self.gathered.see(visit);
        self.audit.see(visit, &standing.orders, standing.net_charges().into());
        if let Some(banner) = Banner::of(visit) {
            self.banners[banner as usize] += 1;
        }
    }
}
