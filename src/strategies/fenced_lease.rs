//! A lease with a fencing token: a lock that ends by itself, and a store that refuses late holders.
//!
//! *Where the race was.* A buyer that holds the lease may be paused (garbage collection, a slow disk) until
//! the lease has ended and another buyer holds it, and then write as if nothing had happened. Now every lease
//! comes with a higher number, its token. Every read and write carries the token, and the store refuses each
//! one whose token is older than the latest it has seen, **reads too**: a store that checks tokens only on
//! writes can still sell the same unit twice (`fence-writes-only` in the zoo).
//!
//! *What it guarantees.* No oversell, however long a buyer is paused; and no buyer waits for a dead one
//! longer than a lease lasts.
//!
//! *Who does this.* ZooKeeper's zxid, etcd's revision, Chubby's sequencer. Kleppmann, "How to do distributed
//! locking", 2016.

use crate::prelude::*;

/// Lease, check, act, each with the token.
pub struct FencedLease;

impl Strategy for FencedLease {
    fn about(&self) -> About {
        About {
            name: "fenced-lease",
            aliases: &["fencing"],
            summary: "a lock that ends by itself, with a token that the store checks",
            needs: &[OpKind::Lease, OpKind::Fence],
            carts: false,
            claim: Claim::SafeWhen(&[("expiries", "2")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let token = shop.lease(want.item).await?;
        let seen = shop.read_fenced(want.item, token).await?;
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
