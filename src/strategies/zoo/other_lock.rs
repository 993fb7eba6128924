//! Check under one lock, act under another: both halves are locked, each by itself.
//!
//! *Where the race is.* Between the two locks, where the buyer holds neither, and during both. A buyer
//! whose cart begins with the other product takes the same two locks in the other order, so that both
//! can check at once, and both can write at once.
//!
//! *Where it comes from.* A check in one service and a write in another, each `synchronized` on an
//! object of its own; a lock on the first line of an order, taken for a lock on the order.

use crate::prelude::*;

/// Lock the first, check all, unlock; lock the last, act on all, unlock.
pub struct OtherLock;

impl Strategy for OtherLock {
    fn about(&self) -> About {
        About {
            name: "other-lock",
            aliases: &[],
            summary: "check a cart under the lock of its first product, act under that of its last",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Write],
            carts: true,
            claim: Claim::Shows(FindingKind::Oversold),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let first = want.item;
        let last = want.items().last().unwrap_or(first);
        let mut seen = Vec::new();
        shop.lock(first).await?;
        for item in want.items() {
            seen.push(shop.read(item).await?);
        }
        shop.unlock(first).await?;
        if seen.iter().any(|stock| *stock < want.qty) {
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.lock(last).await?;
        for (item, stock) in want.items().zip(seen) {
            shop.write(item, stock - want.qty).await?;
        }
        shop.place_order(want).await?;
        shop.unlock(last).await?;
        Ok(Bought)
    }
}
