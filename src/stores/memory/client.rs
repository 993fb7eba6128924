//! One thread's connection to the in-process store.

use parking_lot::MutexGuard;

use super::{Memory, MemoryShelf, Word};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{Item, Op, Order, Reply, Units, Want};
use crate::stores::Client;
use crate::stores::queue::QueuePlace;

/// One thread's connection to [`Memory`]. The guards of held locks live here.
#[derive(Debug)]
pub struct MemoryClient<'a, W: Word> {
    shop: &'a Memory<'a, W>,
    held: Option<(Item, MutexGuard<'a, ()>)>,
    /// The other locks that it holds; empty if `held` is none. Only carts need them.
    also_held: Vec<(Item, MutexGuard<'a, ()>)>,
    /// The stock at the last versioned read.
    last_seen: Units,
    /// The orders that this client has placed; the shop gets them when the client is dropped.
    orders: Vec<Order>,
    place: QueuePlace,
}

impl<'a, W: Word> MemoryClient<'a, W> {
    pub(super) fn new(shop: &'a Memory<'a, W>) -> Self {
        Self {
            shop,
            held: None,
            also_held: Vec::new(),
            last_seen: 0,
            orders: Vec::new(),
            place: QueuePlace::default(),
        }
    }

    #[inline(always)]
    fn shelf(&self, item: Item) -> Result<&'a MemoryShelf<W>, Missed> {
        self.shop.shelf(item).map_or(failed(Failure::NoSuchItem), Ok)
    }

    #[cold]
    fn knows_all(&self, want: Want) -> Result<(), Missed> {
        want.items().try_for_each(|item| self.shelf(item).map(drop))
    }

    #[inline(always)]
    fn word(&self, item: Item) -> Result<&'a W, Missed> {
        self.shelf(item).map(|shelf| &*shelf.word)
    }

    #[inline(always)]
    fn lock(&mut self, item: Item) -> Result<Reply, Missed> {
        let lock = &self.shelf(item)?.lock;
        let (guard, waited) = match lock.try_lock() {
            Some(guard) => (Some(guard), false),
            None => (self.shop.patience.wait(|glance| lock.try_lock_for(glance)), true),
        };
        let Some(guard) = guard else { return failed(Failure::LockTimeout) };
        if let Some(before) = self.held.replace((item, guard)) {
            self.also_held.push(before);
        }
        Ok(Reply::Locked { waited })
    }

    #[inline(always)]
    fn unlock(&mut self, item: Item) -> Result<Reply, Missed> {
        match self.held.take_if(|(held, _)| *held == item) {
            Some(guard) => {
                drop(guard);
                self.held = self.also_held.pop();
                Ok(Reply::Done)
            }
            None => self.unlock_another(item),
        }
    }

    #[cold]
    fn unlock_another(&mut self, item: Item) -> Result<Reply, Missed> {
        self.shelf(item)?;
        match self.also_held.iter().position(|(held, _)| *held == item) {
            Some(place) => {
                drop(self.also_held.swap_remove(place));
                Ok(Reply::Done)
            }
            None => failed(Failure::NotLocked),
        }
    }

    #[cold]
    fn abandon(&mut self) -> u64 {
        self.place.leave();
        let first = u64::from(self.held.take().is_some());
        first + self.also_held.drain(..).count() as u64
    }
}

impl<W: Word> Client for MemoryClient<'_, W> {
    #[inline(always)]
    fn call(&mut self, op: Op) -> Result<Reply, Missed> {
        Ok(match op {
            Op::Read { item } => Reply::Stock(self.word(item)?.stock()),
            Op::ReadVersioned { item } => match self.word(item)?.versioned() {
                Some((stock, version)) => {
                    self.last_seen = stock;
                    Reply::Versioned { stock, version }
                }
                None => return failed(Failure::Unsupported),
            },
            Op::Write { item, stock } => {
                self.word(item)?.set(stock);
                Reply::Done
            }
            Op::CompareAndSet { item, expected, new } => {
                Reply::Applied(self.word(item)?.compare_and_set(expected, new))
            }
            Op::WriteIfVersion { item, version, stock } => {
                match self.word(item)?.set_if_version(version, self.last_seen, stock) {
                    Some(applied) => Reply::Applied(applied),
                    None => return failed(Failure::Unsupported),
                }
            }
            Op::Take { item, qty } => Reply::Applied(self.word(item)?.take(qty)),
            Op::Add { item, qty } => Reply::Stock(self.word(item)?.add(qty)),
            Op::Lock { item } => self.lock(item)?,
            Op::Unlock { item } => self.unlock(item)?,
            Op::PlaceOrder(order) => {
                self.shelf(order.want.item)?;
                if order.want.is_cart() {
                    self.knows_all(order.want)?;
                }
                self.orders.push(order);
                Reply::Done
            }
            Op::Submit(_) | Op::AwaitAnswer | Op::NextRequest | Op::Answer { .. } => {
                self.place.call(&self.shop.queue, op)?
            }
            _ => return failed(Failure::Unsupported),
        })
    }

    #[inline(always)]
    fn close_attempt(&mut self) -> u64 {
        if self.held.is_none() && !self.place.is_awaiting() { 0 } else { self.abandon() }
    }
}

impl<W: Word> Drop for MemoryClient<'_, W> {
    fn drop(&mut self) {
        self.shop.orders.lock().push(std::mem::take(&mut self.orders));
    }
}

#[inline(always)]
fn failed<T>(why: Failure) -> Result<T, Missed> {
    Err(Missed::Failed(why))
}
