//! The keys in etcd.
//!
//! A transaction writes several keys at once, so each value has its own key: a comparison of one key is not affected by
//! writes of the others.

use crate::domain::op::{BuyerId, Item};

/// The prefix of all keys.
pub(super) const PREFIX: &str = "oversell-sim/";

/// The values that are stored for a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProductField {
    /// Units on the shelf.
    Stock,
    /// How often the stock was written with its version. (A key's own revision grows with every write.)
    Version,
    /// Units that were on hold and went back.
    GivenBack,
    /// The number of leases so far, which is the token of the last one.
    Tokens,
    /// The highest token that a client has shown.
    Seen,
}

impl ProductField {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Stock, Self::Version, Self::GivenBack, Self::Tokens, Self::Seen];

    fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Version => "version",
            Self::GivenBack => "given-back",
            Self::Tokens => "tokens",
            Self::Seen => "seen",
        }
    }
}

/// One of the keys of a product's shelf.
pub(super) fn part(item: Item, part: ProductField) -> String {
    format!("{PREFIX}shelf/{}/{}", item.0, part.name())
}

/// The prefix of the queue for a product's lock.
pub(super) fn line(item: Item) -> String {
    format!("{PREFIX}lock/{}/", item.0)
}

/// The place in a queue of the connection that has this lease of etcd's.
pub(super) fn place(line: &str, session: &str) -> String {
    format!("{line}{session}")
}

/// The lease of a product: its value is the owner, and the key exists as long as the lease lasts.
pub(super) fn lease(item: Item) -> String {
    format!("{PREFIX}lease/{}", item.0)
}

/// The prefix of the queue for a product's lease.
pub(super) fn lease_line(item: Item) -> String {
    format!("{PREFIX}lease-line/{}/", item.0)
}

/// The state of a buyer's hold.
pub(super) fn hold(buyer: BuyerId) -> String {
    format!("{PREFIX}hold/{buyer}")
}

/// The prefix of the buyers who hold units of a product that they have neither confirmed nor given back.
pub(super) fn holders(item: Item) -> String {
    format!("{PREFIX}holder/{}/", item.0)
}

/// One such buyer.
pub(super) fn holder(item: Item, buyer: BuyerId) -> String {
    format!("{PREFIX}holder/{}/{buyer}", item.0)
}

/// The prefix of the holders of all products.
pub(super) fn all_holders() -> String {
    format!("{PREFIX}holder/")
}

/// The prefix of the timers of a product's holds.
pub(super) fn timers(item: Item) -> String {
    format!("{PREFIX}timer/{}/", item.0)
}

/// One such timer; etcd deletes it when its time is up.
pub(super) fn timer(item: Item, buyer: BuyerId) -> String {
    format!("{PREFIX}timer/{}/{buyer}", item.0)
}

/// The key that exists if a buyer has an order in the book.
pub(super) fn ordered(buyer: BuyerId) -> String {
    format!("{}{buyer}", all_ordered())
}

/// The prefix of these keys of all buyers.
pub(super) fn all_ordered() -> String {
    format!("{PREFIX}ordered/")
}

/// The prefix of a buyer's lines in the order book.
pub(super) fn orders(buyer: BuyerId) -> String {
    format!("{PREFIX}order/{buyer}/")
}

/// One line: a product of an order. The connection and its number for the order identify the order.
pub(super) fn order(buyer: BuyerId, link: u64, number: u64, item: Item) -> String {
    format!("{PREFIX}order/{buyer}/{link}-{number}/{}", item.0)
}

/// The prefix of the whole order book.
pub(super) fn all_orders() -> String {
    format!("{PREFIX}order/")
}

/// The buyer and the product of a line of the order book.
pub(super) fn read_order(key: &str) -> Option<(BuyerId, Item)> {
    let mut parts = key.strip_prefix(&all_orders())?.split('/');
    let buyer = parts.next()?.parse().ok()?;
    let item = parts.nth(1)?.parse().ok()?;
    Some((buyer, Item(item)))
}

/// The buyer of a holder's key.
pub(super) fn read_holder(key: &str) -> Option<BuyerId> {
    key.rsplit('/').next()?.parse().ok()
}
