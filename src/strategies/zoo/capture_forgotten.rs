//! Money that was set aside, and that nobody ever moves.
//!
//! *Where the race is.* Between the order and the capture. The server dies there, the order stands, the goods
//! are sent, and a week later the authorisation runs out.
//!
//! *Where it comes from.* A capture in the same request as the order, and no job that looks for orders whose
//! money still waits.

use crate::prelude::*;

/// Set the money aside, take and order, capture; and look after nobody.
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
        loop {
            match shop.authorize().await? {
                Payment::Approved => break,
                Payment::Unknown => {}
                Payment::Declined => return Err(Declined),
            }
        }
        shop.begin().await?;
        if !shop.take(want.item, want.qty).await? {
            shop.rollback().await?;
            shop.void().await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        shop.commit().await?;
        while shop.capture().await? != Payment::Approved {}
        Ok(Bought)
    }
}
