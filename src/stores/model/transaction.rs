//! Transactions, as PostgreSQL isolates them: each reads a snapshot, writers of the same row queue up,
//! and who is too late conflicts.
//!
//! *Read committed*: every statement sees what is committed by then; a write waits for the row's lock
//! and then overwrites what it never saw. *Repeatable read*: everything is read as it was at the
//! beginning, and a row that somebody else has written since cannot be written (first committer wins).
//! The beginning is where it is begun, though PostgreSQL looks only at the first statement: one that
//! waits there for a lock has looked before it waits, and here who waits has not begun to.
//! *Serializable*: nor may anything that was only read have been written, or an order been added to what
//! was counted. That is stricter than PostgreSQL, which waits for a dangerous pair of such conflicts
//! (Cahill et al., "Serializable isolation for snapshot databases", 2008): more is thrown away, and what
//! commits is serializable in both.

use super::shelf::Shelf;
use crate::domain::attempt::Missed;
use crate::domain::isolation::Isolation;
use crate::domain::op::{Item, Op, Reply, Units, Want};

/// A transaction under way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transaction {
    isolation: Isolation,
    /// Power cuts before it began.
    pub(super) cuts: u8,
    /// The shelves as they were at the beginning; none where each statement sees what is committed.
    snapshot: Vec<Shelf>,
    /// What it did with each shelf.
    rows: Vec<Row>,
    /// Whether its buyer had an order at the beginning; none where each statement sees what is committed.
    had_order: Option<bool>,
    /// Whether it has looked for an order.
    looked: bool,
    /// Whether whoever wants to write or strike out an order of its buyer waits for it.
    claims: bool,
    /// Orders that it wrote.
    orders: Vec<Want>,
    /// Orders that were there before and that it strikes out.
    struck: Vec<Want>,
    /// Whether stock is no column, so that an order is no write of its row.
    counts_orders: bool,
}

/// What a transaction did with a shelf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Row {
    locked: bool,
    read: bool,
    counted: bool,
    written: Option<Units>,
}

/// What comes of an op inside a transaction.
pub(super) enum Inside {
    /// A reply.
    Reply(Result<Reply, Missed>),
    /// It must have the row's lock first.
    NeedsLock,
    /// The transaction is over, and nothing of it counts.
    Aborted,
    /// There is no such op inside a transaction.
    NotHere,
}

impl Transaction {
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
            // Of locks and leases a snapshot knows nothing.
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
            rows: vec![Row::default(); shelves.len()],
            had_order: sees_snapshot.then_some(has_order),
            looked: false,
            claims: false,
            orders: Vec::new(),
            struck: Vec::new(),
            counts_orders,
        }
    }

    /// One op about this shelf.
    pub(super) fn apply(&mut self, op: Op, item: Item, shelf: &Shelf) -> Inside {
        let place = usize::from(item.0);
        let before = self.snapshot.get(place).copied();
        let Some(row) = self.rows.get_mut(place) else { return Inside::NotHere };
        let seen = before.unwrap_or(*shelf);
        // Who writes outside any transaction is only noticed by what it wrote.
        let is_late = || {
            before.is_some_and(|before| {
                before.commits != shelf.commits
                    || before.stock != shelf.stock && !self.counts_orders
            })
        };
        let reply = |reply| Inside::Reply(Ok(reply));
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
            // `UPDATE … WHERE stock >= qty` that finds no row touches none, and waits for nobody.
            Op::Take { qty, .. } if !row.locked && seen.stock < qty => {
                row.read = true;
                reply(Reply::Applied(false))
            }
            Op::Lock { .. } | Op::Write { .. } | Op::Take { .. } | Op::Add { .. }
                if !row.locked =>
            {
                Inside::NeedsLock
            }
            Op::Lock { .. } | Op::Write { .. } | Op::Take { .. } | Op::Add { .. } if is_late() => {
                Inside::Aborted
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
            _ => Inside::NotHere,
        }
    }

    /// The row's lock is this transaction's, until it ends.
    pub(super) fn has_locked(&mut self, item: Item) {
        if let Some(row) = self.rows.get_mut(usize::from(item.0)) {
            row.locked = true;
        }
    }

    /// Writes an order, for when it commits.
    pub(super) fn order(&mut self, want: Want) {
        self.orders.push(want);
    }

    /// Whether it sees an order that it wrote itself.
    pub(super) fn has_ordered(&self) -> bool {
        !self.orders.is_empty()
    }

    /// Whether it sees orders that were there before, if there are any by now.
    pub(super) fn sees_before(&self, has_order: bool) -> bool {
        self.struck.is_empty() && self.had_order.unwrap_or(has_order)
    }

    /// Whether that is not what it was at its beginning.
    pub(super) fn is_late_for(&self, has_order: bool) -> bool {
        self.had_order.is_some_and(|had_order| had_order != has_order)
    }

    /// It has looked for an order.
    pub(super) fn has_looked(&mut self) {
        self.looked = true;
    }

    /// From now on others wait for it who want to write or strike out an order of its buyer.
    pub(super) fn claim(&mut self) {
        self.claims = true;
    }

    /// Whether they do.
    pub(super) fn has_claimed(&self) -> bool {
        self.claims
    }

    /// Strikes out its own orders at once, and these when it commits.
    pub(super) fn strike(&mut self, before: &[Want]) {
        self.orders.clear();
        self.struck.extend_from_slice(before);
    }

    /// Whether it strikes out the orders that were there before.
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

    /// What it wrote.
    pub(super) fn writes(&self) -> impl Iterator<Item = (Item, Units)> + '_ {
        let written = |(row, number): (&Row, u8)| Some((Item(number), row.written?));
        self.rows.iter().zip(0..).filter_map(written)
    }

    /// The orders that it wrote.
    pub(super) fn orders(&self) -> impl Iterator<Item = Want> + '_ {
        self.orders.iter().copied()
    }
}
