//! A fencing token that is shown only when writing: half a fence.
//!
//! *Where the race is.* Between the second holder's read and its write. The first holder is paused until its
//! lease has ended; the second gets the next lease, reads, and sees one unit. The first wakes and writes: the
//! store has not seen the newer token yet, so it accepts. Then the second writes with the newer token, and
//! the store accepts that, too. Both sold the same unit.
//!
//! *Where it comes from.* The well-known picture of fencing shows a write. Reads under the lease must be
//! fenced, too.

use crate::prelude::*;

/// Lease, look, write with the token.
pub struct FenceWritesOnly;

impl Strategy for FenceWritesOnly {
    fn about(&self) -> About {
        About {
            name: "fence-writes-only",
            aliases: &[],
            summary: "a lease with a token that the store checks only when it is written",
            needs: &[OpKind::Lease, OpKind::Read, OpKind::Fence],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::Oversold, &[("expiries", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let token = shop.lease(want.item).await?;
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            shop.unlease(want.item).await?;
            return Err(SoldOut);
        }
        shop.think().await?;
        if !shop.write_fenced(want.item, token, seen - want.qty).await? {
            return Err(Conflict);
        }
        shop.place_order(want).await?;
        shop.unlease(want.item).await?;
        Ok(Bought)
    }
}
