//! An order lost: the unit is taken and the buyer is told yes, but no order is written.
//!
//! *Where the bug is.* Between the answer and the order book. The shelf is right, the buyer is happy,
//! and nothing will ever be shipped.
//!
//! *Where it comes from.* An order that is to be written "later", from a queue whose errors are only
//! logged.

use crate::prelude::*;

/// Take, and forget.
pub struct OrderLost;

impl Strategy for OrderLost {
    fn about(&self) -> About {
        About {
            name: "order-lost",
            aliases: &[],
            summary: "take the unit, say yes, and never write the order",
            needs: &[OpKind::Take],
            carts: false,
            claim: Claim::Shows(FindingKind::LostOrder),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        Ok(Bought)
    }
}
