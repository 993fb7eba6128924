//! Hold, pay, confirm: the units are taken off the shelf before the buyer has paid, and a timer runs.
//!
//! *Where the race was.* Between looking and paying, which takes minutes. Now the units are this buyer's
//! while it pays, and all others are told "Currently Unavailable" at once. What is left is the race of
//! the timer against a slow payment: confirming says whether the hold still stood, and if it did not, the
//! shop refunds the money.
//!
//! *What it guarantees.* No oversell, no money without a unit, no unit without money, also when payments
//! are declined, answers are lost (the key makes asking again harmless) and servers die (another server
//! recovers what they left). Not that every unit is sold: a buyer that holds and never pays keeps others
//! away until the timer runs out.
//!
//! *Who does this.* Ticket shops, airlines, every basket with "reserved for 10 minutes": a key with a time
//! to live in Redis, or a row with an expiry.

use crate::prelude::*;

/// Hold, pay, confirm, or give everything back.
pub struct Hold;

impl Strategy for Hold {
    fn about(&self) -> About {
        About {
            name: "hold",
            aliases: &["reserve", "reservation"],
            summary: "hold units while a timer runs, take the money, then confirm",
            needs: &[OpKind::Hold, OpKind::Pay, OpKind::FindOrder, OpKind::Recover],
            carts: false,
            claim: Claim::SafeWhen(&[
                ("crashes", "1"),
                ("expiries", "1"),
                ("declines", "1"),
                ("lost-answers", "1"),
            ]),
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
        if !shop.confirm(want.item).await? {
            shop.refund().await?;
            return Err(Expired);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }

    async fn recover<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<(), Missed> {
        if !shop.find_charge().await? {
            shop.release(want.item).await?;
        } else if shop.confirm(want.item).await? {
            shop.place_order_once(want).await?;
        } else {
            shop.refund().await?;
        }
        Ok(())
    }
}
