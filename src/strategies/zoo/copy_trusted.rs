//! A lock around a look at a copy.
//!
//! *Where the race is.* Between the leader and its replica. The lock is taken and given back as it should be,
//! but the stock is read from a replica, where the last sale has not arrived yet.
//!
//! *Where it comes from.* A database driver that sends every SELECT to a replica, because it was not told
//! that this one decides a sale.

use crate::prelude::*;

/// Lock, look at a copy, decrement, unlock.
pub struct CopyTrusted;

impl Strategy for CopyTrusted {
    fn about(&self) -> About {
        About {
            name: "copy-trusted",
            aliases: &[],
            summary: "lock the product, and look at a copy of it that may be behind",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Add],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::Oversold, &[("stale-reads", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.lock(want.item).await?;
        if shop.read(want.item).await? < want.qty {
            shop.unlock(want.item).await?;
            return Err(SoldOut);
        }
        shop.add(want.item, -want.qty).await?;
        shop.unlock(want.item).await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
