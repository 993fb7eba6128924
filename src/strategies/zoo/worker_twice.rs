//! A worker that takes the unit and then dies, and a message that comes again.
//!
//! *Where the race is.* Between the worker's update and its acknowledgement. The queue hands the message to
//! the next worker, which takes another unit for the same buyer.
//!
//! *Where it comes from.* "Exactly once" in the advertisement of a message queue. Delivery is at least once,
//! and the worker must make that harmless.

use crate::prelude::*;

/// Take from the cache, queue up; a worker takes and orders.
pub struct WorkerTwice;

impl Strategy for WorkerTwice {
    fn about(&self) -> About {
        About {
            name: "worker-twice",
            aliases: &[],
            summary: "a cache and a queue, and a worker that does not notice a message that comes again",
            needs: &[OpKind::Cache, OpKind::Queue, OpKind::Take, OpKind::FindOrder],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::LeakedStock, &[("crashes", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take_cached(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.submit(want).await?;
        if shop.answer().await? { Ok(Bought) } else { Err(SoldOut) }
    }

    async fn serve<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Result<bool, Missed> {
        if !shop.take(want.item, want.qty).await? {
            return Ok(false);
        }
        shop.place_order_once(want).await?;
        Ok(true)
    }
}
