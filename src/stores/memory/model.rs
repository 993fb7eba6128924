//! The memory store as plain data: what [`Memory`](super::Memory) does, one op at a time, for worlds
//! that step. A conformance test holds the two against each other.

use std::collections::VecDeque;

use crate::attempt::{Failure, Missed};
use crate::op::{Item, Op, Reply, Request, Units, Version};

/// The whole store.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Model {
    /// Units on the shelf.
    pub stock: Units,
    /// How often it was written with its version.
    pub version: Version,
    /// Whether somebody holds the lock.
    pub locked: bool,
    /// Requests in front of the clerk.
    pub queue: VecDeque<(u32, Request)>,
    /// Whom the clerk is serving.
    pub serving: Option<u32>,
}

impl Model {
    /// A store with one product.
    #[must_use]
    pub fn open(stock: Units) -> Self {
        Self { stock, ..Self::default() }
    }
}

/// What one client holds of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grip {
    /// The lock.
    pub lock: bool,
    /// A place in the queue.
    pub place: bool,
}

impl Model {
    /// One op by the client with this grip; none if it has to wait. Orders are the world's business.
    ///
    /// # Errors
    /// As on the live store.
    pub fn apply(&mut self, op: Op, grip: &mut Grip) -> Option<Result<Reply, Missed>> {
        let failed = |why| Some(Err(Missed::Failed(why)));
        if item_of(op).is_some_and(|item| item != Item(0)) {
            return failed(Failure::NoSuchItem);
        }
        let applied = |effect: bool| Reply::Applied(effect);
        Some(Ok(match op {
            Op::Read { .. } => Reply::Stock(self.stock),
            Op::ReadVersioned { .. } => {
                Reply::Versioned { stock: self.stock, version: self.version }
            }
            Op::Write { stock, .. } => {
                self.stock = stock;
                Reply::Done
            }
            Op::CompareAndSet { expected, new, .. } => {
                applied(self.set_if(self.stock == expected, new))
            }
            Op::WriteIfVersion { version, stock, .. } => {
                let stands = self.version == version;
                self.version = self.version.wrapping_add(stands.into());
                applied(self.set_if(stands, stock))
            }
            Op::Take { qty, .. } => {
                applied(self.set_if(self.stock >= qty, self.stock.wrapping_sub(qty)))
            }
            Op::Add { qty, .. } => {
                self.stock = self.stock.wrapping_add(qty);
                Reply::Stock(self.stock)
            }
            Op::Lock { .. } if self.locked => return None,
            Op::Lock { .. } => {
                (self.locked, grip.lock) = (true, true);
                Reply::Locked { waited: false }
            }
            Op::Unlock { .. } if grip.lock => {
                (self.locked, grip.lock) = (false, false);
                Reply::Done
            }
            Op::Unlock { .. } => return failed(Failure::NotLocked),
            Op::PlaceOrder(_) => Reply::Done,
            Op::Submit(_) | Op::AwaitAnswer | Op::NextRequest | Op::Answer { .. } => {
                return failed(Failure::Unsupported);
            }
        }))
    }

    fn set_if(&mut self, holds: bool, stock: Units) -> bool {
        if holds {
            self.stock = stock;
        }
        holds
    }
}

/// Which product an op is about.
fn item_of(op: Op) -> Option<Item> {
    match op {
        Op::Read { item }
        | Op::ReadVersioned { item }
        | Op::Write { item, .. }
        | Op::CompareAndSet { item, .. }
        | Op::WriteIfVersion { item, .. }
        | Op::Take { item, .. }
        | Op::Add { item, .. }
        | Op::Lock { item }
        | Op::Unlock { item } => Some(item),
        Op::PlaceOrder(order) => Some(order.item),
        Op::Submit(_) | Op::AwaitAnswer | Op::NextRequest | Op::Answer { .. } => None,
    }
}
