//! An optimistic write without the version in its condition: it is read, carried along, and not used.
//!
//! *Where the race is.* Between read and write, as in `naive`. The version column is there, so every
//! reader of the code believes that it is checked.
//!
//! *Where it comes from.* A bulk update that goes past the mapper; `save()` on an entity whose version
//! field lost its annotation.

use crate::prelude::*;

/// Read with the version, write without.
pub struct VersionUnused;

impl Strategy for VersionUnused {
    fn about(&self) -> About {
        About {
            name: "version-unused",
            aliases: &[],
            summary: "read the version, and write without it in the condition",
            needs: &[OpKind::ReadVersioned, OpKind::Write],
            carts: false,
            claim: Claim::Shows(FindingKind::Oversold),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let (seen, _version) = shop.read_versioned(want.item).await?;
        if seen < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
