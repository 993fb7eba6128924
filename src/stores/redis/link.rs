//! One connection to Redis: which op takes which command. A missing number is read as 0: a server without a file has
//! lost all numbers after it was killed.

use std::time::Duration;

use ::redis::{ConnectionLike, RedisError, RedisResult, Value, cmd, pipe};

use super::keys::{self, of_both, of_buyer, of_item};
use super::scripts::Scripts;
use crate::domain::attempt::{Failure, Missed};
use crate::domain::op::{BuyerId, Item, Op, Order, Reply, Units, Version};
use crate::scheduler::BuyerHandle;
use crate::stores::remote::{Link, StoreConfig};

/// The shortest and the longest pause between two tries of a lease: Redis has no queue for it.
const NAPS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(16));

/// One connection.
pub(super) struct RedisLink<C> {
    connection: C,
    scripts: Scripts,
    terms: StoreConfig,
    /// With a handle, a buyer that waits for a lease tries again only after another buyer has moved.
    handle: Option<BuyerHandle>,
    is_broken: bool,
}

/// Why an op was not done.
enum RedisOpError {
    /// An error of the server, or of the connection to it.
    Redis(RedisError),
    /// An error of the op itself.
    Missed(Missed),
}

impl From<RedisError> for RedisOpError {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl From<Failure> for RedisOpError {
    fn from(why: Failure) -> Self {
        Self::Missed(Missed::Failed(why))
    }
}

impl<C: ConnectionLike> RedisLink<C> {
    pub(super) fn new(connection: C, terms: StoreConfig, handle: Option<BuyerHandle>) -> Self {
        Self { connection, scripts: Scripts::new(), terms, handle, is_broken: false }
    }

    fn perform(&mut self, buyer: BuyerId, op: Op) -> Result<Reply, RedisOpError> {
        let connection = &mut self.connection;
        let scripts = &self.scripts;
        let applied = |number: i64| Ok(Reply::Applied(number == 1));
        match op {
            Op::Read { item } => {
                let stock: Option<Units> =
                    cmd("GET").arg(of_item("stock", item)).query(connection)?;
                Ok(Reply::Stock(stock.unwrap_or(0)))
            }
            Op::ReadVersioned { item } => {
                let both = [of_item("stock", item), of_item("version", item)];
                let (stock, version): (Option<Units>, Option<Version>) =
                    cmd("MGET").arg(&both).query(connection)?;
                Ok(Reply::Versioned { stock: stock.unwrap_or(0), version: version.unwrap_or(0) })
            }
            Op::Write { item, stock } => {
                cmd("SET").arg(of_item("stock", item)).arg(stock).exec(connection)?;
                Ok(Reply::Done)
            }
            Op::CompareAndSet { item, expected, new } => {
                Ok(Reply::Applied(compare_and_set(connection, item, expected, new)?))
            }
            Op::WriteIfVersion { item, version, stock } => {
                Ok(Reply::Applied(write_if_version(connection, item, version, stock)?))
            }
            Op::Take { item, qty } => {
                applied(scripts.take.key(of_item("stock", item)).arg(qty).invoke(connection)?)
            }
            Op::Add { item, qty } => {
                let left = cmd("INCRBY").arg(of_item("stock", item)).arg(qty).query(connection)?;
                Ok(Reply::Stock(left))
            }
            Op::PlaceOrder(order) => {
                let mut together = pipe();
                together.atomic().cmd("SADD").arg(keys::ORDERED).arg(order.buyer).ignore();
                together
                    .cmd("RPUSH")
                    .arg(of_buyer("order", order.buyer))
                    .arg(lines(order))
                    .ignore();
                together.exec(connection)?;
                Ok(Reply::Done)
            }
            Op::PlaceOrderOnce(order) => applied(
                scripts
                    .place_order_once
                    .key(keys::ORDERED)
                    .key(of_buyer("order", order.buyer))
                    .arg(order.buyer)
                    .arg(lines(order))
                    .invoke(connection)?,
            ),
            Op::FindOrder => {
                applied(cmd("SISMEMBER").arg(keys::ORDERED).arg(buyer).query(connection)?)
            }
            Op::CancelOrder => {
                let mut together = pipe();
                together.atomic().cmd("SREM").arg(keys::ORDERED).arg(buyer);
                together.cmd("DEL").arg(of_buyer("order", buyer)).ignore();
                let (number,): (i64,) = together.query(connection)?;
                applied(number)
            }
            Op::Hold { item, qty } => applied(
                scripts
                    .hold
                    .key(&about_hold(item, buyer))
                    .arg(buyer)
                    .arg(qty)
                    .arg(self.terms.settings.hold_ttl.as_millis() as u64)
                    .arg(item.0)
                    .arg(keys::PREFIX)
                    .invoke(connection)?,
            ),
            Op::Confirm { item } => {
                let done: i64 = scripts
                    .confirm
                    .key(of_item("holds", item))
                    .key(of_both("hold", item, buyer))
                    .key(of_buyer("held", buyer))
                    .arg(buyer)
                    .arg(item.0)
                    .invoke(connection)?;
                if done < 0 { Err(Failure::NotHeld.into()) } else { applied(done) }
            }
            Op::Release { item } => applied(
                scripts
                    .release
                    .key(&about_hold(item, buyer))
                    .arg(buyer)
                    .arg(item.0)
                    .invoke(connection)?,
            ),
            Op::Lease { item } => self.lease(buyer, item),
            Op::Unlease { item } => {
                applied(scripts.unlease.key(of_item("lease", item)).arg(buyer).invoke(connection)?)
            }
            Op::ReadFenced { item, token } => {
                let both = [of_item("stock", item), of_item("seen", item)];
                let seen: Option<Units> =
                    scripts.read_fenced.key(&both).arg(token).invoke(connection)?;
                seen.map(Reply::Stock).ok_or(RedisOpError::Missed(Missed::Conflict))
            }
            Op::WriteFenced { item, token, stock } => {
                let both = [of_item("stock", item), of_item("seen", item)];
                applied(scripts.write_fenced.key(&both).arg(token).arg(stock).invoke(connection)?)
            }
            _ => Err(Failure::Unsupported.into()),
        }
    }

    /// Tries to take the lease, with longer and longer pauses, until patience runs out.
    fn lease(&mut self, buyer: BuyerId, item: Item) -> Result<Reply, RedisOpError> {
        let both = [of_item("lease", item), of_item("tokens", item)];
        let mut left = self.terms.settings.patience;
        let mut nap = NAPS.0;
        loop {
            let token: Version = self
                .scripts
                .lease
                .key(&both)
                .arg(buyer)
                .arg(self.terms.settings.lease_ttl.as_millis() as u64)
                .invoke(&mut self.connection)?;
            if token > 0 {
                return Ok(Reply::Token(token));
            }
            if let Some(handle) = &self.handle {
                match handle.await_retry() {
                    true => continue,
                    false => return Err(Failure::Interrupted.into()),
                }
            }
            if left < nap || !self.terms.control.pause(nap) {
                return Err(Failure::LockTimeout.into());
            }
            left -= nap;
            nap = (nap * 2).min(NAPS.1);
        }
    }

    /// What an attempt is told of an error.
    fn missed(&mut self, error: &RedisError) -> Missed {
        let text = || format!("Redis: {error}");
        let is_lost = error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error();
        match is_lost {
            true => self.terms.note_lost(text),
            false => self.terms.note(text),
        }
        self.is_broken |= is_lost;
        Missed::Failed(if is_lost { Failure::Disconnected } else { Failure::Refused })
    }
}

/// The keys that an op about a hold uses.
fn about_hold(item: Item, buyer: BuyerId) -> [String; 5] {
    let of_items = ["stock", "given-back", "holds"].map(|what| of_item(what, item));
    let [stock, given_back, holds] = of_items;
    [stock, given_back, holds, of_both("hold", item, buyer), of_buyer("held", buyer)]
}

/// The lines of an order, one for each product.
fn lines(order: Order) -> Vec<String> {
    order.want.items().map(|item| format!("{}:{}", item.0, order.want.qty)).collect()
}

/// Overwrites the stock if it is still as expected, and no other client writes it after it was read.
fn compare_and_set(
    connection: &mut impl ConnectionLike,
    item: Item,
    expected: Units,
    new: Units,
) -> RedisResult<bool> {
    let stock = of_item("stock", item);
    cmd("WATCH").arg(&stock).exec(connection)?;
    let seen: Option<Units> = cmd("GET").arg(&stock).query(connection)?;
    if seen.unwrap_or(0) != expected {
        cmd("UNWATCH").exec(connection)?;
        return Ok(false);
    }
    let mut together = pipe();
    together.atomic().cmd("SET").arg(&stock).arg(new);
    together.query(connection).map(has_happened)
}

/// Overwrites the stock and raises the version, if the version is still as expected and no other client writes it after
/// it was read.
fn write_if_version(
    connection: &mut impl ConnectionLike,
    item: Item,
    version: Version,
    stock: Units,
) -> RedisResult<bool> {
    let versions = of_item("version", item);
    cmd("WATCH").arg(&versions).exec(connection)?;
    let seen: Option<Version> = cmd("GET").arg(&versions).query(connection)?;
    if seen.unwrap_or(0) != version {
        cmd("UNWATCH").exec(connection)?;
        return Ok(false);
    }
    let mut together = pipe();
    together.atomic().cmd("SET").arg(of_item("stock", item)).arg(stock);
    together.cmd("INCR").arg(&versions);
    together.query(connection).map(has_happened)
}

/// Whether `EXEC` has run its commands: no watched key had been written.
fn has_happened(replies: Value) -> bool {
    replies != Value::Nil
}

impl<C: ConnectionLike + Send> Link for RedisLink<C> {
    fn call(&mut self, buyer: BuyerId, op: Op) -> Result<Reply, Missed> {
        if !op.is_within(self.terms.settings.items) {
            return Err(Missed::Failed(Failure::NoSuchItem));
        }
        self.perform(buyer, op).map_err(|trouble| match trouble {
            RedisOpError::Redis(error) => self.missed(&error),
            RedisOpError::Missed(missed) => missed,
        })
    }

    fn close_attempt(&mut self) -> u64 {
        // A lease belongs to the buyer, and expires by itself.
        0
    }

    fn is_broken(&self) -> bool {
        self.is_broken
    }
}
