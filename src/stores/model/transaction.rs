//! Transactions, as PostgreSQL isolates them: each reads a snapshot, writers of the same row wait for each other, and a
//! writer that is too late gets a conflict.
//!
//! *Read committed*: every statement sees what is committed when it runs; a write waits for the row's lock and then
//! overwrites what it never saw. *Repeatable read*: every read sees the state at the beginning, and a row that another
//! transaction has written since cannot be written (first committer wins). The snapshot is taken where the transaction
//! begins, though PostgreSQL takes it at the first statement: there, a statement that waits for a lock has taken the
//! snapshot before it waits, while in the model, a statement that waits has not begun. *Serializable*: in addition, a
//! row that was only read must not have been written since, and the orders that were counted must not have changed.
//! That is stricter than PostgreSQL, which aborts only when there is a dangerous pair of such conflicts (Cahill et al.,
//! "Serializable isolation for snapshot databases", 2008): the model aborts more, and what commits is serializable in
//! both.

use super::shelf::Shelf;
use crate::domain::attempt::Missed;
use crate::domain::isolation::Isolation;
use crate::domain::op::{Item, Op, Reply, Units, Want};

/// A transaction under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelTransaction {
    isolation: Isolation,
    /// Power cuts before it began.
    pub(super) cuts: u8,
    /// The shelves at the beginning; empty if each statement sees what is committed.
    snapshot: Vec<Shelf>,
    /// What it did with each shelf.
    rows: Vec<RowAccess>,
    /// Whether its buyer had an order at the beginning; none if each statement sees what is committed.
    had_order: Option<bool>,
    /// Whether it has looked for an order.
    looked: bool,
    /// Whether another session that wants to write or cancel an order of its buyer has to wait for it.
    claims: bool,
    /// Orders that it wrote.
    orders: Vec<Want>,
    /// Orders from before that it cancels.
    struck: Vec<Want>,
    /// Whether stock is no column, so that an order does not write the row.
    counts_orders: bool,
}

/// What a transaction did with a shelf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct RowAccess {
    locked: bool,
    read: bool,
    counted: bool,
    written: Option<Units>,
}

/// The result of an op inside a transaction.
pub(super) enum TransactionResult {
    /// A reply.
    Reply(Result<Reply, Missed>),
    /// The op needs the row's lock first.
    NeedsLock,
    /// The transaction is aborted, and nothing of it counts.
    Aborted,
    /// The op does not exist inside a transaction.
    NotHere,
}

impl ModelTransaction {
    pub(super) fn begin(
        isolation: Isolation,
        shelves: &[Shelf],
        has_order: bool,
        counts_orders: bool,
        cuts: u8,
    ) -> Self {
        let sees_snapshot = isolation != Isolation::ReadCommitted;
        let snapshot = match sees_snapshot {
            false => Vec::new(),
            // A snapshot has no locks and no leases.
            true => shelves
                .iter()
                .map(|shelf| Shelf {
                    stock: shelf.stock,
                    commits: shelf.commits,
                    ordered: shelf.ordered,
                    ..Shelf::default()
                })
                .collect(),
        };
        Self {
            isolation,
            cuts,
            snapshot,
            rows: vec![RowAccess::default(); shelves.len()],
            had_order: sees_snapshot.then_some(has_order),
            looked: false,
            claims: false,
            orders: Vec::new(),
            struck: Vec::new(),
            counts_orders,
        }
    }

    /// Does one op about this shelf.
    pub(super) fn apply(&mut self, op: Op, item: Item, shelf: &Shelf) -> TransactionResult {
        let place = usize::from(item.0);
        let before = self.snapshot.get(place).copied();
        let Some(row) = self.rows.get_mut(place) else { return TransactionResult::NotHere };
        let seen = before.unwrap_or(*shelf);
        // A write outside any transaction is no commit, and is only noticed if it changes the stock.
        let is_late = || {
            before.is_some_and(|before| {
                before.commits != shelf.commits
                    || before.stock != shelf.stock && !self.counts_orders
            })
        };
        let reply = |reply| TransactionResult::Reply(Ok(reply));
        match op {
            Op::Read { .. } => {
                row.read = true;
                reply(Reply::Stock(row.written.unwrap_or(seen.stock)))
            }
            Op::CountLeft { .. } => {
                row.counted = true;
                let units = |orders: &[Want]| -> Units {
                    orders.iter().map(|want| want.units_of(item)).sum()
                };
                let own = units(&self.orders).wrapping_sub(units(&self.struck));
                reply(Reply::Stock(seen.stock.wrapping_sub(own)))
            }
            // `UPDATE … WHERE stock >= qty` that finds no row locks none, and does not wait.
            Op::Take { qty, .. } if !row.locked && seen.stock < qty => {
                row.read = true;
                reply(Reply::Applied(false))
            }
            Op::Lock { .. } | Op::Write { .. } | Op::Take { .. } | Op::Add { .. }
                if !row.locked =>
            {
                TransactionResult::NeedsLock
            }
            Op::Lock { .. } | Op::Write { .. } | Op::Take { .. } | Op::Add { .. } if is_late() => {
                TransactionResult::Aborted
            }
            Op::Lock { .. } => reply(Reply::Locked { waited: false }),
            Op::Write { stock, .. } => {
                row.written = Some(stock);
                reply(Reply::Done)
            }
            Op::Take { qty, .. } => {
                let stock = row.written.unwrap_or(seen.stock);
                let enough = stock >= qty;
                if enough {
                    row.written = Some(stock.wrapping_sub(qty));
                }
                reply(Reply::Applied(enough))
            }
            Op::Add { qty, .. } => {
                let stock = row.written.unwrap_or(seen.stock).wrapping_add(qty);
                row.written = Some(stock);
                reply(Reply::Stock(stock))
            }
            _ => TransactionResult::NotHere,
        }
    }

    /// Notes that the transaction has the row's lock until it ends.
    pub(super) fn has_locked(&mut self, item: Item) {
        if let Some(row) = self.rows.get_mut(usize::from(item.0)) {
            row.locked = true;
        }
    }

    /// Writes an order, which counts when the transaction commits.
    pub(super) fn order(&mut self, want: Want) {
        self.orders.push(want);
    }

    /// Whether it sees an order that it wrote itself.
    pub(super) fn has_ordered(&self) -> bool {
        !self.orders.is_empty()
    }

    /// Whether it sees orders from before; `has_order` says whether there are any now.
    pub(super) fn sees_before(&self, has_order: bool) -> bool {
        self.struck.is_empty() && self.had_order.unwrap_or(has_order)
    }

    /// Whether its buyer had an order at the beginning and has none now, or the other way round.
    pub(super) fn is_late_for(&self, has_order: bool) -> bool {
        self.had_order.is_some_and(|had_order| had_order != has_order)
    }

    /// Notes that it has looked for an order.
    pub(super) fn has_looked(&mut self) {
        self.looked = true;
    }

    /// From now on, other sessions that want to write or cancel an order of its buyer wait for it.
    pub(super) fn claim(&mut self) {
        self.claims = true;
    }

    /// Whether other sessions wait for it in this way.
    pub(super) fn has_claimed(&self) -> bool {
        self.claims
    }

    /// Cancels its own orders at once, and these when it commits.
    pub(super) fn strike(&mut self, before: &[Want]) {
        self.orders.clear();
        self.struck.extend_from_slice(before);
    }

    /// Whether it cancels the orders from before.
    pub(super) fn strikes_orders(&self) -> bool {
        !self.struck.is_empty()
    }

    /// Whether it holds the row of a product.
    pub(super) fn holds_row(&self, item: Item) -> bool {
        self.rows.get(usize::from(item.0)).is_some_and(|row| row.locked)
    }

    /// Whether it holds any row.
    pub(super) fn holds_any_row(&self) -> bool {
        self.rows.iter().any(|row| row.locked)
    }

    /// Whether its isolation level lets it commit.
    pub(super) fn may_commit(&self, shelves: &[Shelf], has_order: bool) -> bool {
        let rows = self.rows.iter().zip(&self.snapshot).zip(shelves);
        self.isolation != Isolation::Serializable
            || !(self.looked && self.is_late_for(has_order))
                && rows.into_iter().all(|((row, before), now)| {
                    let is_as_read = before.commits == now.commits
                        && (before.stock == now.stock || self.counts_orders);
                    (!row.read || is_as_read) && (!row.counted || before.ordered == now.ordered)
                })
    }

    /// The stock that it wrote of each product.
    pub(super) fn writes(&self) -> impl Iterator<Item = (Item, Units)> + '_ {
        let written = |(row, number): (&RowAccess, u8)| Some((Item(number), row.written?));
        self.rows.iter().zip(0..).filter_map(written)
    }

    /// The orders that it wrote.
    pub(super) fn orders(&self) -> impl Iterator<Item = Want> + '_ {
        self.orders.iter().copied()
    }
}
