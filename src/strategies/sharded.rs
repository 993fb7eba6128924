//! Stock split over shards: a few units on each of several rows, and each buyer takes from one of them.
//!
//! *Where the race was.* In front of one row: a database writes it for one buyer at a time, and a thousand
//! buyers wait. Shards are written side by side. What is lost is the sum: an empty shard says nothing about
//! the others, and what is left lies scattered over them. So a buyer that finds too little on its shard asks
//! all of them together, in one transaction, before it is told "sold out": rare, until the end of the sale.
//!
//! *What it guarantees.* No oversell, and "sold out" is true.
//!
//! *Who does this.* Sharded counters, in the manuals of many cloud databases; shops that split their stock
//! over servers, warehouses or cache nodes.

use crate::prelude::*;

/// Take from one shard, or from all together.
pub struct Sharded;

impl Strategy for Sharded {
    fn about(&self) -> About {
        About {
            name: "sharded",
            aliases: &["shards"],
            summary: "take from one shard of the stock, and look at all before saying no",
            needs: &[OpKind::Shards],
            carts: false,
            claim: Claim::Safe,
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let has_taken = shop.take_from_shard(want.item, want.qty).await?
            || shop.take_from_all(want.item, want.qty).await?;
        if !has_taken {
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
