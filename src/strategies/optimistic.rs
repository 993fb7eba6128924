//! Optimistic versioning: write only if no other buyer has written since we looked.
//!
//! *Where the race was.* Between read and write; now every write raises a version, and a write that
//! carries an old version is refused.
//!
//! *What it guarantees.* No oversell, and unlike a compare on the value it also notices a change
//! that was undone. The losers conflict and try again.
//!
//! *Who does this.* A version column and `UPDATE … WHERE version = :seen`; JPA's `@Version`, HTTP's
//! `ETag` with `If-Match`. Kung and Robinson, "On optimistic methods for concurrency control", 1981.

use crate::prelude::*;

/// Read with the version, then write if the version still stands.
pub struct Optimistic;

impl Strategy for Optimistic {
    fn about(&self) -> About {
        About {
            name: "optimistic",
            aliases: &["versioned", "version"],
            summary: "write only if the version is still the one read",
            needs: &[OpKind::ReadVersioned, OpKind::WriteIfVersion],
            carts: false,
            claim: Claim::Safe,
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let (seen, version) = shop.read_versioned(want.item).await?;
        if seen < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        if !shop.write_if_version(want.item, version, seen - want.qty).await? {
            return Err(Conflict);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
