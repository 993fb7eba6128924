//! The payment was declined, and the hold stays until its timer runs out.
//!
//! *Where the race is.* There is none: one way out of the checkout forgets to clean up. For ten minutes the
//! last unit is reserved for a buyer who has left.
//!
//! *Where it comes from.* "The timer will take care of it." It does, but the sale is over by then.

use crate::prelude::*;

/// Hold, be declined, leave.
pub struct HoldKept;

impl Strategy for HoldKept {
    fn about(&self) -> About {
        About {
            name: "hold-kept",
            aliases: &[],
            summary: "hold, and when the payment is declined leave without giving the units back",
            needs: &[OpKind::Hold, OpKind::Pay],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::LeakedHold, &[("declines", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.hold(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.away().await?;
        if shop.charge_once().await? == Payment::Declined {
            return Err(Declined);
        }
        if !shop.confirm(want.item).await? {
            shop.refund().await?;
            return Err(Expired);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
