//! Pessimistic locking: assume that another buyer will interfere, and keep all others out.
//!
//! *Where the race was.* Between read and write; now both happen under a lock, so that no other buyer
//! can read in between.
//!
//! *What it guarantees.* No oversell, no conflict, no retry; buyers wait in line instead, and think
//! time is spent while holding the lock.
//!
//! *Who does this.* `SELECT … FOR UPDATE` in SQL; `synchronized`, a mutex, in one process.

use crate::prelude::*;

/// Lock, check, act, unlock.
pub struct Pessimistic;

impl Strategy for Pessimistic {
    fn about(&self) -> About {
        About {
            name: "pessimistic",
            aliases: &["mutex", "lock"],
            summary: "lock, check, act, unlock: one buyer at a time",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Write],
            carts: false,
            claim: Claim::Safe,
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.lock(want.item).await?;
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            shop.unlock(want.item).await?;
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        shop.unlock(want.item).await?;
        Ok(Bought)
    }
}
