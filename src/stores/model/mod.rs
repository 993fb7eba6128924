//! The model: a store as plain data, one op at a time, for worlds that step. What the live store does
//! too, it does in the same way, reply by reply: a conformance test holds the two against each other.
//! Beside that it has a cache with timers, transactions, a payment provider, and faults.

mod faults;
mod grip;
mod shelf;
mod standing;
mod transaction;

use std::collections::VecDeque;

pub use faults::{Act, Faults};
pub use grip::Grip;
pub use shelf::Shelf;
pub use standing::{Hold, Standing};
pub use transaction::{Isolation, Transaction};

use crate::attempt::{Failure, Missed};
use crate::op::{Item, Op, Payment, Reply, Request, Units, Want};

/// The whole store.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Model {
    /// Each product.
    pub shelves: Vec<Shelf>,
    /// Requests in front of the clerk.
    pub queue: VecDeque<(u32, Request)>,
    /// Whom the clerk is serving.
    pub serving: Option<u32>,
    /// How far transactions are kept apart.
    pub isolation: Isolation,
    /// What may still go wrong.
    pub faults: Faults,
    /// Whether stock is no column, but what was never ordered.
    pub counts_orders: bool,
}

/// What a store does with an op: a reply, or none if whoever sent it has to wait.
pub type Applied = Option<Result<Reply, Missed>>;

pub(crate) fn failed(why: Failure) -> Applied {
    Some(Err(Missed::Failed(why)))
}

fn done() -> Applied {
    Some(Ok(Reply::Done))
}

fn applied(effect: bool) -> Applied {
    Some(Ok(Reply::Applied(effect)))
}

impl Model {
    /// A store with so many products of `stock` units each.
    #[must_use]
    pub fn open(items: u8, stock: Units) -> Self {
        Self { shelves: vec![Shelf::new(stock); items.into()], ..Self::default() }
    }

    /// Units on each shelf.
    #[must_use]
    pub fn stocks(&self) -> Vec<Units> {
        self.shelves.iter().map(|shelf| shelf.stock).collect()
    }

    /// One op by the buyer of this standing, over a connection with this grip; none if it has to wait.
    /// Orders are the world's business, but for their number.
    ///
    /// # Errors
    /// As on the live store.
    pub fn apply(&mut self, op: Op, grip: &mut Grip, standing: &mut Standing) -> Applied {
        match op {
            Op::PlaceOrder(order) | Op::PlaceOrderOnce(order) => {
                let knows = |item: Item| usize::from(item.0) < self.shelves.len();
                if !order.want.items().all(knows) {
                    return failed(Failure::NoSuchItem);
                }
                let writes = matches!(op, Op::PlaceOrder(_)) || standing.orders.is_empty();
                if writes && let Some(transaction) = grip.transaction() {
                    transaction.order(order.want);
                } else if writes {
                    self.enter(order.want, standing);
                }
                return if matches!(op, Op::PlaceOrder(_)) { done() } else { applied(writes) };
            }
            Op::CancelOrder => {
                let had_order = !standing.orders.is_empty();
                match grip.transaction() {
                    Some(transaction) => transaction.cancel_orders(),
                    None => self.strike(standing),
                }
                return applied(had_order);
            }
            Op::FindOrder => return applied(!standing.orders.is_empty()),
            Op::Charge { once } => {
                return Some(Ok(Reply::Payment(standing.charge(once, Payment::Approved))));
            }
            Op::Refund => return applied(standing.refund()),
            Op::FindCharge => return applied(standing.net_charges() > 0),
            Op::Begin => {
                return if grip.begin(self.isolation, &self.shelves) {
                    done()
                } else {
                    failed(Failure::Transaction)
                };
            }
            Op::Commit => return self.commit(grip, standing),
            Op::Rollback => {
                return match grip.end_transaction() {
                    Some(_) => {
                        self.unlock_all(grip);
                        done()
                    }
                    None => failed(Failure::Transaction),
                };
            }
            _ => {}
        }
        let Some(item) = op.item() else { return failed(Failure::Unsupported) };
        let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) else {
            return failed(Failure::NoSuchItem);
        };
        match (op, grip.transaction()) {
            (_, Some(transaction)) => match transaction.apply(op, item, shelf) {
                transaction::Inside::Reply(reply) => Some(reply),
                transaction::Inside::NeedsLock => self.lock_then(op, item, grip, standing),
                transaction::Inside::Aborted => {
                    grip.end_transaction();
                    self.unlock_all(grip);
                    Some(Err(Missed::Conflict))
                }
                transaction::Inside::NotHere => failed(Failure::Unsupported),
            },
            (Op::Lock { .. }, None) if shelf.locked => None,
            (Op::Lock { .. }, None) => {
                shelf.locked = true;
                grip.lock(item);
                Some(Ok(Reply::Locked { waited: false }))
            }
            (Op::Unlock { .. }, None) => {
                if !grip.holds(item) {
                    return failed(Failure::NotLocked);
                }
                shelf.locked = false;
                grip.unlock(item);
                done()
            }
            (Op::Hold { qty, .. }, None) => {
                let has_one =
                    matches!(standing.hold, Some(Hold::Standing { .. } | Hold::Confirmed { .. }));
                let holds = !has_one && shelf.take(qty);
                if holds {
                    standing.hold = Some(Hold::Standing { item, qty });
                }
                applied(holds)
            }
            (Op::Confirm { .. }, None) => match standing.hold {
                Some(Hold::Standing { item: held, .. } | Hold::Confirmed { item: held })
                    if held == item =>
                {
                    standing.hold = Some(Hold::Confirmed { item });
                    applied(true)
                }
                Some(Hold::Over { item: held }) if held == item => applied(false),
                _ => failed(Failure::NotHeld),
            },
            (Op::Release { .. }, None) => match standing.hold {
                Some(Hold::Standing { item: held, qty }) if held == item => {
                    shelf.give_back(qty);
                    standing.hold = Some(Hold::Over { item });
                    applied(true)
                }
                _ => applied(false),
            },
            (Op::Lease { .. }, None) if shelf.leased => None,
            (Op::Lease { .. }, None) => {
                shelf.leased = true;
                shelf.tokens_given = shelf.tokens_given.wrapping_add(1);
                standing.leases |= grip::bit(item);
                Some(Ok(Reply::Token(shelf.tokens_given)))
            }
            (Op::Unlease { .. }, None) => {
                let is_ours = standing.leases & grip::bit(item) != 0;
                if is_ours {
                    shelf.leased = false;
                    standing.leases &= !grip::bit(item);
                }
                applied(is_ours)
            }
            (op, None) => shelf.apply(op),
        }
    }

    /// Takes the row lock that an op inside a transaction needs, and then does it; none if somebody else
    /// has the lock.
    fn lock_then(
        &mut self,
        op: Op,
        item: Item,
        grip: &mut Grip,
        standing: &mut Standing,
    ) -> Applied {
        let shelf = self.shelves.get_mut(usize::from(item.0))?;
        if shelf.locked {
            return None;
        }
        shelf.locked = true;
        grip.lock(item);
        grip.transaction()?.has_locked(item);
        self.apply(op, grip, standing)
    }

    /// Makes a transaction count, if its isolation level allows it.
    fn commit(&mut self, grip: &mut Grip, standing: &mut Standing) -> Applied {
        let Some(transaction) = grip.end_transaction() else {
            return failed(Failure::Transaction);
        };
        self.unlock_all(grip);
        if !transaction.may_commit(&self.shelves) {
            return Some(Err(Missed::Conflict));
        }
        for (item, stock) in transaction.writes() {
            if let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) {
                shelf.stock = stock;
                shelf.commits = shelf.commits.wrapping_add(1);
            }
        }
        if transaction.cancels_orders() {
            self.strike(standing);
        }
        for want in transaction.orders() {
            self.enter(want, standing);
        }
        done()
    }

    /// Counts no order of this buyer any more.
    fn strike(&mut self, standing: &mut Standing) {
        standing.has_cancelled |= !standing.orders.is_empty();
        for want in std::mem::take(&mut standing.orders) {
            for item in want.items() {
                if let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) {
                    shelf.given_back = shelf.given_back.saturating_add(want.qty);
                    shelf.ordered = shelf.ordered.saturating_sub(want.qty);
                    shelf.stock += if self.counts_orders { want.qty } else { 0 };
                }
            }
        }
    }

    /// Counts an order that stands in the book from now on.
    fn enter(&mut self, want: Want, standing: &mut Standing) {
        standing.orders.push(want);
        for item in want.items() {
            if let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) {
                shelf.ordered = shelf.ordered.saturating_add(want.qty);
                shelf.stock -= if self.counts_orders { want.qty } else { 0 };
            }
        }
    }

    /// Gives back every lock.
    fn unlock_all(&mut self, grip: &mut Grip) {
        self.release(grip);
        grip.unlock_all();
    }

    /// Gives back the locks of an attempt that is over, as a closed connection does. A transaction that
    /// was under way has never happened.
    pub fn release(&mut self, grip: &Grip) {
        for (shelf, number) in self.shelves.iter_mut().zip(0..) {
            shelf.locked &= !grip.holds(Item(number));
        }
    }

    /// What runs out of this buyer's, a hold or leases, runs out now.
    pub fn expire(&mut self, standing: &mut Standing) {
        self.expire_hold(standing);
        self.expire_leases(standing);
    }

    /// This buyer's hold runs out, and its units go back.
    pub fn expire_hold(&mut self, standing: &mut Standing) {
        if let Some(Hold::Standing { item, qty }) = standing.hold {
            if let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) {
                shelf.give_back(qty);
            }
            standing.hold = Some(Hold::Over { item });
        }
    }

    /// This buyer's leases are over, and others may have them.
    pub fn expire_leases(&mut self, standing: &mut Standing) {
        for (shelf, number) in self.shelves.iter_mut().zip(0..) {
            shelf.leased &= standing.leases & grip::bit(Item(number)) == 0;
        }
        standing.leases = 0;
    }
}
