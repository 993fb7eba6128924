//! A receipt before the order is on disk.
//!
//! *Where the race is.* Between the commit and the disk. The database says "committed" and writes to disk a
//! little later; if the power fails in between, it restarts without the order. The buyer has a receipt, and
//! the unit is on the shelf again, to be sold once more.
//!
//! *Where it comes from.* `synchronous_commit = off`, `innodb_flush_log_at_trx_commit = 2`, Redis without
//! `appendfsync always`, or a disk that answers before it has written: all set to make the benchmark faster.

use crate::prelude::*;

/// Take and order in one transaction, and do not wait for the disk.
pub struct CommitUnsynced;

impl Strategy for CommitUnsynced {
    fn about(&self) -> About {
        About {
            name: "commit-unsynced",
            aliases: &[],
            summary: "take and order in one transaction that is acknowledged before it is on disk",
            needs: &[OpKind::Transaction, OpKind::Take],
            carts: false,
            claim: Claim::ShowsWhen(FindingKind::Oversold, &[("power-cuts", "1")]),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.begin().await?;
        if !shop.take(want.item, want.qty).await? {
            shop.rollback().await?;
            return Err(SoldOut);
        }
        shop.place_order(want).await?;
        shop.commit_unsynced().await?;
        Ok(Bought)
    }
}
