//! Unlock before write: the lock is held while looking, and given back before acting.
//!
//! *Where the race is.* Between unlock and write. The lock makes the code look safe: no two buyers read
//! at the same time. But each acts on what it read after it has released the lock.
//!
//! *Where it comes from.* A `with lock:` block that ends a line too early, after a programmer moved the
//! slow write out of it.

use crate::prelude::*;

/// Lock, read, unlock, write.
pub struct UnlockEarly;

impl Strategy for UnlockEarly {
    fn about(&self) -> About {
        About {
            name: "unlock-early",
            aliases: &[],
            summary: "lock, check, unlock, and only then write",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Write],
            carts: false,
            claim: Claim::Shows(FindingKind::Oversold),
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.lock(want.item).await?;
        let seen = shop.read(want.item).await?;
        shop.unlock(want.item).await?;
        if seen < want.qty {
            return Err(SoldOut);
        }
        shop.think().await?;
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        Ok(Bought)
    }
}
