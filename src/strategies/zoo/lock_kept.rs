//! A lock kept: every way out releases it, except the one when too little is left.
//!
//! *Where the bug is.* In the early return. Nothing is oversold; the next buyer waits until the
//! connection of the buyer who left is closed.
//!
//! *Where it comes from.* `lock(); if (stock < qty) return SOLD_OUT; …; unlock();` without a `finally`.

use crate::prelude::*;

/// Lock, and sometimes unlock.
pub struct LockKept;

impl Strategy for LockKept {
    fn about(&self) -> About {
        About {
            name: "lock-kept",
            aliases: &[],
            summary: "lock, check, and leave without unlocking when sold out",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Write],
            carts: false,
            claim: Claim::Shows(FindingKind::LeakedLock),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.lock(want.item).await?;
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        shop.unlock(want.item).await?;
        Ok(Bought)
    }
}
