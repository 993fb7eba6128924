//! A transaction: begin, read, write, order, commit. What it is worth depends on the isolation level.
//!
//! *Where the race is.* At *read committed*, the default of most databases, in the same place as without a
//! transaction: two buyers read 1, the second waits for the first one's lock, and then overwrites what it
//! never saw. At *repeatable read* the second is refused and tries again.
//!
//! *What it guarantees.* Stock and order together or neither, at every level, also when the server dies in
//! between. No oversell from `--isolation repeatable-read` on.
//!
//! *Who does this.* `@Transactional`, `transaction.atomic()`, and the belief that this is enough. Berenson et
//! al., "A critique of ANSI SQL isolation levels", 1995; Warszawski and Bailis, "ACIDRain", 2017.

use crate::prelude::*;

/// Begin, check, act, commit.
pub struct Transaction;

impl Strategy for Transaction {
    fn about(&self) -> About {
        About {
            name: "transaction",
            aliases: &["tx"],
            summary: "check and act inside a transaction, at the level that --isolation names",
            needs: &[OpKind::Transaction, OpKind::Read, OpKind::Write],
            carts: false,
            claim: Claim::Shows(FindingKind::Oversold),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.begin().await?;
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            shop.rollback().await?;
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        shop.commit().await?;
        Ok(Bought)
    }
}
