//! Ordered locks: a cart of several products, each with its lock, and one order in which everybody
//! locks them.
//!
//! *Where the race is.* Between two locks. Who locks book and lamp waits for ever for who locks lamp
//! and book, unless both take them in the same order: then whoever is first to the lowest product that
//! they share is first to all of them.
//!
//! *What it guarantees.* All of a cart or nothing, never more than there is, and nobody waits for
//! somebody who waits. Buyers whose carts have nothing in common do not disturb each other.
//!
//! *Who does this.* Anybody with `SELECT … FOR UPDATE … ORDER BY id`; kernels, which check their lock
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
