//! No answer from the provider, so try again: without a key, every try moves money.
//!
//! *Where the race is.* Between the provider and its answer. The money has moved, the answer was lost, and
//! what looks like a failed payment is asked for once more.
//!
//! *Where it comes from.* A retry in the HTTP client, or a buyer who sees an error and clicks again.

use crate::prelude::*;

/// Charge until there is an answer.
pub struct ChargeAgain;

impl Strategy for ChargeAgain {
    fn about(&self) -> About {
        About {
            name: "charge-again",
            aliases: &[],
            summary: "charge without an idempotency key, and again when no answer comes",
            needs: &[OpKind::Take, OpKind::Add, OpKind::Pay],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::DoubleCharge, &[("lost-answers", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.take(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.think().await?;
        let mut payment = shop.charge().await?;
        while payment == Payment::Unknown {
            payment = shop.charge().await?;
        }
        if payment == Payment::Declined {
            shop.add(want.item, want.qty).await?;
            return Err(Declined);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
