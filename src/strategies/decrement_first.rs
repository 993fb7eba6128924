//! Decrement first, ask later: take, look at what is left, put back if it went below zero.
//!
//! *Where the race is.* Between taking and putting back. While a large order sits on units that it
//! will not get, the shelf shows less than there is, and a small order that would have fitted is
//! told "sold out". If each buyer wants one unit, it cannot happen; if some want several, it does.
//!
//! *What it guarantees.* No oversell. Not that "sold out" is true: units stay on the shelf.
//!
//! *Who does this.* `DECRBY` in Redis and `INCRBY` when the answer is negative, in many a flash
//! sale.

use crate::prelude::*;

/// Decrement, look, put back.
pub struct DecrementFirst;

impl Strategy for DecrementFirst {
    fn about(&self) -> About {
        About {
            name: "decrement-first",
            aliases: &["decr"],
            summary: "decrement, look, put back if below zero",
            needs: &[OpKind::Add],
            carts: false,
            // A buyer who wants two units comes between two buyers who want one.
            claim: Claim::ShowsWhen(
                FindingKind::FalseSoldOut,
                &[("buyers", "3"), ("stock", "2"), ("qty", "1..2"), ("seed", "2")],
            ),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let left = shop.add(want.item, -want.qty).await?;
        if left < 0 {
            shop.think().await?;
            shop.add(want.item, want.qty).await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
