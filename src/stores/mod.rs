//! Stores: where stock lives.
//!
//! A live store is opened once a round; every buyer thread connects a [`Client`] of its own. The
//! audit looks at the store through [`LiveStore::books`], never through a client.

pub mod memory;
pub mod model;

use crate::attempt::Missed;
use crate::op::{Op, Order, Reply, Units};

/// What the audit finds in a store when everybody has gone home.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// The stock of each product. Below zero if a checkout took it there.
    pub shelves: Vec<Units>,
    /// The order book, in no particular order.
    pub orders: Vec<Order>,
    /// The longest the clerk's queue ever was, in requests.
    pub deepest_queue: u64,
    /// Units of each product that were on hold and went back to the shelf; empty if none could be.
    pub given_back: Vec<Units>,
    /// Payments that the provider has of each buyer, less what it gave back; none if nobody pays here.
    pub payments: Option<Vec<u64>>,
}

/// A store that real threads race on.
pub trait LiveStore: Sync {
    /// One thread's connection.
    type Client<'a>: Client
    where
        Self: 'a;

    /// The name in reports.
    const NAME: &'static str;

    /// Connects one thread.
    fn connect(&self) -> Self::Client<'_>;

    /// Tells the clerk that nobody else will come, and buyers that there is no clerk.
    fn close(&self);

    /// What is in the store now. Complete once all clients are gone.
    fn books(self) -> Books;
}

/// One thread's connection to a live store. Blocking: an op returns when it is done.
pub trait Client {
    /// One round trip.
    ///
    /// # Errors
    /// [`Missed::Failed`] when the op cannot be done; [`Missed::Conflict`] when the server itself
    /// says that somebody got in between.
    fn call(&mut self, op: Op) -> Result<Reply, Missed>;

    /// Drops whatever the attempt still holds, as a closed connection does, and says how many locks
    /// that were.
    fn close_attempt(&mut self) -> u64;
}
