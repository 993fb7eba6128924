//! The books: what the audit reads from a store after all visits are over.

use serde::{Deserialize, Serialize};

use super::op::{BuyerId, Order, Units};

/// What the audit reads from a store after all visits are over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Books {
    /// The stock of each product. Below zero if a checkout took it there.
    pub shelves: Vec<Units>,
    /// The stock of each product at the start, where only the store knows it; empty where each product starts
    /// with the same known stock.
    pub put_up: Vec<Units>,
    /// The order book, in no particular order.
    pub orders: Vec<Order>,
    /// The longest the worker's queue ever was, in requests.
    pub deepest_queue: u64,
    /// Units of each product that were on hold and went back to the shelf; empty if none could be.
    pub given_back: Vec<Units>,
    /// The buyers whose holds are still standing, where there are holds.
    pub holding: Vec<BuyerId>,
    /// Session-level locks that were held after all buyers had left, though no attempt was cut short.
    pub kept_locks: u64,
    /// Payments that the provider has of each buyer, less refunds; none if the shop takes no payments.
    pub payments: Option<Vec<u64>>,
    /// The rules of the shop's own audit that are broken: each one's name, and the first row that breaks it.
    pub broken: Vec<String>,
    /// What the server said when it first refused something that it should not have.
    pub trouble: Option<String>,
    /// Deadlocks that the server has broken by ending one of the transactions in it.
    pub deadlocks: u64,
}
