//! A cache that has sold what the database never heard of.
//!
//! *Where the race is.* Between the cache and the queue. Who has taken its unit from the cache and dies
//! before it is in the queue leaves a cache that says 0 and a database that says 1, and everybody after it
//! is turned away.
//!
//! *Where it comes from.* Two copies of one number, and nobody who compares them.

use crate::prelude::*;
use crate::strategies::pipeline::fulfil;

/// Take from the cache, queue up, never compare.
pub struct CacheDrift;

impl Strategy for CacheDrift {
    fn about(&self) -> About {
        About {
            name: "cache-drift",
            aliases: &[],
            summary: "a cache and a queue, and nobody who gives back what was lost between them",
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
