//! Order and payment by outbox: one transaction takes the unit and writes the order, which says that it must
//! be paid for. Then the money moves; if the server dies first, another finds the unpaid order and goes on.
//!
//! *Where the race was.* Between two systems that no transaction spans. A server that charges first and then
//! dies leaves money without an order; one that orders first and then dies leaves an order without money. Now
//! the order is written with the unit or not at all, and it records what is left to do. The payment has a
//! key, so that asking again does no harm. If it is declined, one transaction cancels the order and puts the
//! unit back.
//!
//! *What it guarantees.* All or nothing, in the end, whichever server dies, and when.
//!
//! *Who does this.* The transactional outbox (Richardson); sagas with compensation (Garcia-Molina and Salem,
//! "Sagas", 1987); idempotency keys, at every payment provider.

use crate::prelude::*;

/// Take and order in one transaction, then pay, or take it all back.
pub struct Outbox;

impl Strategy for Outbox {
    fn about(&self) -> About {
        About {
            name: "outbox",
            aliases: &["saga"],
            summary: "take the unit and write the order in one transaction, then pay or take both back",
            needs: &[OpKind::Transaction, OpKind::Take, OpKind::Add, OpKind::Pay, OpKind::FindOrder, OpKind::Recover],
            carts: false,
            claim: Claim::SafeWhen(&[("crashes", "2"), ("declines", "1"), ("lost-answers", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.begin().await?;
        if !shop.take(want.item, want.qty).await? {
            shop.rollback().await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        shop.commit().await?;
        shop.think().await?;
        settle(shop, want).await
    }

    async fn recover<C: Connection>(
        &self,
        shop: &mut Session<C>,
        want: Want,
    ) -> Result<(), Missed> {
        if shop.find_order().await? {
            settle(shop, want).await?;
        }
        Ok(())
    }
}

/// Gets the money for an order that is in the book, or cancels the order.
async fn settle<C: Connection>(shop: &mut Session<C>, want: Want) -> Attempt {
    loop {
        match shop.charge_once().await? {
            Payment::Approved => return Ok(Bought),
            Payment::Unknown => {}
            Payment::Declined => break,
        }
    }
    // A conflict here must not end the attempt: the order is in the book, and a new attempt would write
    // another.
    loop {
        match take_back(shop, want).await {
            Err(Conflict) => {}
            taken_back => return taken_back.and(Err(Declined)),
        }
    }
}

/// Cancels the order and puts its units back, both or neither.
async fn take_back<C: Connection>(shop: &mut Session<C>, want: Want) -> Result<(), Missed> {
    shop.begin().await?;
    shop.cancel_order().await?;
    shop.add(want.item, want.qty).await?;
    shop.commit().await
}
