//! Locked twice: the checkout holds the lock and calls a helper that takes it, too.
//!
//! *Where the bug is.* The lock is not re-entrant, so the buyer waits for itself. One buyer is enough;
//! all later ones wait behind it.
//!
//! *Where it comes from.* A function that was safe to call by itself, called from a place that had
//! just been made safe.

use crate::prelude::*;

/// Lock, lock.
pub struct LockTwice;

impl Strategy for LockTwice {
    fn about(&self) -> About {
        About {
            name: "lock-twice",
            aliases: &[],
            summary: "lock, and lock again in a helper that does not know",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Write],
            carts: false,
            claim: Claim::Shows(FindingKind::Deadlock),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.lock(want.item).await?;
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            shop.unlock(want.item).await?;
            return Err(SoldOut);
        }
        shop.lock(want.item).await?;
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        shop.unlock(want.item).await?;
        Ok(Bought)
    }
}
