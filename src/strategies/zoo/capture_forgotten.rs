//! Money that is set aside and never captured.
//!
//! *Where the race is.* Between the order and the capture. The server dies there, the order stands, the goods
//! are sent, and a week later the authorisation runs out.
//!
//! *Where it comes from.* A capture in the same request as the order, and no job that looks for orders whose
//! money still waits.

use crate::prelude::*;
use crate::strategies::authorize::Authorize;

/// The attempt of [`Authorize`], unchanged, but without its recovery.
pub struct CaptureForgotten;

impl Strategy for CaptureForgotten {
    fn about(&self) -> About {
        About {
            name: "capture-forgotten",
            aliases: &[],
            summary: "set money aside, take and order, then move it, if the server is still there",
            needs: &[OpKind::Pay, OpKind::Transaction, OpKind::Take],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::UnitWithoutCharge, &[("crashes", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        Authorize.attempt(shop, want).await
    }
}
