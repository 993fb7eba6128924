//! The model: a store as plain data that does one op at a time, for worlds that run step by step. It does the live
//! store's ops in the same way, reply by reply: a conformance test compares the two. Beside that, it has a cache with
//! timers, transactions, a payment provider, and faults.

mod held_resources;
mod journal;
mod orders;
mod shelf;
mod split;
mod standing;
mod transaction;

use std::collections::VecDeque;

pub use crate::domain::faults::{Act, Faults};
pub use crate::domain::isolation::Isolation;
pub use held_resources::HeldResources;
pub use journal::Journal;
pub use shelf::Shelf;
pub use split::Split;
pub use standing::{Aside, OnDisk, Reservation, Standing};
pub use transaction::ModelTransaction;

use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{Item, Op, OpKind, Payment, Reply, Request, Units};

/// The whole store.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Model {
    /// Each product.
    pub shelves: Vec<Shelf>,
    /// Each product's shards, where the stock is split over them and not on the shelves.
    pub split: Vec<Split>,
    /// Requests in front of the worker.
    pub queue: VecDeque<(u32, Request)>,
    /// The buyer that the worker is serving.
    pub serving: Option<u32>,
    /// The isolation level of transactions.
    pub isolation: Isolation,
    /// The faults that may still happen.
    pub faults: Faults,
    /// What is on disk.
    pub journal: Journal,
    /// Whether stock is no column, but is calculated from the orders.
    pub counts_orders: bool,
}

/// What a store does with an op: a reply, or none if the client has to wait.
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
    /// A store with `items` products of `stock` units each.
    #[must_use]
    pub fn open(items: u8, stock: Units) -> Self {
        Self { shelves: vec![Shelf::new(stock); items.into()], ..Self::default() }
    }

    /// A store for a checkout that uses these kinds of op, with the layout that they need.
    #[must_use]
    pub fn for_ops(items: u8, stock: Units, names: impl Fn(OpKind) -> bool) -> Self {
        let mut model = Self::open(items, stock);
        model.counts_orders = names(OpKind::CountLeft);
        if names(OpKind::Shards) {
            model.split = vec![Split::new(stock); items.into()];
            model.shelves = vec![Shelf::new(0); items.into()];
        }
        model
    }

    /// Units left of each product.
    #[must_use]
    pub fn stocks(&self) -> Vec<Units> {
        (0..self.shelves.len()).map(|item| self.stock_of(Item(item as u8))).collect()
    }

    /// Units left of a product, on its shelf and on its shards; 0 if there is no such product.
    #[must_use]
    pub fn stock_of(&self, item: Item) -> Units {
        let number = usize::from(item.0);
        let on_shelf = self.shelves.get(number).map_or(0, |shelf| shelf.stock);
        on_shelf.wrapping_add(self.split.get(number).map_or(0, Split::stock))
    }

    /// Does one op of the buyer with this standing, over a connection with this grip; none if it has to wait.
    ///
    /// # Errors
    /// As on the live store.
    pub fn apply(&mut self, op: Op, grip: &mut HeldResources, standing: &mut Standing) -> Applied {
        self.remembering(|model| model.apply_and_sync(op, grip, standing))
    }

    /// Does one op, and then writes all changes to disk, unless the op changes nothing or is an unsynced commit.
    fn apply_and_sync(
        &mut self,
        op: Op,
        grip: &mut HeldResources,
        standing: &mut Standing,
    ) -> Applied {
        self.settle(standing);
        if grip.began_before(self.journal.cuts) && op != Op::Rollback {
            return self.abort(grip, standing);
        }
        if !self.journal.has_more() || op == Op::CommitUnsynced {
            return self.apply_at_once(op, grip, standing);
        }
        let before = self.if_synced(standing);
        let reply = self.apply_at_once(op, grip, standing);
        if before != self.if_synced(standing) {
            self.sync();
        }
        reply
    }

    /// Does one op, and writes nothing to disk.
    fn apply_at_once(
        &mut self,
        op: Op,
        grip: &mut HeldResources,
        standing: &mut Standing,
    ) -> Applied {
        match op {
            Op::PlaceOrder(_) | Op::PlaceOrderOnce(_) | Op::CancelOrder | Op::FindOrder => {
                return self.apply_to_orders(op, grip, standing);
            }
            op if op.is_about_money() => {
                return standing.at_provider(op, Payment::Approved).map(Ok);
            }
            Op::Begin => {
                let has_order = !standing.orders.is_empty();
                let (isolation, counts_orders) = (self.isolation, self.counts_orders);
                let cuts = self.journal.cuts;
                let begin = || {
                    ModelTransaction::begin(
                        isolation,
                        &self.shelves,
                        has_order,
                        counts_orders,
                        cuts,
                    )
                };
                return if grip.begin(begin) { done() } else { failed(Failure::Transaction) };
            }
            Op::Commit => return self.commit(grip, standing),
            Op::CommitUnsynced => {
                let before = self.if_synced(standing);
                let reply = self.commit(grip, standing);
                if reply == done() {
                    self.leave_unsynced(before, standing);
                }
                return reply;
            }
            Op::Rollback => {
                // A transaction that a conflict has ended leaves nothing to roll back.
                self.end_transaction(grip, standing);
                return done();
            }
            _ => {}
        }
        let Some(item) = op.item() else { return failed(Failure::Unsupported) };
        let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) else {
            return failed(Failure::NoSuchItem);
        };
        match (op, grip.transaction()) {
            // The cache takes no part in transactions.
            (Op::Lease { .. }, _) if shelf.leased => None,
            (Op::Lease { .. }, _) => {
                shelf.leased = true;
                shelf.tokens_given = shelf.tokens_given.wrapping_add(1);
                standing.leases |= held_resources::bit(item);
                Some(Ok(Reply::Token(shelf.tokens_given)))
            }
            (Op::Unlease { .. }, _) => {
                let is_ours = standing.leases & held_resources::bit(item) != 0;
                if is_ours {
                    shelf.leased = false;
                    standing.leases &= !held_resources::bit(item);
                }
                applied(is_ours)
            }
            (Op::TakeCached { .. } | Op::AddCached { .. }, _) => shelf.apply(op),
            (Op::TakeFromShard { .. } | Op::TakeFromAll { .. }, None) => {
                let split = self.split.get_mut(usize::from(item.0));
                split.map_or(failed(Failure::Unsupported), |split| split.apply(op))
            }
            (_, Some(transaction)) => match transaction.apply(op, item, shelf) {
                transaction::TransactionResult::Reply(reply) => Some(reply),
                transaction::TransactionResult::NeedsLock => {
                    self.lock_then(op, item, grip, standing)
                }
                transaction::TransactionResult::Aborted => self.abort(grip, standing),
                transaction::TransactionResult::NotHere => failed(Failure::Unsupported),
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
            (op, None) if shelf.keeps_waiting(op) => None,
            (Op::Hold { qty, .. }, None) => {
                let has_one = matches!(
                    standing.hold,
                    Some(Reservation::Standing { .. } | Reservation::Confirmed { .. })
                );
                let holds = !has_one && shelf.take(qty);
                if holds {
                    standing.hold = Some(Reservation::Standing { item, qty });
                }
                applied(holds)
            }
            (Op::Confirm { .. }, None) => match standing.hold {
                Some(
                    Reservation::Standing { item: held, .. }
                    | Reservation::Confirmed { item: held },
                ) if held == item => {
                    standing.hold = Some(Reservation::Confirmed { item });
                    applied(true)
                }
                Some(Reservation::Over { item: held }) if held == item => applied(false),
                _ => failed(Failure::NotHeld),
            },
            (Op::Release { .. }, None) => match standing.hold {
                Some(Reservation::Standing { item: held, .. })
                    if held == item && shelf.row_locked =>
                {
                    None
                }
                Some(Reservation::Standing { item: held, qty }) if held == item => {
                    shelf.give_back(qty);
                    standing.hold = Some(Reservation::Over { item });
                    applied(true)
                }
                _ => applied(false),
            },
            (op, None) => shelf.apply(op),
        }
    }

    /// Takes the row lock that an op inside a transaction needs, and then does the op; none if another transaction has
    /// the lock.
    fn lock_then(
        &mut self,
        op: Op,
        item: Item,
        grip: &mut HeldResources,
        standing: &mut Standing,
    ) -> Applied {
        let shelf = self.shelves.get_mut(usize::from(item.0))?;
        if shelf.row_locked {
            return None;
        }
        shelf.row_locked = true;
        grip.transaction()?.has_locked(item);
        self.apply_at_once(op, grip, standing)
    }

    /// Commits a transaction, if its isolation level allows it.
    fn commit(&mut self, grip: &mut HeldResources, standing: &mut Standing) -> Applied {
        let Some(transaction) = self.end_transaction(grip, standing) else {
            return failed(Failure::Transaction);
        };
        if !transaction.may_commit(&self.shelves, !standing.orders.is_empty()) {
            return Some(Err(Missed::Conflict));
        }
        for (item, stock) in transaction.writes() {
            if let Some(shelf) = self.shelves.get_mut(usize::from(item.0)) {
                shelf.stock = stock;
                shelf.commits = shelf.commits.wrapping_add(1);
            }
        }
        if transaction.strikes_orders() {
            self.strike(standing);
        }
        for want in transaction.orders() {
            self.enter(want, standing);
        }
        done()
    }

    /// Ends a transaction with a conflict, because another transaction or a power cut came first.
    fn abort(&mut self, grip: &mut HeldResources, standing: &mut Standing) -> Applied {
        self.end_transaction(grip, standing);
        Some(Err(Missed::Conflict))
    }

    /// Ends the transaction under way, if there is one, and releases its row locks and its claim.
    fn end_transaction(
        &mut self,
        grip: &mut HeldResources,
        standing: &mut Standing,
    ) -> Option<Box<ModelTransaction>> {
        for (shelf, number) in self.shelves.iter_mut().zip(0..) {
            shelf.row_locked &= !grip.holds_row_since(Item(number), self.journal.cuts);
        }
        grip.let_go(standing);
        grip.end_transaction()
    }

    /// Releases the locks of an attempt that is over, as a closed connection does. A transaction that was under way is
    /// rolled back.
    pub fn release(&mut self, grip: &HeldResources) {
        for (shelf, number) in self.shelves.iter_mut().zip(0..) {
            shelf.locked &= !grip.holds(Item(number));
            shelf.row_locked &= !grip.holds_row_since(Item(number), self.journal.cuts);
        }
    }

    /// Closes a buyer's connection, and releases everything that it held.
    pub fn close(&mut self, grip: &HeldResources, standing: &mut Standing) {
        self.release(grip);
        grip.let_go(standing);
    }

    /// Whether this buyer's hold and leases can expire now: not while a transaction locks the row to which the hold's
    /// units would go back.
    #[must_use]
    pub fn can_expire(&self, standing: &Standing) -> bool {
        let is_locked = |item: Item| {
            self.shelves.get(usize::from(item.0)).is_some_and(|shelf| shelf.row_locked)
        };
        standing.has_timer()
            && !matches!(standing.hold, Some(Reservation::Standing { item, .. }) if is_locked(item))
    }

    /// Expires this buyer's hold and leases.
    pub fn expire(&mut self, standing: &mut Standing) {
        self.expire_hold(standing);
        self.expire_leases(standing);
    }

    /// Does `work`, and keeps the stock before it for stale replicas, as long as a stale read may still happen.
    fn remembering<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        if self.faults.stale_reads == 0 {
            return work(self);
        }
        let before = self.shelves.clone();
        let done = work(self);
        for (shelf, before) in self.shelves.iter_mut().zip(before) {
            if shelf.stock != before.stock {
                shelf.before = before.stock;
            }
        }
        done
    }

    /// Reads a product's stock from before its last write; none if it is the same. After the last stale read that may
    /// happen, the earlier stocks are forgotten.
    pub fn read_behind(&mut self, item: Item) -> Option<Units> {
        let shelf = self.shelves.get(usize::from(item.0))?;
        let seen = (shelf.before != shelf.stock).then_some(shelf.before)?;
        if self.faults.stale_reads == 0 {
            self.shelves.iter_mut().for_each(|shelf| shelf.before = 0);
        }
        Some(seen)
    }

    /// Expires this buyer's hold, and gives its units back.
    pub fn expire_hold(&mut self, standing: &mut Standing) {
        self.remembering(|model| {
            if let Some(Reservation::Standing { item, qty }) = standing.hold {
                if let Some(shelf) = model.shelves.get_mut(usize::from(item.0)) {
                    shelf.give_back(qty);
                }
                standing.hold = Some(Reservation::Over { item });
            }
        });
    }

    /// Ends this buyer's leases, so that other buyers can take them.
    pub fn expire_leases(&mut self, standing: &mut Standing) {
        for (shelf, number) in self.shelves.iter_mut().zip(0..) {
            shelf.leased &= standing.leases & held_resources::bit(Item(number)) == 0;
        }
        standing.leases = 0;
    }
}
