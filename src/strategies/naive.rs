//! Check, then act: the checkout every programmer writes first.
//!
//! *Where the race is.* Between the read and the write. Two buyers read 1, both think it is theirs,
//! both write 0: two orders, one unit, and the shelf shows no trace of it (a lost update).
//!
//! *What it guarantees.* Nothing, as soon as two buyers come at once.
//!
//! *Who does this.* `if product.stock > 0: product.stock -= 1; product.save()` in any web framework.

use crate::prelude::*;

/// Read, compare, write.
pub struct Naive;

impl Strategy for Naive {
    fn about(&self) -> About {
        About {
            name: "naive",
            aliases: &["check-then-act"],
            summary: "read the stock, then write it back one lower",
            needs: &[OpKind::Read, OpKind::Write],
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
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
