//! A hold that is confirmed, and the answer is ignored.
//!
//! *Where the race is.* Between the timer and the payment. The hold has run out, its unit went back to the
//! shelf and to another buyer, and the order is written all the same.
//!
//! *Where it comes from.* "It was reserved, so it is ours": the confirming call returns a row count that
//! the code never reads.

use crate::prelude::*;

/// Hold, pay, confirm in vain, order.
pub struct ConfirmUnheeded;

impl Strategy for ConfirmUnheeded {
    fn about(&self) -> About {
        About {
            name: "confirm-unheeded",
            aliases: &[],
            summary: "hold, pay, confirm, and order whatever the answer was",
            needs: &[OpKind::Hold, OpKind::Pay],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::Oversold, &[("expiries", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.hold(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.away().await?;
        shop.charge_once().await?;
        let _ = shop.confirm(want.item).await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
