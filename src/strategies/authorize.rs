//! Authorise, take, capture: the price is set aside before the unit is taken, and moves only once the order is
//! written.
//!
//! *Where the race was.* Between the money and the unit, whichever comes first: a buyer who pays first may
//! find that the last unit is gone, and must be refunded; a buyer who orders first may not pay. Setting the
//! money aside makes both harmless: a buyer who comes too late has paid nothing, and for every order the
//! money is waiting.
//!
//! *What it guarantees.* No oversell, no money without a unit and no unit without money, whichever server
//! dies, and when; and only buyers who get a unit pay, so that there is nothing to refund.
//!
//! *Who does this.* Card payments of most shops: an authorisation stands for about a week, and is captured
//! when the goods are there.

use crate::prelude::*;

/// Set the money aside, take and order in one transaction, move the money.
pub struct Authorize;

impl Strategy for Authorize {
    fn about(&self) -> About {
        About {
            name: "authorize",
            aliases: &["auth-capture"],
            summary: "have the price set aside, take and order in one transaction, then move the money",
            needs: &[OpKind::Pay, OpKind::Transaction, OpKind::Take, OpKind::FindOrder, OpKind::Recover],
            carts: false,
            claim: Claim::SafeWhen(&[("crashes", "2"), ("declines", "1"), ("lost-answers", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        loop {
            match shop.authorize().await? {
                Payment::Approved => break,
                Payment::Unknown => {}
                Payment::Declined => return Err(Declined),
            }
        }
        shop.begin().await?;
        if !shop.take(want.item, want.qty).await? {
            shop.rollback().await?;
            shop.void().await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        shop.commit().await?;
        // The money is set aside, so it cannot be declined; only the answer can be lost.
        while shop.capture().await? != Payment::Approved {}
        Ok(Bought)
    }

    async fn recover<C: Connection>(
        &self,
        shop: &mut Session<C>,
        _want: Want,
    ) -> Result<(), Missed> {
        if shop.find_order().await? {
            while shop.capture().await? != Payment::Approved {}
        } else {
            shop.void().await?;
        }
        Ok(())
    }
}
