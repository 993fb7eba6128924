//! A lease with a fencing token: a lock that ends by itself, and a store that knows whose turn it is.
//!
//! *Where the race was.* A buyer that holds the lease may be paused (garbage collection, a slow disk) until
//! the lease is over and somebody else has it, and then write as if nothing had happened. Now every lease
//! comes with a higher number, everything sent to the store carries it, and the store refuses whatever is
//! older than what it has seen, **also to readers**: a store that looks at tokens only when it is written
//! can still be told two truths (`fence-writes-only` in the zoo).
//!
//! *What it guarantees.* No oversell, however long anybody sleeps; and nobody waits for the dead for longer
//! than a lease.
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
