//! No stock column at all: count the orders, and write one more if there is room. Write skew.
//!
//! *Where the race is.* Between counting and inserting, inside a transaction that sees a snapshot. Two
//! transactions count no orders, and each inserts a row of its own. They never write the same row, so
//! the database reports no conflict. Repeatable read lets both commit; serializable does not.
//!
//! *Where it comes from.* Seats, appointments, one-per-customer rules: "SELECT count(*) …, then INSERT".
//! Berenson et al., 1995, call it A5B.

use crate::prelude::*;

/// Count the orders, then write one.
pub struct CountThenInsert;

impl Strategy for CountThenInsert {
    fn about(&self) -> About {
        About {
            name: "count-then-insert",
            aliases: &["write-skew"],
            summary: "count the orders in a transaction and insert one more, at repeatable read",
            needs: &[OpKind::Transaction, OpKind::CountLeft],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::Oversold, &[("isolation", "repeatable-read")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.begin().await?;
        let left = shop.count_left(want.item).await?;
        if left < want.qty {
            shop.rollback().await?;
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.place_order(want).await?;
        shop.commit().await?;
        Ok(Bought)
    }
}
