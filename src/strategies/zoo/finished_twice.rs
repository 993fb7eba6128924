//! Two requests finish one order: the buyer's return from paying, and the provider's webhook.
//!
//! *Where the race is.* Between looking for the order and writing it. Both look, neither finds one, both
//! write: one payment, two parcels.
//!
//! *Where it comes from.* A success page and a webhook that share a function. Public reports of the kind:
//! woocommerce-gateway-stripe#542, medusa#13301.

use crate::prelude::*;

/// Take, pay, and let return and webhook both finish.
pub struct FinishedTwice;

impl Strategy for FinishedTwice {
    fn about(&self) -> About {
        About {
            name: "finished-twice",
            aliases: &[],
            summary: "the buyer's return and the provider's webhook each write the order if they find none",
            needs: &[OpKind::Take, OpKind::Add, OpKind::Pay, OpKind::FindOrder, OpKind::Webhook],
            carts: false,
            claim: Claim::Shows(FindingKind::OrderWithoutReceipt),
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
        finish(shop, want).await?;
        Ok(Bought)
    }

    async fn notified<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<(), Missed> {
        finish(shop, want).await
    }
}

/// Looks, then writes.
async fn finish<C: Connection>(shop: &mut Session<C>, want: Want) -> Result<(), Missed> {
    if !shop.find_order().await? {
        shop.place_order(want).await?;
    }
    Ok(())
}
