//! Two tabs: one buyer, one cart, two clicks, and no idempotency key.
//!
//! *Where the bug is.* Each request is right by itself, and the shop cannot tell that they are one.
//! The buyer has one receipt and two orders. Nothing is oversold, and it needs no second buyer.
//!
//! *Where it comes from.* A double click on "Place your order"; a client that retries after a timeout
//! the request it does not know went through.

use crate::prelude::*;

/// Take and order, twice.
pub struct TwoTabs;

impl Strategy for TwoTabs {
    fn about(&self) -> About {
        About {
            name: "two-tabs",
            aliases: &[],
            summary: "the same order sent from two tabs, without an idempotency key",
            needs: &[OpKind::Take],
            carts: false,
            // The second tab needs a unit, too.
            claim: Claim::ShowsWhen(FindingKind::OrderWithoutReceipt, &[("stock", "2")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        if shop.take(want.item, want.qty).await? {
            shop.place_order(want).await?;
        }
        Ok(Bought)
    }
}
