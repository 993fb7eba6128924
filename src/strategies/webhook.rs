//! Pay elsewhere: the buyer pays at the provider and comes back, and the provider tells the shop as well.
//! Both finish the same order, whichever comes first, and either may be the only one.
//!
//! *Where the race was.* Between the buyer's return and the provider's webhook. Each finds a paid cart
//! without an order, and each writes one. Now the order is written *unless there is one*, in one step, so
//! that it does not matter which comes first, nor how often the webhook comes.
//!
//! *What it guarantees.* One order and one payment a buyer, also when webhooks come twice, when the buyer
//! never comes back, and when the hold runs out first (then the money goes back, once).
//!
//! *Who does this.* Every shop that takes cards by redirect: a unique key on the payment's number. Public
//! reports of the broken way: woocommerce-gateway-stripe#542, medusa#13301.

use crate::prelude::*;

/// Hold, pay at the provider, and let return and webhook finish the order once.
pub struct Webhook;

impl Strategy for Webhook {
    fn about(&self) -> About {
        About {
            name: "webhook",
            aliases: &[],
            summary: "hold, pay elsewhere; the buyer's return and the provider's webhook both finish, once",
            needs: &[OpKind::Hold, OpKind::Pay, OpKind::FindOrder, OpKind::Webhook],
            carts: false,
            claim: Claim::SafeWhen(&[("crashes", "1"), ("expiries", "1"), ("redeliveries", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        if !shop.hold(want.item, want.qty).await? {
            return Err(SoldOut);
        }
        shop.away().await?;
        loop {
            match shop.charge_once().await? {
                Payment::Approved => break,
                Payment::Unknown => {}
                Payment::Declined => {
                    shop.release(want.item).await?;
                    return Err(Declined);
                }
            }
        }
        finish(shop, want).await
    }

    async fn notified<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<(), Missed> {
        finish(shop, want).await.map(drop)
    }
}

/// Writes the order for a payment, unless it is written already.
async fn finish<C: Connection>(shop: &mut Session<C>, want: Want) -> Attempt {
    if !shop.confirm(want.item).await? {
        shop.refund().await?;
        return Err(Expired);
    }
    shop.place_order_once(want).await?;
    Ok(Bought)
}
