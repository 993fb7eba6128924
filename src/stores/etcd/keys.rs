//! The keys: what lies where in etcd.
//!
//! What counts together is written in one transaction, so each fact can have a key of its own: a comparison
//! of one does not see the others move.

use crate::domain::op::{BuyerId, Item};

/// What all keys begin with.
pub(super) const PREFIX: &str = "oversell-sim/";

/// What is kept of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Units on the shelf.
    Stock,
    /// How often it was written with its version. A key's own revision moves with every write.
    Version,
    /// Units that were on hold and went back.
    GivenBack,
    /// How many leases there were: the token of the last.
    Tokens,
    /// The latest token that was shown here.
    Seen,
}

impl Part {
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
pub(super) fn part(item: Item, part: Part) -> String {
    format!("{PREFIX}shelf/{}/{}", item.0, part.name())
}

/// The line in front of a product's lock.
pub(super) fn line(item: Item) -> String {
    format!("{PREFIX}lock/{}/", item.0)
}

/// The place in a line of whoever has this lease of etcd's.
pub(super) fn place(line: &str, session: &str) -> String {
    format!("{line}{session}")
}

/// Who has the product's lease: there as long as it lasts.
pub(super) fn lease(item: Item) -> String {
    format!("{PREFIX}lease/{}", item.0)
}

/// The line of those who wait for it.
pub(super) fn lease_line(item: Item) -> String {
    format!("{PREFIX}lease-line/{}/", item.0)
}

/// What became of a buyer's hold.
pub(super) fn hold(buyer: BuyerId) -> String {
    format!("{PREFIX}hold/{buyer}")
}

/// Who holds units of a product that it has neither confirmed nor given back.
pub(super) fn holders(item: Item) -> String {
    format!("{PREFIX}holder/{}/", item.0)
}

/// One of them.
pub(super) fn holder(item: Item, buyer: BuyerId) -> String {
    format!("{PREFIX}holder/{}/{buyer}", item.0)
}

/// The holders of all products.
pub(super) fn all_holders() -> String {
    format!("{PREFIX}holder/")
}

/// Whose holds of a product have not run out.
pub(super) fn timers(item: Item) -> String {
    format!("{PREFIX}timer/{}/", item.0)
}

/// One of them: gone when its time is up.
pub(super) fn timer(item: Item, buyer: BuyerId) -> String {
    format!("{PREFIX}timer/{}/{buyer}", item.0)
}

/// There if a buyer has an order in the book.
pub(super) fn ordered(buyer: BuyerId) -> String {
    format!("{}{buyer}", all_ordered())
}

/// Those of all buyers.
pub(super) fn all_ordered() -> String {
    format!("{PREFIX}ordered/")
}

/// A buyer's lines in the order book.
pub(super) fn orders(buyer: BuyerId) -> String {
    format!("{PREFIX}order/{buyer}/")
}

/// One of them: the product of the order that nobody else has given this number.
pub(super) fn order(buyer: BuyerId, link: u64, number: u64, item: Item) -> String {
    format!("{PREFIX}order/{buyer}/{link}-{number}/{}", item.0)
}

/// The whole order book.
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
