//! A conditional decrement whose answer is ignored.
//!
//! *Where the bug is.* Not between two steps at all: the store does say no, and the shop sells. One
//! buyer after the other is enough, so this one breaks without any race.
//!
//! *Where it comes from.* `UPDATE … SET stock = stock - 1 WHERE stock >= 1`, zero rows, no exception,
//! next line.

use crate::prelude::*;

/// Take, hope.
pub struct TakeUnheeded;

impl Strategy for TakeUnheeded {
    fn about(&self) -> About {
        About {
            name: "take-unheeded",
            aliases: &[],
            summary: "decrement if enough is left, and sell either way",
            needs: &[OpKind::Take],
            carts: false,
            claim: Claim::Shows(FindingKind::Oversold),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let _taken = shop.take(want.item, want.qty).await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
