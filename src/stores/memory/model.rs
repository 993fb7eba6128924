//! The memory store as plain data: what [`Memory`](super::Memory) does, one op at a time, for worlds
//! that step. A conformance test holds the two against each other.

use std::collections::VecDeque;

use crate::attempt::{Failure, Missed};
use crate::op::{Item, MOST_ITEMS, Op, Reply, Request, Units, Version};

/// The whole store.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Model {
    /// Each product.
    pub shelves: Vec<Shelf>,
    /// Requests in front of the clerk.
    pub queue: VecDeque<(u32, Request)>,
    /// Whom the clerk is serving.
    pub serving: Option<u32>,
}

/// One product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shelf {
    /// Units on the shelf.
    pub stock: Units,
    /// How often it was written with its version.
    pub version: Version,
    /// Whether somebody holds the lock.
    pub locked: bool,
}

impl Model {
    /// A store with so many products of `stock` units each.
    #[must_use]
    pub fn open(items: u8, stock: Units) -> Self {
        let shelf = Shelf { stock, ..Shelf::default() };
        Self { shelves: vec![shelf; items.into()], ..Self::default() }
    }

    /// Units on each shelf.
    #[must_use]
    pub fn stocks(&self) -> Vec<Units> {
        self.shelves.iter().map(|shelf| shelf.stock).collect()
    }
}

/// What one client holds of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grip {
    /// Locks: a bit a product.
    locks: u16,
    /// A place in the queue.
    pub place: bool,
}

const _: () = assert!(MOST_ITEMS <= u16::BITS as u64, "a bit a product");

impl Grip {
    /// Whether it holds a product's lock.
    #[must_use]
    pub fn holds(self, item: Item) -> bool {
        self.locks & bit(item) != 0
    }

    /// Whether it holds any lock.
    #[must_use]
    pub fn holds_any(self) -> bool {
        self.locks != 0
    }

    /// The same without locks.
    #[must_use]
    pub fn without_locks(self) -> Self {
        Self { locks: 0, ..self }
    }
}

fn bit(item: Item) -> u16 {
    1_u16.checked_shl(item.0.into()).unwrap_or(0)
}

impl Model {
    /// One op by the client with this grip; none if it has to wait. Orders are the world's business.
    ///
    /// # Errors
    /// As on the live store.
    pub fn apply(&mut self, op: Op, grip: &mut Grip) -> Option<Result<Reply, Missed>> {
        let failed = |why| Some(Err(Missed::Failed(why)));
        let item = match op {
            Op::PlaceOrder(order) => {
                let knows = |item: Item| usize::from(item.0) < self.shelves.len();
                return match order.want.items().all(knows) {
                    true => Some(Ok(Reply::Done)),
                    false => failed(Failure::NoSuchItem),
                };
            }
            op => item_of(op),
        };
        let Some(item) = item else { return failed(Failure::Unsupported) };
        let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) else {
            return failed(Failure::NoSuchItem);
        };
        let applied = |effect: bool| Reply::Applied(effect);
        Some(Ok(match op {
            Op::Read { .. } => Reply::Stock(shelf.stock),
            Op::ReadVersioned { .. } => {
                Reply::Versioned { stock: shelf.stock, version: shelf.version }
            }
            Op::Write { stock, .. } => {
                shelf.stock = stock;
                Reply::Done
            }
            Op::CompareAndSet { expected, new, .. } => {
                applied(shelf.set_if(shelf.stock == expected, new))
            }
            Op::WriteIfVersion { version, stock, .. } => {
                let stands = shelf.version == version;
                shelf.version = shelf.version.wrapping_add(stands.into());
                applied(shelf.set_if(stands, stock))
            }
            Op::Take { qty, .. } => {
                applied(shelf.set_if(shelf.stock >= qty, shelf.stock.wrapping_sub(qty)))
            }
            Op::Add { qty, .. } => {
                shelf.stock = shelf.stock.wrapping_add(qty);
                Reply::Stock(shelf.stock)
            }
            Op::Lock { .. } if shelf.locked => return None,
            Op::Lock { .. } => {
                shelf.locked = true;
                grip.locks |= bit(item);
                Reply::Locked { waited: false }
            }
            Op::Unlock { .. } if grip.holds(item) => {
                shelf.locked = false;
                grip.locks &= !bit(item);
                Reply::Done
            }
            Op::Unlock { .. } => return failed(Failure::NotLocked),
            Op::PlaceOrder(_)
            | Op::Submit(_)
            | Op::AwaitAnswer
            | Op::NextRequest
            | Op::Answer { .. } => return failed(Failure::Unsupported),
        }))
    }

    /// Gives back the locks of an attempt that is over, as a closed connection does.
    pub fn release(&mut self, grip: Grip) {
        for (shelf, number) in self.shelves.iter_mut().zip(0..) {
            shelf.locked &= !grip.holds(Item(number));
        }
    }
}

impl Shelf {
    fn set_if(&mut self, holds: bool, stock: Units) -> bool {
        if holds {
            self.stock = stock;
        }
        holds
    }
}

/// Which product an op is about, if it is one.
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
        Op::PlaceOrder(_)
        | Op::Submit(_)
        | Op::AwaitAnswer
        | Op::NextRequest
        | Op::Answer { .. } => None,
    }
}
