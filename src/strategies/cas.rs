//! Compare-and-swap: act only if the stock is still what we saw.
//!
//! *Where the race was.* Between read and write; now the write itself checks that the stock has not
//! moved, and says so if it has.
//!
//! *What it guarantees.* No oversell, and of all buyers that collide one always succeeds (lock-free).
//! The others conflict and try again. It compares the *value*: stock that went down and came back up
//! looks untouched (the ABA problem), which for a plain count of units does no harm.
//!
//! *Who does this.* `compare_exchange` on one machine; `UPDATE … WHERE stock = :seen` in SQL.
//! Herlihy, "Wait-free synchronization", 1991.

use crate::prelude::*;

/// Read, then compare-and-swap.
pub struct Cas;

impl Strategy for Cas {
    fn about(&self) -> About {
        About {
            name: "cas",
            aliases: &["atomic", "compare-and-swap"],
            summary: "write only if the stock is still what was read",
            needs: &[OpKind::Read, OpKind::CompareAndSet],
            carts: false,
            claim: Claim::Safe,
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        if !shop.compare_and_set(want.item, seen, seen - want.qty).await? {
            return Err(Conflict);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
