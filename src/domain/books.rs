//! The books: what the audit finds in a store when everybody has gone home.

use super::op::{BuyerId, Order, Units};

/// What the audit finds in a store when everybody has gone home.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// The stock of each product. Below zero if a checkout took it there.
    pub shelves: Vec<Units>,
    /// What the shelves held when the doors opened, where that is not the same of each and known without asking;
    /// else empty.
    pub put_up: Vec<Units>,
    /// The order book, in no particular order.
    pub orders: Vec<Order>,
    /// The longest the clerk's queue ever was, in requests.
    pub deepest_queue: u64,
    /// Units of each product that were on hold and went back to the shelf; empty if none could be.
    pub given_back: Vec<Units>,
    /// Whose holds are still standing, where there are holds.
    pub holding: Vec<BuyerId>,
    /// Locks of sessions' own that were held when everybody had left, though nothing had cut an attempt short.
    pub kept_locks: u64,
    /// Payments that the provider has of each buyer, less what it gave back; none if nobody pays here.
    pub payments: Option<Vec<u64>>,
    /// What the shop's own audit says must not be, and is: what it is called, and the first row of it.
    pub broken: Vec<String>,
    /// What the server said when it first refused something that it should not have.
    pub trouble: Option<String>,
    /// Deadlocks that the server has broken by ending one of the transactions in it.
    pub deadlocks: u64,
}
