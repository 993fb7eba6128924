//! The version read after the stock: two reads where one was needed.
//!
//! *Where the race is.* Between the two reads. Another buyer buys in between, and the version read
//! afterwards is the new one: it does not belong to the stock that was read before.
//!
//! *Where it comes from.* The stock from a cache or a replica, the version from the database.

use crate::prelude::*;

/// Read, read the version, write by it.
pub struct VersionAfter;

impl Strategy for VersionAfter {
    fn about(&self) -> About {
        About {
            name: "version-after",
            aliases: &[],
            summary: "read the stock, then its version, and write if that stands",
            needs: &[OpKind::Read, OpKind::ReadVersioned, OpKind::WriteIfVersion],
            carts: false,
            claim: Claim::Shows(FindingKind::Oversold),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        let (_now, version) = shop.read_versioned(want.item).await?;
        if !shop.write_if_version(want.item, version, seen - want.qty).await? {
            return Err(Conflict);
        }
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
