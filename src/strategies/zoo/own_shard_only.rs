//! A shard that says "sold out" for all of them.
//!
//! *Where the race is.* None in any row; the shards have drifted apart. One is empty while others have
//! units, and a buyer that is sent to the empty one is rejected. Or two units lie on two shards, and no
//! buyer that wants two gets them.
//!
//! *Where it comes from.* Sharding that was measured at the beginning of a sale, where it is as fast as it
//! should be, and not at the end.

use crate::prelude::*;

/// Take from one shard, and believe it.
pub struct OwnShardOnly;

impl Strategy for OwnShardOnly {
    fn about(&self) -> About {
        About {
            name: "own-shard-only",
            aliases: &[],
            summary: "take from one shard of the stock, and take its no for the answer of all",
            needs: &[OpKind::Shards],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::FalseSoldOut, &[("qty", "2"), ("stock", "3")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take_from_shard(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
