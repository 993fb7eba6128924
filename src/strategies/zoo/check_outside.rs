//! Check outside the lock: look first, and lock only for the part that changes something.
//!
//! *Where the race is.* Between the check and the lock. All buyers who saw the last unit line up in
//! good order; the first takes it, and each after it takes the stock further below zero.
//!
//! *Where it comes from.* "Do not hold the lock longer than you must", and double-checked locking
//! without the second check.

use crate::prelude::*;

/// Read, lock, write.
pub struct CheckOutside;

impl Strategy for CheckOutside {
    fn about(&self) -> About {
        About {
            name: "check-outside",
            aliases: &[],
            summary: "check first, then lock and act without checking again",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Write],
            carts: false,
            claim: Claim::Shows(FindingKind::Oversold),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if shop.read(want.item).await? < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.lock(want.item).await?;
        let now = shop.read(want.item).await?;
        shop.write(want.item, now - want.qty).await?;
        shop.place_order(want).await?;
        shop.unlock(want.item).await?;
        Ok(Bought)
    }
}
