//! A cache that has sold units of which the database knows nothing.
//!
//! *Where the race is.* Between the cache and the queue. A server that takes the unit from the cache and
//! dies before it queues the request leaves a cache that says 0 and a database that says 1, and all later
//! buyers are rejected.
//!
//! *Where it comes from.* Two copies of one number, and no job that compares them.

use crate::prelude::*;
use crate::strategies::pipeline::fulfil;

/// Take from the cache, queue up, never compare.
pub struct CacheDrift;

impl Strategy for CacheDrift {
    fn about(&self) -> About {
        About {
            name: "cache-drift",
            aliases: &[],
            summary: "a cache and a queue; what is lost between them is never given back",
            needs: &[OpKind::Cache, OpKind::Queue, OpKind::Transaction, OpKind::Take, OpKind::FindOrder],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::Undersold, &[("crashes", "1")]),
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
}
