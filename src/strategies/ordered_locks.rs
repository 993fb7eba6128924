//! Ordered locks: a cart of several products, each with its lock, and one order in which all buyers
//! lock them.
//!
//! *Where the race is.* Between two locks. A buyer who locks book, then lamp, and one who locks lamp,
//! then book, can wait for each other for ever. If both lock in the same order, the buyer who is first at
//! the lowest product that they share is first at all of them.
//!
//! *What it guarantees.* All of a cart or nothing, never more than there is, and no deadlock: no
//! buyers wait for each other in a circle. Buyers whose carts have nothing in common do not disturb
//! each other.
//!
//! *Who does this.* Every shop with `SELECT … FOR UPDATE … ORDER BY id`; kernels, which check their lock
//! order while they run. The rule is Havender's (1968), and Dijkstra's philosophers eat by it.

use crate::prelude::*;

/// Lock all in order, check all, act on all, unlock all.
pub struct OrderedLocks;

impl Strategy for OrderedLocks {
    fn about(&self) -> About {
        About {
            name: "ordered-locks",
            aliases: &["lock-order"],
            summary: "lock every product of the cart in one fixed order, then check and act",
            needs: &[OpKind::Lock, OpKind::Read, OpKind::Write],
            carts: true,
            claim: Claim::Safe,
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        let mut cart: Vec<Item> = want.items().collect();
        cart.sort_unstable();
        let mut seen = Vec::new();
        for item in &cart {
            shop.lock(*item).await?;
            seen.push(shop.read(*item).await?);
        }
        let enough = seen.iter().all(|stock| *stock >= want.qty);
        if enough {
            shop.think().await?;
            for (item, stock) in cart.iter().zip(seen) {
                shop.write(*item, stock - want.qty).await?;
            }
            shop.place_order(want).await?;
        }
        for item in cart {
            shop.unlock(item).await?;
        }
        if enough { Ok(Bought) } else { Err(SoldOut) }
    }
}
