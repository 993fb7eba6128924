//! Give-back twice: a buyer that is refused puts its units back, and then the clean-up does it again.
//!
//! *Where the bug is.* After a refusal the shelf holds more than there is, and the next buyer gets a
//! unit that does not exist.
//!
//! *Where it comes from.* A cancel handler and a timeout that both return the stock; a compensation
//! that is retried without a key.

use crate::prelude::*;

/// Take, put back, put back.
pub struct GiveBackTwice;

impl Strategy for GiveBackTwice {
    fn about(&self) -> About {
        About {
            name: "give-back-twice",
            aliases: &[],
            summary: "take unseen, and put back twice what did not fit",
            needs: &[OpKind::Add],
            carts: false,
            // The second buyer takes one unit and puts back two; a third buyer takes the surplus one.
            claim: Claim::ShowsWhen(FindingKind::Oversold, &[("buyers", "3")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if shop.add(want.item, -want.qty).await? < 0 {
            shop.add(want.item, want.qty).await?;
            shop.add(want.item, want.qty).await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
