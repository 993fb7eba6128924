//! Charge, then order: if the server dies in between, the buyer has paid for nothing.
//!
//! *Where the race is.* Between two systems: no transaction spans the payment provider and the shop's
//! database, and no job recovers what a crash leaves behind.
//!
//! *Where it comes from.* The order in which it comes to mind: first the money, then the goods.

use crate::prelude::*;

/// Take, charge, order, and hope.
pub struct ChargeFirst;

impl Strategy for ChargeFirst {
    fn about(&self) -> About {
        About {
            name: "charge-first",
            aliases: &[],
            summary: "take the unit, charge, then write the order; no recovery after a crash",
            needs: &[OpKind::Take, OpKind::Add, OpKind::Pay],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::ChargedWithoutUnit, &[("crashes", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.think().await?;
        if shop.charge_once().await? == Payment::Declined {
            shop.add(want.item, want.qty).await?;
            return Err(Declined);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
