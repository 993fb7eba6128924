//! A lease: a lock that ends by itself, so that a buyer that dies does not block the others for ever.
//!
//! *Where the race is.* Between the end of the lease and the write of a buyer that does not know of it. That
//! buyer was paused; another got the lease, looked, and is about to write. The first wakes, and writes, too.
//!
//! *What it guarantees.* Nothing, once a lease can end before its holder does. As long as none does, what a
//! lock guarantees.
//!
//! *Who does this.* `SET key value NX PX 10000` in Redis, in thousands of shops; Redlock has the same gap.
//! [`fenced-lease`](super::fenced_lease) closes it.

use crate::prelude::*;

/// Lease, check, act.
pub struct Lease;

impl Strategy for Lease {
    fn about(&self) -> About {
        About {
            name: "lease",
            aliases: &["redis-lock"],
            summary: "a lock that ends by itself after a while, even if a buyer still counts on it",
            needs: &[OpKind::Lease, OpKind::Read, OpKind::Write],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::Oversold, &[("expiries", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.lease(want.item).await?;
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            shop.unlease(want.item).await?;
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        shop.unlease(want.item).await?;
        Ok(Bought)
    }
}
