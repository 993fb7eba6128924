//! The names of the keys.

use crate::domain::op::{BuyerId, Item};

/// The prefix of all keys.
pub(super) const PREFIX: &str = "oversell-sim:";

/// Buyers who have an order.
pub(super) const ORDERED: &str = "oversell-sim:ordered";

/// A key of a product.
pub(super) fn of_item(what: &str, item: Item) -> String {
    format!("{PREFIX}{what}:{}", item.0)
}

/// A key of a product and a buyer.
pub(super) fn of_both(what: &str, item: Item, buyer: BuyerId) -> String {
    format!("{PREFIX}{what}:{}:{buyer}", item.0)
}

/// A key of a buyer.
pub(super) fn of_buyer(what: &str, buyer: BuyerId) -> String {
    format!("{PREFIX}{what}:{buyer}")
}
