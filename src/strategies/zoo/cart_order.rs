//! Locked in the order of the cart: every lock is taken that is needed, but in no common order.
//!
//! *Where the bug is.* One buyer holds the book and waits for the lamp, the other holds the lamp and
//! waits for the book. Nothing is oversold, and nothing is ever sold again.
//!
//! *Where it comes from.* A loop over the lines of an order with a row lock in it; it goes well as long
//! as carts share one product at most, which in testing they do.

use crate::prelude::*;

/// Lock as they come, check all, act on all, unlock all.
pub struct CartOrder;

impl Strategy for CartOrder {
    fn about(&self) -> About {
        About {
            name: "cart-order",
            aliases: &[],
            summary: "lock the products of a cart in the order in which they were put there",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Write],
            carts: true,
            claim: Claim::Shows(FindingKind::Deadlock),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let mut seen = Vec::new();
        for item in want.items() {
            shop.lock(item).await?;
            seen.push(shop.read(item).await?);
        }
        let enough = seen.iter().all(|stock| *stock >= want.qty);
        if enough {
            shop.think().await?;
            for (item, stock) in want.items().zip(seen) {
                shop.write(item, stock - want.qty).await?;
            }
            shop.place_order(want).await?;
        }
        for item in want.items() {
            shop.unlock(item).await?;
        }
        if enough { Ok(Bought) } else { Err(SoldOut) }
    }
}
