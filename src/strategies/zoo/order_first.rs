//! Order, then charge: if the server dies in between, the buyer gets a unit for nothing.
//!
//! *Where the race is.* As in `charge-first`, the other way round: the parcel is sent, and the money never
//! comes.
//!
//! *Where it comes from.* Fear of the other way round.

use crate::prelude::*;

/// Take, order, charge, and hope.
pub struct OrderFirst;

impl Strategy for OrderFirst {
    fn about(&self) -> About {
        About {
            name: "order-first",
            aliases: &[],
            summary: "take the unit, write the order, then charge; no recovery after a crash",
            needs: &[OpKind::Take, OpKind::Pay],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::UnitWithoutCharge, &[("crashes", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        shop.think().await?;
        shop.charge_once().await?;
        Ok(Bought)
    }
}
