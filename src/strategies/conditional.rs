//! Conditional decrement: check and act in one step, inside the store.
//!
//! *Where the race was.* Nowhere: there is no "between".
//!
//! *What it guarantees.* No oversell, no conflict, no retry. The store refuses a buyer only if too
//! little is left at that moment.
//!
//! *Who does this.* `UPDATE … SET stock = stock - 1 WHERE stock >= 1` and a look at the number of
//! rows; a Lua script in Redis. Usually the first thing to try.

use crate::prelude::*;

/// Decrement if enough is left.
pub struct Conditional;

impl Strategy for Conditional {
    fn about(&self) -> About {
        About {
            name: "conditional",
            aliases: &["take"],
            summary: "decrement if enough is left, in one op",
            needs: &[OpKind::Take],
            carts: false,
            claim: Claim::Safe,
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
