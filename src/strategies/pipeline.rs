//! The flash-sale pipeline: a cache answers the crowd, a queue carries the few who got through, and a worker
//! writes their orders into the database, with a conditional update.
//!
//! *Where the race was.* In the database, under a thousand requests at once. Now the cache turns nearly all
//! buyers away in one op, and the database sees a queue. The cache is a hint: what counts is the worker's
//! transaction, which writes an order once and takes a unit only if there is one, so that a message that
//! comes twice does no harm. If a server dies after it took from the cache, another puts the unit back there.
//!
//! *What it guarantees.* No oversell, whatever cache and queue do; a unit that the cache has lost is for sale
//! again once a server has recovered it.
//!
//! *Who does this.* Hundreds of shops: a Lua script in Redis, Kafka or RabbitMQ, a worker on MySQL.

use crate::prelude::*;

/// Take from the cache, queue up; a worker orders.
pub struct Pipeline;

impl Strategy for Pipeline {
    fn about(&self) -> About {
        About {
            name: "pipeline",
            aliases: &["flash-sale"],
            summary: "a cache rejects most buyers, a queue carries the rest, a worker orders",
            needs: &[OpKind::Cache, OpKind::Queue, OpKind::Transaction, OpKind::Take, OpKind::FindOrder, OpKind::Recover],
            carts: false,
            claim: Claim::SafeWhen(&[("crashes", "2")]),
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
        fulfil(shop, want).await
    }

    async fn recover<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<(), Missed> {
        // The server died between cache and queue: a request that is in the queue is the worker's.
        shop.add_cached(want.item, want.qty).await.map(drop)
    }
}

/// The worker's transaction: an order for a unit, once; says whether the buyer has one.
pub(super) async fn fulfil<C: Connection>(
    shop: &mut Session<C>,
    want: Want,
) -> Result<bool, Missed> {
    shop.begin().await?;
    if !shop.place_order_once(want).await? {
        shop.rollback().await?;
        return Ok(true);
    }
    if !shop.take(want.item, want.qty).await? {
        shop.rollback().await?;
        return Ok(false);
    }
    shop.commit().await?;
    Ok(true)
}
