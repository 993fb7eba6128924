//! One connection to an SQL database: which op takes which statements.

use super::{Database, Parameters, Row, SqlError, Statement};
use crate::domain::attempt::{Failure, Missed};
use crate::domain::isolation::Isolation;
use crate::domain::op::{BuyerId, Item, Op, Order, Reply, Units, Version};
use crate::stores::remote::{Link, StoreConfig};

/// How often an op outside any transaction is tried at most, when the database rolls it back after a conflict or a
/// deadlock: nothing of it counts then, so the buyer is not told.
const MOST_TRIES: u32 = 100;

/// What is under way on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinkTransaction {
    /// Nothing: each statement commits by itself.
    Nothing,
    /// A transaction that the checkout has begun.
    Transaction,
    /// A transaction that the first lock has begun, and that releasing the last lock commits.
    Locks,
}

/// One connection to an SQL database.
pub(in crate::stores) struct SqlLink<D> {
    database: D,
    terms: StoreConfig,
    under_way: LinkTransaction,
    /// Locks asked for and not given back.
    held: Vec<Item>,
    is_broken: bool,
}

type Done<T = Reply> = Result<T, SqlError>;

impl<D: Database> SqlLink<D> {
    /// A link over this connection.
    pub(in crate::stores) fn new(database: D, terms: StoreConfig) -> Self {
        let under_way = LinkTransaction::Nothing;
        Self { database, terms, under_way, held: Vec::new(), is_broken: false }
    }

    fn change(&mut self, statement: Statement, values: Parameters<'_>) -> Done<u64> {
        self.database.change(statement, values)
    }

    fn applied(&mut self, statement: Statement, values: Parameters<'_>) -> Done {
        Ok(Reply::Applied(self.change(statement, values)? > 0))
    }

    fn first(&mut self, statement: Statement, values: Parameters<'_>) -> Done<Option<Row>> {
        Ok(self.database.query(statement, values)?.into_iter().next())
    }

    fn number(&mut self, statement: Statement, values: Parameters<'_>) -> Done<i64> {
        Ok(self.first(statement, values)?.map_or(0, |[number, ..]| number))
    }

    /// Runs several statements that take effect together or not at all.
    fn together<T>(&mut self, work: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        if self.under_way != LinkTransaction::Nothing {
            return work(self);
        }
        self.database.run(Statement::BeginLocking)?;
        let done = work(self);
        match done {
            Ok(_) => self.database.run(Statement::Commit)?,
            // A connection that is lost rolls back by itself.
            Err(_) => drop(self.database.run(Statement::Rollback)),
        }
        done
    }

    fn perform(&mut self, buyer: BuyerId, op: Op) -> Done {
        let of = |item: Item| ("item", i64::from(item.0));
        let buyers = ("buyer", i64::from(buyer));
        match op {
            Op::Read { item } if self.terms.settings.unit_rows => {
                let left = self.number(Statement::UnitsLeft, &[of(item)])?;
                Ok(Reply::Stock(left as Units))
            }
            Op::Take { item, qty } if self.terms.settings.unit_rows => {
                self.together(|link| link.take_units(item, qty))
            }
            Op::Read { item } => {
                self.number(Statement::Read, &[of(item)]).map(|units| Reply::Stock(units as Units))
            }
            Op::ReadVersioned { item } => {
                let row = self.first(Statement::ReadVersioned, &[of(item)])?.unwrap_or_default();
                let [stock, version, _] = row;
                Ok(Reply::Versioned { stock: stock as Units, version: version as Version })
            }
            Op::Write { item, stock } => {
                self.change(Statement::Write, &[of(item), ("stock", stock.into())])?;
                Ok(Reply::Done)
            }
            Op::CompareAndSet { item, expected, new } => {
                let values = [of(item), ("expected", expected.into()), ("new", new.into())];
                self.applied(Statement::CompareAndSet, &values)
            }
            Op::WriteIfVersion { item, version, stock } => {
                let values = [of(item), ("version", version.into()), ("stock", stock.into())];
                self.applied(Statement::WriteIfVersion, &values)
            }
            Op::Take { item, qty } => {
                self.applied(Statement::Take, &[of(item), ("qty", qty.into())])
            }
            Op::Add { item, qty } => {
                let left = self.number(Statement::Add, &[of(item), ("qty", qty.into())])?;
                Ok(Reply::Stock(left as Units))
            }
            Op::CountLeft { item } => {
                let left = self.number(Statement::CountLeft, &[of(item)])?;
                Ok(Reply::Stock(left as Units))
            }
            Op::PlaceOrder(order) => self.place_order(order),
            Op::PlaceOrderOnce(order) => self.place_order_once(order),
            Op::FindOrder => Ok(Reply::Applied(self.number(Statement::FindOrder, &[buyers])? > 0)),
            Op::CancelOrder => self.applied(Statement::CancelOrder, &[buyers]),
            Op::Hold { item, qty } => self.together(|link| link.hold(buyer, item, qty)),
            Op::Confirm { item } => self.confirm(buyer, item),
            Op::Release { item } => self.together(|link| link.release(buyer, item)),
            _ => Err(SqlError::Misused(Failure::Unsupported)),
        }
    }

    /// Takes units whose rows no other session has locked, if there are enough.
    fn take_units(&mut self, item: Item, qty: Units) -> Done {
        let values = [("item", item.0.into()), ("qty", qty.into())];
        let units = self.database.query(Statement::UnitsLock, &values)?;
        let enough = units.len() as i64 >= i64::from(qty);
        for [id, ..] in units.into_iter().filter(|_| enough) {
            self.change(Statement::UnitsTake, &[("id", id)])?;
        }
        Ok(Reply::Applied(enough))
    }

    /// An order has one line for each product.
    fn place_order(&mut self, order: Order) -> Done {
        match order.want.is_cart() {
            false => self.place_lines(order, order.want.items())?,
            true => self.together(|link| link.place_lines(order, order.want.items()))?,
        }
        Ok(Reply::Done)
    }

    fn place_order_once(&mut self, order: Order) -> Done {
        self.together(|link| {
            let is_first = link.change(
                Statement::PlaceOrderOnce,
                &line(order.buyer, order.want.item, order.want.qty),
            )? > 0;
            if is_first {
                link.place_lines(order, order.want.items().skip(1))?;
            }
            Ok(Reply::Applied(is_first))
        })
    }

    fn place_lines(&mut self, order: Order, items: impl Iterator<Item = Item>) -> Done<()> {
        for item in items {
            self.change(Statement::PlaceOrder, &line(order.buyer, item, order.want.qty))?;
        }
        Ok(())
    }

    /// Reserves units, after giving back the units of the product's expired holds.
    fn hold(&mut self, buyer: BuyerId, item: Item, qty: Units) -> Done {
        let of = ("item", i64::from(item.0));
        let buyers = ("buyer", i64::from(buyer));
        let now_ms = self.give_back_run_out(item)?;
        let mut before = self.first(Statement::HoldOf, &[buyers])?;
        if let Some([other, _, 0]) = before
            && other != i64::from(item.0)
        {
            self.give_back_run_out(Item(other as u8))?;
            before = self.first(Statement::HoldOf, &[buyers])?;
        }
        match before {
            Some([_, _, 0 | 1]) => return Ok(Reply::Applied(false)),
            Some(_) => drop(self.change(Statement::HoldForget, &[buyers])?),
            None => {}
        }
        if self.change(Statement::Take, &[of, ("qty", qty.into())])? == 0 {
            return Ok(Reply::Applied(false));
        }
        let expires_ms = now_ms.saturating_add(self.terms.settings.hold_ttl.as_millis() as i64);
        let values = [buyers, of, ("qty", qty.into()), ("expires_ms", expires_ms)];
        self.applied(Statement::HoldPlace, &values)
    }

    /// Gives back the units of a product's expired holds, and locks its row, so that no other session reserves units
    /// until the transaction ends; returns the server's time.
    fn give_back_run_out(&mut self, item: Item) -> Done<i64> {
        let of = ("item", i64::from(item.0));
        self.change_or_look(Statement::Lock, &[of])?;
        let now_ms = self.number(Statement::Now, &[])?;
        if self.change(Statement::HoldsRunOut, &[of, ("now_ms", now_ms)])? > 0 {
            let units = self.number(Statement::HoldsRunOutUnits, &[of])?;
            self.change(Statement::HoldsReturned, &[of])?;
            self.change(Statement::GiveBack, &[of, ("qty", units)])?;
        }
        Ok(now_ms)
    }

    fn confirm(&mut self, buyer: BuyerId, item: Item) -> Done {
        let buyers = ("buyer", i64::from(buyer));
        let now_ms = self.number(Statement::Now, &[])?;
        let values = [buyers, ("item", item.0.into()), ("now_ms", now_ms)];
        if self.change(Statement::HoldConfirm, &values)? > 0 {
            return Ok(Reply::Applied(true));
        }
        match self.first(Statement::HoldOf, &[buyers])? {
            Some([held, ..]) if held == i64::from(item.0) => Ok(Reply::Applied(false)),
            _ => Err(SqlError::Misused(Failure::NotHeld)),
        }
    }

    fn release(&mut self, buyer: BuyerId, item: Item) -> Done {
        let buyers = ("buyer", i64::from(buyer));
        let of = ("item", i64::from(item.0));
        let now_ms = self.number(Statement::Now, &[])?;
        let released = self.change(Statement::HoldRelease, &[buyers, of, ("now_ms", now_ms)])? > 0;
        if released {
            let [_, qty, _] = self.first(Statement::HoldOf, &[buyers])?.unwrap_or_default();
            self.change(Statement::GiveBack, &[of, ("qty", qty)])?;
        }
        Ok(Reply::Applied(released))
    }

    /// A statement that is a query in one database and a change in another.
    fn change_or_look(&mut self, statement: Statement, values: Parameters<'_>) -> Done<()> {
        self.database.query(statement, values).map(drop)
    }

    fn lock(&mut self, item: Item) -> Done {
        let waited = self.terms.asks(item);
        self.held.push(item);
        if self.terms.settings.advisory_locks {
            let patience_s = self.terms.settings.patience.as_secs().clamp(1, 31_536_000) as i64;
            let values = [("item", item.0.into()), ("patience_s", patience_s)];
            let locked = self.number(Statement::AdvisoryLock, &values);
            if locked != Ok(1) {
                self.held.pop();
                self.terms.lets_go(item);
            }
            return match locked? {
                1 => Ok(Reply::Locked { waited }),
                _ => Err(SqlError::LockTimeout),
            };
        }
        if self.under_way == LinkTransaction::Nothing {
            self.database.run(Statement::BeginLocking)?;
            self.under_way = LinkTransaction::Locks;
        }
        self.change_or_look(Statement::Lock, &[("item", item.0.into())])?;
        Ok(Reply::Locked { waited })
    }

    /// Row locks last until the transaction ends, which is when the last of them is given back.
    fn unlock(&mut self, place: usize) -> Done {
        let item = self.held.swap_remove(place);
        if self.terms.settings.advisory_locks {
            self.terms.lets_go(item);
            self.number(Statement::AdvisoryUnlock, &[("item", item.0.into())])?;
            return Ok(Reply::Done);
        }
        let commits = self.held.is_empty() && self.under_way == LinkTransaction::Locks;
        let done = if commits { self.end(Statement::Commit) } else { Ok(()) };
        self.terms.lets_go(item);
        done.map(|()| Reply::Done)
    }

    fn begin(&mut self) -> Done {
        self.database.run(match self.terms.settings.isolation {
            Isolation::ReadCommitted => Statement::Begin,
            Isolation::RepeatableRead => Statement::BeginRepeatableRead,
            Isolation::Serializable => Statement::BeginSerializable,
        })?;
        self.under_way = LinkTransaction::Transaction;
        Ok(Reply::Done)
    }

    /// Ends the transaction that is under way, and with it all row locks.
    fn end(&mut self, how: Statement) -> Done<()> {
        self.under_way = LinkTransaction::Nothing;
        if !self.terms.settings.advisory_locks {
            self.held.drain(..).for_each(|item| self.terms.lets_go(item));
        }
        self.database.run(how)
    }

    /// Rolls back the transaction that is under way, if there is one, and releases all locks.
    fn let_go(&mut self) {
        if self.under_way != LinkTransaction::Nothing {
            self.is_broken |= self.end(Statement::Rollback).is_err();
        }
        // Advisory locks outlive a transaction.
        while let Some(place) = self.held.len().checked_sub(1) {
            self.is_broken |= self.unlock(place).is_err();
        }
    }

    /// Notes that no transaction is under way any more, and no lock is held.
    fn forget(&mut self) {
        self.under_way = LinkTransaction::Nothing;
        self.held.drain(..).for_each(|item| self.terms.lets_go(item));
    }

    /// What an attempt is told of an error, after which no transaction is under way any more.
    fn missed(&mut self, error: SqlError) -> Missed {
        let why = match error {
            SqlError::Misused(why) => return Missed::Failed(why),
            SqlError::Conflict => None,
            SqlError::Deadlock => {
                self.terms.count_deadlock();
                None
            }
            SqlError::LockTimeout => Some(Failure::LockTimeout),
            SqlError::Check => Some(Failure::BelowZero),
            SqlError::Lost(text) => {
                self.is_broken = true;
                self.terms.note_lost(|| text);
                Some(Failure::Disconnected)
            }
            SqlError::Forbidden(text) | SqlError::Refused(text) | SqlError::Mistaken(text) => {
                self.terms.note(|| text);
                Some(Failure::Refused)
            }
        };
        if self.is_broken {
            // The server has released everything that a lost connection held.
            self.forget();
        } else {
            self.let_go();
        }
        why.map_or(Missed::Conflict, Missed::Failed)
    }
}

/// The values of one line of an order.
fn line(buyer: BuyerId, item: Item, qty: Units) -> [(&'static str, i64); 3] {
    [("buyer", buyer.into()), ("item", item.0.into()), ("qty", qty.into())]
}

impl<D: Database> Link for SqlLink<D> {
    fn call(&mut self, buyer: BuyerId, op: Op) -> Result<Reply, Missed> {
        let failed = |why| Err(Missed::Failed(why));
        if !op.is_within(self.terms.settings.items) {
            return failed(Failure::NoSuchItem);
        }
        let in_transaction = self.under_way == LinkTransaction::Transaction;
        let done = match op {
            Op::Begin if self.under_way != LinkTransaction::Nothing => {
                return failed(Failure::Transaction);
            }
            Op::Commit | Op::CommitUnsynced if !in_transaction => {
                return failed(Failure::Transaction);
            }
            Op::Begin => self.begin(),
            Op::Commit => self.end(Statement::Commit).map(|()| Reply::Done),
            Op::CommitUnsynced => self.end(Statement::CommitUnsynced).map(|()| Reply::Done),
            // A transaction that a conflict has ended leaves nothing to roll back.
            Op::Rollback if !in_transaction => return Ok(Reply::Done),
            Op::Rollback => self.end(Statement::Rollback).map(|()| Reply::Done),
            Op::Lock { item } => self.lock(item),
            Op::Unlock { item } => match self.held.iter().position(|held| *held == item) {
                _ if in_transaction && !self.terms.settings.advisory_locks => {
                    return failed(Failure::Unsupported);
                }
                Some(place) => self.unlock(place),
                None => return failed(Failure::NotLocked),
            },
            op => {
                let mut done = self.perform(buyer, op);
                for _ in 1..MOST_TRIES {
                    match &done {
                        _ if self.under_way != LinkTransaction::Nothing => break,
                        Err(SqlError::Conflict) => {}
                        Err(SqlError::Deadlock) => self.terms.count_deadlock(),
                        _ => break,
                    }
                    done = self.perform(buyer, op);
                }
                done
            }
        };
        done.map_err(|error| self.missed(error))
    }

    fn close_attempt(&mut self) -> u64 {
        if self.under_way == LinkTransaction::Nothing && self.held.is_empty() {
            return 0;
        }
        // A transaction that is still open counts as one lock, even if no lock was asked for.
        let held = self.held.len().max(1) as u64;
        self.let_go();
        held
    }

    fn is_broken(&self) -> bool {
        self.is_broken
    }
}

impl<D> Drop for SqlLink<D> {
    fn drop(&mut self) {
        self.held.drain(..).for_each(|item| self.terms.lets_go(item));
    }
}
