//! One buyer thread's part of the shop: a connection from the pool for as long as an attempt lasts.

use super::pool::reconnect;
use super::{Link, Remote};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{BuyerId, Op, Reply};
use crate::stores::Client;
use crate::stores::queue::QueuePlace;

/// One thread's client of a [`Remote`].
pub struct RemoteClient<'a> {
    shop: &'a Remote<'a>,
    link: Option<Box<dyn Link>>,
    place: QueuePlace,
    buyer: BuyerId,
}

impl<'a> RemoteClient<'a> {
    pub(super) fn new(shop: &'a Remote<'_>) -> Self {
        Self { shop, link: None, place: QueuePlace::default(), buyer: 0 }
    }
}

/// Whether an op is about the queue in front of the worker, and not about the store.
fn is_about_queue(op: Op) -> bool {
    matches!(op, Op::Submit(_) | Op::AwaitAnswer | Op::NextRequest | Op::Answer { .. })
}

impl Client for RemoteClient<'_> {
    const IS_POOLED: bool = true;

    fn attend(&mut self, buyer: BuyerId) {
        self.buyer = buyer;
    }

    fn lacks_connection(&self, op: Op) -> bool {
        self.link.is_none() && !is_about_queue(op) && !op.is_about_money()
    }

    fn check_out(&mut self) -> Result<bool, Missed> {
        let pool = &self.shop.site.pool;
        let (place, waited) = match pool.try_take() {
            Some(place) => (Some(place), false),
            None => (self.shop.patience.wait(|glance| pool.take_within(glance)), true),
        };
        let Some(place) = place else { return Err(Missed::Failed(Failure::NoConnection)) };
        let Remote { site, killer, .. } = self.shop;
        self.link = place.or_else(|| reconnect(&*site.server, &site.terms, killer));
        match self.link {
            Some(_) => Ok(waited),
            None => {
                pool.give(None);
                Err(Missed::Failed(Failure::NoConnection))
            }
        }
    }

    fn call(&mut self, op: Op) -> Result<Reply, Missed> {
        if is_about_queue(op) {
            return self.place.call(&self.shop.queue, op);
        }
        if op.is_about_money() {
            return self.shop.provider.call(self.buyer, op);
        }
        if self.link.is_none() {
            self.check_out()?;
        }
        match &mut self.link {
            Some(link) => link.call(self.buyer, op),
            None => Err(Missed::Failed(Failure::NoConnection)),
        }
    }

    fn close_attempt(&mut self) -> u64 {
        self.place.leave();
        self.shop.killer.count_attempt();
        let Some(mut link) = self.link.take() else { return 0 };
        let held = link.close_attempt();
        self.shop.site.pool.give(Some(link));
        held
    }
}

impl Drop for RemoteClient<'_> {
    fn drop(&mut self) {
        if self.link.is_some() {
            self.close_attempt();
        }
    }
}
