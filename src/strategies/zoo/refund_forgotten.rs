//! The hold ran out, the buyer is told so, and the shop keeps its money.
//!
//! *Where the race is.* Between the timer and the payment, as with every hold. Here the shop notices, turns
//! the buyer away, and forgets that it has been paid.
//!
//! *Where it comes from.* An early return between two systems. Support hears of it first.

use crate::prelude::*;

/// Hold, pay, too late, goodbye.
pub struct RefundForgotten;

impl Strategy for RefundForgotten {
    fn about(&self) -> About {
        About {
            name: "refund-forgotten",
            aliases: &[],
            summary: "hold, pay, and keep the money when the hold has run out",
            needs: &[OpKind::Hold, OpKind::Pay],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::ChargedWithoutUnit, &[("expiries", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.hold(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.away().await?;
        shop.charge_once().await?;
        if !shop.confirm(want.item).await? {
            return Err(Expired);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
