//! A swap whose answer is ignored: the right op, and its result dropped.
//!
//! *Where the race is.* Between read and swap, as in `cas`; the swap reports it, and the shop sells anyway.
//!
//! *Where it comes from.* `UPDATE … WHERE stock = :seen` without a look at the number of rows; a
//! `compare_exchange` whose `Result` is thrown away.

use crate::prelude::*;

/// Read, swap, hope.
pub struct CasUnheeded;

impl Strategy for CasUnheeded {
    fn about(&self) -> About {
        About {
            name: "cas-unheeded",
            aliases: &[],
            summary: "compare and swap, and never look whether it worked",
            needs: &[OpKind::Read, OpKind::CompareAndSet],
            carts: false,
            claim: Claim::Shows(FindingKind::Oversold),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        let _swapped = shop.compare_and_set(want.item, seen, seen - want.qty).await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
