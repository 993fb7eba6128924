//! A sequencer: one queue, one writer. The first request in the queue wins, not the fastest finger.
//!
//! *Where the race was.* Between read and write; now only the worker reads and writes, one request
//! after the other, so no other writer races with it. The race has moved to the entrance of the queue,
//! where the first to arrive wins, not the fastest to compute.
//!
//! *What it guarantees.* No oversell, no lock, no conflict, and service in the order of arrival. All
//! think time is spent in a single line, and while the worker is away no buyer is served.
//!
//! *Who does this.* Exchanges (LMAX's disruptor), ticket shops with a waiting room, an actor's
//! mailbox, one partition of a message queue.

use crate::prelude::*;

/// Queue up; a single worker serves.
pub struct Sequencer;

impl Strategy for Sequencer {
    fn about(&self) -> About {
        About {
            name: "sequencer",
            aliases: &["queue", "single-writer"],
            summary: "queue up; one worker checks and acts for all buyers",
            needs: &[OpKind::Queue, OpKind::Read, OpKind::Write],
            carts: false,
            claim: Claim::Safe,
        }
    }

    async fn attempt<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Attempt {
        shop.submit(want).await?;
        if shop.answer().await? { Ok(Bought) } else { Err(SoldOut) }
    }

    async fn serve<C: Connection>(&self, shop: &mut Session<C>, want: Want) -> Result<bool, Missed> {
        let seen = shop.read(want.item).await?;
        if seen < want.qty {
            return Ok(false);
        }
        shop.think().await?;
        shop.write(want.item, seen - want.qty).await?;
        shop.place_order(want).await?;
        Ok(true)
    }
}
